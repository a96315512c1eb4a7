use braid::ServerConfig;

use super::Lake;
use super::signed::{Signed, http};

async fn with_domain() -> Lake {
    let folder = tempfile::tempdir().unwrap();
    let s3_domain = Some("s3.lake.example".to_owned());
    Lake::start_as(ServerConfig { s3_domain, ..ServerConfig::in_folder(folder.path()) }, folder).await
}

async fn text(request: Signed) -> (u16, String) {
    let answer = request.request().send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_host_below_the_domain_names_the_bucket() {
    let lake = with_domain().await;
    lake.put("main/a b", "body").await;
    let by = |host: &str, path: &str| {
        let host = host.to_owned();
        Signed { host, ..Signed::new(&lake.server, "GET", path) }
    };
    for (host, path) in [
        ("lake.s3.lake.example", "/main/a%20b"),
        ("lake.s3.lake.example:8000", "/main/a%20b"),
        ("s3.lake.example", "/lake/main/a%20b"),
        ("elsewhere.example", "/lake/main/a%20b"),
    ] {
        assert_eq!(text(by(host, path)).await, (200, "body".to_owned()), "{host}");
    }
    let (status, listing) = text(by("lake.s3.lake.example", "/?list-type=2&prefix=main%2F")).await;
    assert!(status == 200 && listing.contains("<Key>main/a b</Key>"), "{listing}");
    let refused = Signed {
        host: "lake.s3.lake.example".to_owned(),
        ..Signed::new(&lake.server, "PUT", "/main/a%20b?tagging")
    };
    assert_eq!(text(refused).await.0, 501);
    let unsigned =
        http().get(format!("http://{}/", lake.server.http_address())).header("host", "s3.lake.example");
    let unsigned = unsigned.send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
    assert!(unsigned.text().await.unwrap().contains("<Code>AccessDenied</Code>"));
    lake.server.stop().await.unwrap();
}
