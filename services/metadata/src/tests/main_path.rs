use braid_client::{
    CreateTag, DiffBranch, DiffKind, ListBranches, ListItem, ListObjects, ListRepositories, ResetScope,
    StreamDownloads,
};
use braid_kv::MemorySettings;
use braid_types::{Code, TagName};
use futures::TryStreamExt;

use super::support::*;
use crate::Settings;

#[tokio::test]
async fn a_repository_begins_with_an_empty_commit_in_a_place_of_its_own() {
    let (_node, client) = Node::with_lake().await;
    let found = client.get_repository(&lake()).await.unwrap();
    assert!(found.storage_namespace.starts_with("s3://braid.local/lake-"), "{}", found.storage_namespace);
    assert_eq!((found.default_branch, found.created_at), (main_branch(), START));
    let (paths, first) = (paths(&client, "main").await, client.get_commit(&lake(), &reference("main")).await);
    let first = first.unwrap().commit;
    assert_eq!((paths.len(), first.metarange, &first.committer[..]), (0, None, "ada"));
    let listed = client.list_repositories(ListRepositories::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    client.delete_repository(&lake()).await.unwrap();
    assert_eq!(code(client.get_repository(&lake()).await), Code::RepositoryNotFound);
}

#[tokio::test]
async fn what_was_uploaded_and_linked_is_seen_and_can_be_downloaded() {
    let (node, client) = Node::with_lake().await;
    let upload = client.create_upload(&lake(), &main_branch(), target("dir/a.txt")).await.unwrap();
    assert_eq!(upload.headers["content-type"], "text/plain");
    assert_eq!(upload.headers["if-none-match"], "*", "linked data is not written over");
    assert_eq!(upload.expires_at.since(START).as_secs(), 15 * 60);
    let checksum = node.put(&upload, "hello").await;
    let address = upload.physical_address.clone();
    let linked = client.link_upload(&lake(), &main_branch(), link(upload, &checksum, "hello")).await.unwrap();
    let seen = client.stat_object(&lake(), &reference("main"), &path("dir/a.txt")).await.unwrap();
    assert_eq!(linked, seen);
    assert_eq!((&seen.entry.address, seen.entry.size, seen.entry.mtime), (&address, 5, START));
    assert_eq!(seen.entry.metadata["color"], "red");
    let download = client.get_download_url(&lake(), &reference("main"), &path("dir/a.txt")).await.unwrap();
    assert_eq!((download.object, download.expires_at.since(START).as_secs()), (seen, 15 * 60));
    assert!(download.url.contains(&hex::encode(address.strip_prefix("s3://").unwrap())), "{}", download.url);
}

#[tokio::test]
async fn staged_changes_are_listed_compared_and_committed() {
    let (node, client) = Node::with_lake().await;
    for (at, body) in [("a/1", "x"), ("a/2", "y"), ("b", "z")] {
        node.write(&client, &main_branch(), at, body).await;
    }
    let uncommitted = DiffBranch {
        repository: lake(),
        branch: main_branch(),
        prefix: prefix("a/"),
        delimiter: None,
        after: None,
    };
    let diff: Vec<_> =
        client.diff_branch(uncommitted.clone()).map_ok(changed_path).try_collect().await.unwrap();
    assert_eq!(diff.len(), 2);
    assert_eq!((diff[0].path.as_str(), diff[0].kind), ("a/1", DiffKind::Added));
    let address = &diff[0].right.as_ref().unwrap().entry.address;
    assert!(address.starts_with("s3://braid.local/lake-"), "{address}");
    let made = commit(&client, &main_branch(), "three").await.unwrap();
    assert_eq!((&made.commit.message[..], &made.commit.committer[..]), ("three", "ada"));
    assert_eq!(client.get_branch(&lake(), &main_branch()).await.unwrap().commit_id, made.id);
    assert_eq!(client.diff_branch(uncommitted).try_collect::<Vec<_>>().await.unwrap(), []);
    assert_eq!(paths(&client, "main@").await, ["a/1", "a/2", "b"]);
    assert_eq!(entry(&client, "main", "a/1").await, entry(&client, &made.id.to_hex(), "a/1").await);
}

fn first_page() -> ListObjects {
    ListObjects {
        repository: lake(),
        reference: reference("main"),
        prefix: prefix(""),
        delimiter: Some("/".to_owned()),
        after: None,
        page_size: Some(2),
        page_token: None,
    }
}

#[tokio::test]
async fn pages_roll_up_directories_and_show_one_state() {
    let (node, client) = Node::with_lake().await;
    for at in ["a/1", "a/2", "b", "c/1", "d"] {
        node.write(&client, &main_branch(), at, "x").await;
    }
    let first = client.list_objects(first_page()).await.unwrap();
    assert_eq!(first.items[0], ListItem::CommonPrefix(prefix("a/")));
    assert_eq!(first.items.len(), 2);
    client.delete_object(&lake(), &main_branch(), &path("d")).await.unwrap();
    let token = first.next_page_token.clone();
    let second = client.list_objects(ListObjects { page_token: token, ..first_page() }).await.unwrap();
    assert_eq!(second.items[0], ListItem::CommonPrefix(prefix("c/")));
    assert!(matches!(&second.items[1], ListItem::Object(object) if object.path.as_str() == "d"));
    assert_eq!(second.next_page_token, None);
    let foreign = ListObjects { prefix: prefix("a"), page_token: first.next_page_token, ..first_page() };
    assert_eq!(code(client.list_objects(foreign).await), Code::InvalidPageToken);
}

#[tokio::test]
async fn a_stale_page_token_is_named() {
    let store = MemorySettings { pins: 1, ..MemorySettings::default() };
    let node = Installation::with_store(store).start(Settings::default()).await;
    let client = node.client();
    create_lake(&client).await;
    for at in ["a", "b", "c"] {
        node.write(&client, &main_branch(), at, "x").await;
    }
    let token = client.list_objects(first_page()).await.unwrap().next_page_token;
    node.write(&client, &main_branch(), "d", "x").await;
    let newer = client.list_objects(first_page()).await.unwrap().next_page_token;
    let with = |page_token| client.list_objects(ListObjects { page_token, ..first_page() });
    assert_eq!(code(with(token).await), Code::SnapshotExpired);
    assert_eq!(with(newer).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn a_page_that_would_be_too_large_for_a_message_is_cut() {
    let (node, client) = Node::with_lake().await;
    let mut links = Vec::new();
    for index in 0..600 {
        let mut link = node.uploaded(&client, &main_branch(), &format!("{index:03}"), "x").await;
        link.metadata = [("k".to_owned(), "v".repeat(65_000))].into();
        links.push(link);
    }
    client.link_uploads(&lake(), &main_branch(), links).await.unwrap();
    let mut request = ListObjects { page_size: None, delimiter: None, ..first_page() };
    let mut seen = Vec::new();
    loop {
        let page = client.list_objects(request.clone()).await.unwrap();
        assert!((1..600).contains(&page.items.len()));
        seen.extend(page.items);
        request.page_token = page.next_page_token;
        if request.page_token.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 600);
    assert_eq!(paths(&client, "main").await.len(), 600, "a stream takes as many messages as it needs");
}

#[tokio::test]
async fn downloads_come_in_order_from_one_snapshot_and_resume() {
    let (node, client) = Node::with_lake().await;
    let targets = (0..700).map(|index| target(&format!("p/{index:03}"))).collect();
    let uploads = client.create_uploads(&lake(), &main_branch(), targets).await.unwrap();
    let mut links = Vec::new();
    for upload in uploads {
        let checksum = node.put(&upload, "x").await;
        links.push(link(upload, &checksum, "x"));
    }
    client.link_uploads(&lake(), &main_branch(), links).await.unwrap();
    node.write(&client, &main_branch(), "q", "x").await;
    let all = StreamDownloads {
        repository: lake(),
        reference: reference("main"),
        prefix: prefix("p/"),
        after: None,
    };
    let downloads: Vec<_> = client.stream_downloads(all.clone()).try_collect().await.unwrap();
    assert_eq!(downloads.len(), 700);
    assert!(downloads.iter().is_sorted_by_key(|download| download.object.path.clone()));
    let rest = StreamDownloads { after: Some(prefix("p/697")), ..all };
    let rest: Vec<_> = client.stream_downloads(rest).try_collect().await.unwrap();
    assert_eq!(rest, downloads[698..]);
}

#[tokio::test]
async fn deletes_say_what_was_there() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    node.write(&client, &main_branch(), "b", "x").await;
    let (repository, branch) = ("lake".to_owned(), "main".to_owned());
    let request_id = String::new();
    let one = braid_wire::proto::DeleteObjectRequest {
        repository: repository.clone(),
        branch: branch.clone(),
        path: "a".to_owned(),
        request_id: request_id.clone(),
        if_etag: String::new(),
        if_generation: None,
    };
    let mut service = node.object_service();
    assert!(service.delete_object(node.request(one.clone())).await.unwrap().into_inner().existed);
    assert!(!service.delete_object(node.request(one)).await.unwrap().into_inner().existed);
    let paths = ["a", "b", "c"].map(str::to_owned).to_vec();
    let many = braid_wire::proto::DeleteObjectsRequest { repository, branch, paths, request_id };
    let existed = service.delete_objects(node.request(many)).await.unwrap().into_inner().existed;
    assert_eq!(existed, [false, true, false]);
}

#[tokio::test]
async fn a_reset_drops_what_is_uncommitted() {
    let (node, client) = Node::with_lake().await;
    for at in ["a/1", "b", "c"] {
        node.write(&client, &main_branch(), at, "x").await;
    }
    client.reset_branch(&lake(), &main_branch(), ResetScope::Path(path("b"))).await.unwrap();
    assert_eq!(paths(&client, "main").await, ["a/1", "c"]);
    client.reset_branch(&lake(), &main_branch(), ResetScope::Prefix(prefix("a/"))).await.unwrap();
    assert_eq!(paths(&client, "main").await, ["c"]);
    let head = client.get_branch(&lake(), &main_branch()).await.unwrap();
    let reset = client.reset_branch(&lake(), &main_branch(), ResetScope::All).await.unwrap();
    assert_eq!((paths(&client, "main").await.len(), reset), (0, head));
}

#[tokio::test]
async fn branches_and_tags_name_commits() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    let made = commit(&client, &main_branch(), "one").await.unwrap();
    branch_from(&client, "dev", "main~0").await;
    let tag = TagName::new("v1").unwrap();
    let create = CreateTag { repository: lake(), name: tag.clone(), reference: reference("dev") };
    assert_eq!(client.create_tag(create).await.unwrap().commit_id, made.id);
    assert_eq!(client.get_tag(&lake(), &tag).await.unwrap().commit_id, made.id);
    let branches: Vec<_> = client.branches(&lake(), "").try_collect().await.unwrap();
    assert_eq!(branches.iter().map(|branch| branch.name.as_str()).collect::<Vec<_>>(), ["dev", "main"]);
    let page = ListBranches {
        repository: lake(),
        prefix: "m".to_owned(),
        page_size: Some(1),
        page_token: None,
        after: None,
        include_hidden: false,
    };
    assert_eq!(client.list_branches(page).await.unwrap().items.len(), 1);
    for (text, kind) in [
        ("v1", braid_client::RefKind::Tag),
        ("dev", braid_client::RefKind::Branch),
        (&made.id.to_hex()[..12], braid_client::RefKind::Commit),
    ] {
        let found = client.resolve_ref(&lake(), &reference(text)).await.unwrap();
        assert_eq!((found.commit_id, found.kind), (made.id, kind));
    }
    client.delete_tag(&lake(), &tag).await.unwrap();
    client.delete_branch(&lake(), &branch("dev")).await.unwrap();
    assert_eq!(code(client.resolve_ref(&lake(), &reference("dev")).await), Code::RefNotFound);
    assert_eq!(code(client.get_tag(&lake(), &tag).await), Code::TagNotFound);
}

#[tokio::test]
async fn pages_show_one_state_also_of_where_data_is() {
    let (node, client) = Node::with_lake().await;
    for at in ["a", "b"] {
        node.write(&client, &main_branch(), at, "x").await;
    }
    let whole = entry(&client, "main", "b").await.address;
    let list = ListObjects {
        repository: lake(),
        reference: reference("main"),
        prefix: prefix(""),
        delimiter: None,
        after: None,
        page_size: Some(1),
        page_token: None,
    };
    let first = client.list_objects(list.clone()).await.unwrap();
    client.delete_repository(&lake()).await.unwrap();
    create_lake(&client).await;
    let second =
        client.list_objects(ListObjects { page_token: first.next_page_token, ..list }).await.unwrap();
    let [ListItem::Object(object)] = &second.items[..] else { panic!("{second:?}") };
    assert_eq!((object.path.as_str(), &object.entry.address), ("b", &whole));
}
