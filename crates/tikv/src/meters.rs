//! What is counted and measured, by name. Labels never hold keys or values.

/// Calls to stores and PD, by `call` and `result` (`answered`, `region_error`, `failed`).
pub(crate) const CALLS: &str = "tikv_calls_total";
/// How long calls took, in seconds, by `call`.
pub(crate) const CALL_SECONDS: &str = "tikv_call_seconds";
/// Tries after a failure, by `operation`. Steady growth without failures of stores: regions move or split a lot.
pub(crate) const RETRIES: &str = "tikv_retries_total";
/// Region errors, by `kind`.
pub(crate) const REGION_ERRORS: &str = "tikv_region_errors_total";
/// Pauses for locks of living transactions, by `operation`.
pub(crate) const LOCK_WAITS: &str = "tikv_lock_waits_total";
/// Transactions found at a lock and looked into, by `state` (`committed`, `rolled_back`, `alive`).
pub(crate) const LOCKS_MET: &str = "tikv_locks_met_total";
/// Commits, by `outcome` (`committed`, `conflict`, `refused`, `unknown`). An unknown one wants a look.
pub(crate) const COMMITS: &str = "tikv_commits_total";
/// Keys that commits wrote or locked.
pub(crate) const MUTATIONS: &str = "tikv_mutations_total";
/// How long commits took, in seconds, by `phases` (`one`, `two`).
pub(crate) const COMMIT_SECONDS: &str = "tikv_commit_seconds";
/// How many timestamps one request to PD fetched.
pub(crate) const TIMESTAMP_BATCH: &str = "tikv_timestamp_batch";
/// Look-ups of regions at PD.
pub(crate) const REGION_LOOKUPS: &str = "tikv_region_lookups_total";

/// Counts a call and how it ended.
pub(crate) fn called(call: &'static str, result: &'static str) {
    metrics::counter!(CALLS, "call" => call, "result" => result).increment(1);
}
