//! What every backend must do, as tests over the port.
//!
//! A backend joins with a function that makes an empty store, and one line:
//!
//! ```ignore
//! async fn subject() -> Subject {
//!     Subject::new(Arc::new(MyStore::open()))
//! }
//! braid_kv::conformance_tests!(subject);
//! ```
//!
//! Each test then stands in the crate's test binary under its own name, and takes a fresh store. [`run_all`] does them
//! one after another, where tests cannot be generated.

#![expect(missing_docs, reason = "the name of a test says what it holds a store to")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod concurrent;
pub mod conflicts;
pub mod fences;
pub mod held;
pub mod model;
pub mod reads;
pub mod snapshots;
pub mod store;
mod subject;
mod support;

pub use subject::Subject;

use std::future::Future;

/// Calls the macro in brackets with the arguments in parentheses, then every conformance test as `room::test`.
#[doc(hidden)]
#[macro_export]
macro_rules! with_conformance_tests {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            ($($argument)*)
            reads::what_was_written_is_read
            reads::many_keys_are_read_in_their_order
            reads::scans_keep_range_limit_and_order
            reads::scans_of_nothing_are_empty
            reads::a_transaction_sees_its_own_writes
            reads::a_transaction_reads_one_state
            reads::a_lock_changes_nothing_that_is_read
            conflicts::of_two_writers_of_a_key_one_conflicts
            conflicts::a_deletion_is_a_write
            conflicts::writers_of_different_keys_do_not_meet
            conflicts::write_skew_is_possible
            conflicts::a_lock_prevents_write_skew
            conflicts::a_lock_meets_an_earlier_write
            conflicts::a_write_meets_an_earlier_lock
            conflicts::locks_meet_each_other
            conflicts::an_insert_needs_an_absent_key
            conflicts::of_two_inserts_one_conflicts
            conflicts::an_inserted_key_stays_demanded_absent
            conflicts::reading_alone_never_conflicts
            conflicts::a_dropped_transaction_leaves_nothing
            conflicts::a_conflict_leaves_nothing
            conflicts::timestamps_grow
            conflicts::a_commit_runs_on_when_dropped
            held::holding_gives_the_newest_value_and_time
            held::holding_again_is_no_wait
            held::an_absent_key_can_be_held
            held::a_held_key_refuses_writes_and_locks_of_others
            held::a_dropped_holder_lets_go
            held::the_next_holder_waits_and_sees_what_the_first_wrote
            held::a_wait_for_a_holder_ends
            held::two_that_wait_for_each_other_do_not_wait_for_ever
            held::a_key_not_held_is_checked_at_commit
            held::what_was_written_before_holding_is_checked_as_of_then
            fences::lanes_do_not_meet
            fences::one_lane_is_one_at_a_time
            fences::numbers_have_no_gaps
            fences::numbers_taken_under_the_fence_go_on_from_those_before
            fences::nobody_passes_a_sealed_fence
            fences::a_write_after_the_seal_is_impossible
            fences::without_the_pass_a_write_after_the_seal_is_possible
            fences::without_the_seal_a_write_after_it_is_possible
            fences::a_fence_kept_open_stops_paused_writers_only
            fences::an_exclusive_fence_keeps_writers_out
            fences::a_seal_is_found_by_the_next
            fences::a_sealer_sees_every_write_there_will_ever_be
            snapshots::a_pinned_state_is_found_again
            snapshots::the_newest_state_is_found_without_a_pin
            snapshots::a_state_never_held_has_expired
            snapshots::an_old_snapshot_expires
            store::a_range_is_destroyed_and_nothing_else
            store::a_large_range_is_destroyed
            store::what_is_too_large_is_refused
            store::too_many_transactions_are_refused
            store::a_closed_store_says_so
            concurrent::counters_lose_nothing
            concurrent::held_counters_lose_nothing
            concurrent::money_is_neither_made_nor_lost
            model::any_interleaving_is_snapshot_isolated
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_functions {
    (($make:ident) $($room:ident::$test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                $crate::conformance::$room::$test($make().await).await;
            }
        )*
    };
}

/// Makes a test of each conformance test. The argument names an async function that gives a
/// [`Subject`](crate::conformance::Subject) with an empty store.
#[macro_export]
macro_rules! conformance_tests {
    ($make:ident) => {
        $crate::with_conformance_tests!([$crate::conformance_test_functions] $make);
    };
}

macro_rules! run_each {
    (($make:ident) $($room:ident::$test:ident)*) => {
        $($room::$test($make().await).await;)*
    };
}

/// Does every conformance test, each on a fresh store, on a multi-threaded runtime.
///
/// # Panics
/// Where the store breaks a rule.
pub async fn run_all<F, S>(make: F)
where
    F: Fn() -> S,
    S: Future<Output = Subject>,
{
    with_conformance_tests!([run_each] make);
}
