//! What this process counts and measures, as Prometheus reads it: `GET /metrics`.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often measurements are summed up: they take memory until then.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds of what is measured in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// Upper bounds of how many share a request.
const BATCH: [f64; 7] = [1.0, 2.0, 4.0, 16.0, 64.0, 256.0, 1024.0];

/// The process's meters, which count from the first call on. `None`: something else in the process collects them.
pub(crate) fn meters() -> Option<&'static PrometheusHandle> {
    static METERS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    METERS.get_or_init(|| builder().install_recorder().ok()).as_ref()
}

fn builder() -> PrometheusBuilder {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_batch".to_owned()), &BATCH))
        .expect("there are bounds")
}

/// Counts from now on, and sums up measurements now and then, until `stop`.
pub(crate) fn keep_up(stop: CancellationToken) -> impl Future<Output = ()> {
    let meters = meters();
    async move {
        if let Some(meters) = meters {
            sum_up(meters, stop).await;
        }
    }
}

async fn sum_up(meters: &PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        meters.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_fall_into_buckets() {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("calls_total", "call" => "KvGet").increment(2);
            metrics::histogram!("call_seconds").record(0.003);
        });
        let said = handle.render();
        assert!(said.contains("calls_total{call=\"KvGet\"} 2"), "{said}");
        assert!(said.contains("call_seconds_bucket{le=\"0.0025\"} 0"), "{said}");
        assert!(said.contains("call_seconds_bucket{le=\"0.005\"} 1"), "{said}");
    }
}
