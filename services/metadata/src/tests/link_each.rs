//! Links that come in one call, each for itself.

use braid_types::Code;
use braid_wire::{Link, LinkAnswer, Object, proto};

use super::support::*;

fn call(branch: &str, request: &str, link: Link) -> proto::LinkUploadRequest {
    proto::LinkUploadRequest {
        repository: "lake".to_owned(),
        branch: branch.to_owned(),
        link: Some(link.into()),
        request_id: request.to_owned(),
    }
}

async fn link_each(
    node: &Node,
    calls: Vec<proto::LinkUploadRequest>,
) -> Vec<Result<Object, braid_types::Error>> {
    let request = node.request(proto::LinkEachRequest { calls });
    let answers = node.object_service().link_each(request).await.unwrap().into_inner();
    Vec::<LinkAnswer>::try_from(answers).unwrap().into_iter().map(|LinkAnswer(ended)| ended).collect()
}

#[tokio::test]
async fn each_is_answered_for_itself() {
    let (node, client) = Node::with_lake().await;
    branch_from(&client, "dev", "main").await;
    node.write(&client, &main_branch(), "there", "x").await;
    let a = node.uploaded(&client, &main_branch(), "a", "1").await;
    let there = Link { if_absent: true, ..node.uploaded(&client, &main_branch(), "there", "22").await };
    let untrue = Link { size: 7, ..node.uploaded(&client, &main_branch(), "b", "1").await };
    let dev = node.uploaded(&client, &branch("dev"), "d", "333").await;
    let pathless = proto::LinkUploadRequest { link: None, ..call("main", "", a.clone()) };
    let answers = link_each(
        &node,
        vec![
            call("main", "r1", a.clone()),
            call("main", "r2", there),
            call("main", "", untrue),
            pathless,
            call("dev", "", dev),
            call("main", "r1", a.clone()),
        ],
    )
    .await;
    let told: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|object| object.path.as_str()).map_err(braid_types::Error::code))
        .collect();
    let refused = [Code::PreconditionFailed, Code::UploadMismatch, Code::InvalidArgument].map(Err);
    assert_eq!(told, [&[Ok("a")], &refused[..], &[Ok("d"), Ok("a")]].concat());
    assert_eq!(paths(&client, "main").await, ["a", "there"]);
    assert_eq!(entry(&client, "main", "there").await.size, 1, "it was left as it was");
    assert_eq!(paths(&client, "dev").await, ["d"]);
}

#[tokio::test]
async fn one_that_is_sent_again_answers_as_it_did() {
    let (node, client) = Node::with_lake().await;
    let link = Link { if_absent: true, ..node.uploaded(&client, &main_branch(), "a", "1").await };
    let calls = vec![call("main", "r1", link.clone())];
    let first = link_each(&node, calls.clone()).await;
    assert_eq!(link_each(&node, calls).await, first);
    let alone = node.object_service().link_upload(node.request(call("main", "r1", link.clone()))).await;
    assert_eq!(alone.unwrap().into_inner(), first[0].clone().unwrap().into());
    let new = link_each(&node, vec![call("main", "r2", link)]).await;
    assert_eq!(new[0].as_ref().unwrap_err().code(), Code::PreconditionFailed);
}

#[tokio::test]
async fn a_call_has_at_least_one_and_not_too_many() {
    let (node, client) = Node::with_lake().await;
    let link = node.uploaded(&client, &main_branch(), "a", "1").await;
    for count in [0, 257] {
        let calls = vec![call("main", "", link.clone()); count];
        let request = node.request(proto::LinkEachRequest { calls });
        let refused = told(&node.object_service().link_each(request).await.unwrap_err());
        assert_eq!(refused.code(), Code::LimitExceeded);
        assert!(refused.message().contains("1 to 256 calls"), "{refused}");
    }
    assert_eq!(paths(&client, "main").await.len(), 0);
}
