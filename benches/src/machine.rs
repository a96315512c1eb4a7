//! What the measurements ask of the machine: one core to run on, time by thread, memory by process.

use std::time::Duration;

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Keeps this thread, and every thread that it starts from now on, on one core: the last one that it may use.
pub(crate) fn stay_on_one_core() -> anyhow::Result<()> {
    let allowed = sched_getaffinity(None).context("the cores of this process")?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&core| allowed.is_set(core));
    let mut one = CpuSet::new();
    one.set(last.context("a process has a core")?);
    sched_setaffinity(None, &one).context("to stay on one core")
}

/// How long all threads of this process have computed so far.
pub(crate) fn process_time() -> Duration {
    computed(ClockId::ProcessCPUTime)
}

/// How long this thread has computed so far.
pub(crate) fn thread_time() -> Duration {
    computed(ClockId::ThreadCPUTime)
}

fn computed(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(
        seconds.expect("nobody computes for less than no time"),
        nanos.expect("nanoseconds are below a second"),
    )
}

/// Bytes of memory that this process has now.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    status("VmRSS:")
}

/// The most bytes of memory that this process had at a time since [`forget_peak`], or its start.
pub(crate) fn peak_bytes() -> anyhow::Result<u64> {
    status("VmHWM:")
}

/// Lets the peak be what is resident now.
pub(crate) fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("to forget the peak of memory")
}

fn status(field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is measured on Linux")?;
    kib_of(&status, field).map(|kib| kib * 1024).with_context(|| format!("the kernel does not say '{field}'"))
}

/// The field's value in a text of lines `FIELD VALUE kB`.
fn kib_of(status: &str, field: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_page_is_read() {
        let status = "Name:\tfigures\nVmHWM:\t    6144 kB\nVmRSS:\t     512 kB\nThreads:\t1\n";
        assert_eq!((kib_of(status, "VmHWM:"), kib_of(status, "VmRSS:")), (Some(6144), Some(512)));
        assert_eq!((kib_of(status, "Threads:"), kib_of(status, "VmSwap:")), (None, None));
    }

    #[test]
    fn a_peak_is_forgotten() {
        let held = vec![1_u8; 64 << 20];
        std::hint::black_box(&held);
        let peak = peak_bytes().unwrap();
        drop(held);
        forget_peak().unwrap();
        assert!(peak_bytes().unwrap() < peak && resident_bytes().unwrap() > 0);
    }
}
