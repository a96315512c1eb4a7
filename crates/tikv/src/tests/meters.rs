//! What is counted, by name.

use std::collections::BTreeSet;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;

use super::support::{b, begin, begin_pessimistic, client, conflict, get, put, split_cluster};
use crate::meters;
use crate::testing::{Call, Effect, Filter, RegionFault};

/// Remembers which meters were used, by name and labels.
#[derive(Default)]
struct Names(Mutex<BTreeSet<String>>);

impl Names {
    fn note(&self, key: &Key) {
        self.0.lock().insert(key.name().to_owned());
        for label in key.labels() {
            self.0.lock().insert(format!("{} {}={}", key.name(), label.key(), label.value()));
        }
    }
}

impl Recorder for Names {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn every_meter_is_used_and_named_here() {
    let names = Names::default();
    let _guard = metrics::set_default_local_recorder(&names);
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    put(&client, &[("a", "2"), ("z", "2")]).await;
    cluster.inject(
        Filter::on(Call::KvGet).times(1),
        Effect::Region(RegionFault::ServerIsBusy { backoff_ms: 0 }),
    );
    get(&client, "a").await;
    let mut holder = begin_pessimistic(&client).await;
    holder.lock_for_update(b"a", std::time::Duration::ZERO).await.unwrap();
    let mut writer = begin(&client).await;
    writer.put(b("a"), b("3"));
    conflict(writer).await;
    let seen = names.0.lock().clone();
    let used: BTreeSet<&str> = seen.iter().filter(|name| !name.contains(' ')).map(String::as_str).collect();
    let all = [
        meters::CALLS,
        meters::CALL_SECONDS,
        meters::RETRIES,
        meters::REGION_ERRORS,
        meters::LOCK_WAITS,
        meters::LOCKS_MET,
        meters::COMMITS,
        meters::MUTATIONS,
        meters::COMMIT_SECONDS,
        meters::TIMESTAMP_BATCH,
        meters::REGION_LOOKUPS,
    ];
    assert_eq!(used, BTreeSet::from(all));
    for labelled in [
        "tikv_calls_total call=KvPrewrite",
        "tikv_calls_total result=region_error",
        "tikv_commit_seconds phases=one",
        "tikv_commit_seconds phases=two",
        "tikv_commits_total outcome=committed",
        "tikv_commits_total outcome=conflict",
        "tikv_lock_waits_total operation=commit",
        "tikv_locks_met_total state=alive",
        "tikv_region_errors_total kind=server_is_busy",
        "tikv_retries_total operation=get",
    ] {
        assert!(seen.contains(labelled), "{labelled}: {seen:?}");
    }
}
