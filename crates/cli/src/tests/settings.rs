//! `repo protect`, `repo protection`, `repo read-only`.

use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::ran;

#[tokio::test]
async fn branches_are_protected_by_patterns_and_freed_without_any() {
    let lake = Lake::start().await;
    let rules = |patterns: &[&str]| {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        Reply::ok(&proto::BranchProtection { patterns, revision: "r".to_owned() })
    };
    lake.on("SettingsService/SetBranchProtection", rules(&["main", "v*"]));
    let set = ran(&lake, &["repo", "protect", "lake", "main", "v*"]).await;
    assert_eq!(set.stdout, "protected: main v*\n");
    lake.on("SettingsService/SetBranchProtection", rules(&[]));
    let freed = ran(&lake, &["repo", "protect", "lake"]).await;
    assert_eq!(freed.stdout, "no branch is protected\n");
    let asked: Vec<proto::SetBranchProtectionRequest> = lake.asked("SettingsService/SetBranchProtection");
    assert_eq!(asked.iter().map(|asked| asked.patterns.len()).collect::<Vec<_>>(), [2, 0]);
    lake.on("SettingsService/GetBranchProtection", rules(&["main"]));
    let shown = ran(&lake, &["repo", "protection", "lake", "-o", "json"]).await.json();
    assert_eq!(shown[0]["patterns"], serde_json::json!(["main"]));
}
