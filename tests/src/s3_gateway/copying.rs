use aws_sdk_s3::types::MetadataDirective;
use braid_client::CreateRepository;
use braid_types::RepositoryName;

use super::{Lake, refusal, refused};
use crate::lake::{commit, write};

#[tokio::test]
async fn objects_are_copied_between_refs_and_repositories() {
    let lake = Lake::start().await;
    let pond = RepositoryName::new("pond").unwrap();
    let create = CreateRepository { name: pond, storage_namespace: None, default_branch: None };
    lake.grpc.create_repository(create).await.unwrap();
    write(&lake.grpc, "main", "a", "old").await;
    commit(&lake.grpc, "main").await.unwrap();
    lake.put("main/a", "new").await;
    let copy = |source: &str, bucket: &str, key: &str| {
        lake.s3.copy_object().copy_source(source).bucket(bucket).key(key)
    };
    let done = copy("lake/main@/a", "lake", "main/old").send().await.unwrap();
    assert_eq!(done.copy_object_result().unwrap().e_tag(), Some("\"149603e6c03516362a8da23f624db945\""));
    assert_eq!(lake.get("main/old").await, "old");
    copy("/lake/main/a", "pond", "main/from-lake").send().await.unwrap();
    let got = lake.s3.get_object().bucket("pond").key("main/from-lake").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"new");
    let missing = copy("lake/main/none", "lake", "main/x").send().await;
    assert_eq!(refusal(missing), refused(404, "NoSuchKey"));
    let other = copy("lake/main/a", "lake", "main/x").copy_source_if_match("\"other\"").send().await;
    assert_eq!(refusal(other), refused(412, "PreconditionFailed"));
    let readonly = copy("lake/main/a", "lake", "main@/x").send().await;
    assert_eq!(refusal(readonly), refused(404, "NoSuchBucket"));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_copy_keeps_what_is_said_of_an_object_or_replaces_it() {
    let lake = Lake::start().await;
    let put = lake.s3.put_object().bucket("lake").key("main/a b").body(b"x".to_vec().into());
    put.content_type("text/plain").metadata("color", "red").send().await.unwrap();
    let copy = || lake.s3.copy_object().copy_source("lake/main/a%20b").bucket("lake");
    copy().key("main/kept").send().await.unwrap();
    let replaced = copy().key("main/a b").metadata_directive(MetadataDirective::Replace);
    replaced.content_type("text/csv").metadata("shape", "round").send().await.unwrap();
    let kept = lake.s3.head_object().bucket("lake").key("main/kept").send().await.unwrap();
    assert_eq!(
        (kept.content_type(), kept.metadata().unwrap()["color"].as_str()),
        (Some("text/plain"), "red")
    );
    let replaced = lake.s3.head_object().bucket("lake").key("main/a b").send().await.unwrap();
    assert_eq!(replaced.content_type(), Some("text/csv"));
    assert_eq!(replaced.metadata().unwrap().keys().collect::<Vec<_>>(), ["shape"]);
    lake.server.stop().await.unwrap();
}
