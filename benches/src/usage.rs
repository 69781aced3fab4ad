//! What a process has used, by the kernel's account.

use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// The account of a process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time of all its threads, in user space and in the kernel.
    pub cpu: Duration,
    /// Memory that is its own and resident: heap, stacks and touched data, no code and no files. In bytes.
    pub memory: u64,
}

impl Usage {
    /// Reads the account of `process`.
    ///
    /// It is exact while the process sleeps; of a running thread the time since its last tick or switch is missing.
    ///
    /// # Errors
    /// The process is gone.
    pub fn of(process: u32) -> Result<Self> {
        Ok(Self { cpu: cpu(process)?, memory: memory(process)? })
    }
}

/// The most memory that `process` ever had resident, with code and files, in bytes.
///
/// # Errors
/// The process is gone.
pub(crate) fn peak(process: u32) -> Result<u64> {
    field(&format!("/proc/{process}/status"), "VmHWM:")
}

/// The first number of a thread's `schedstat`: nanoseconds on a core.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{process}/task")).context("the server is gone")? {
        let stat = fs::read_to_string(task?.path().join("schedstat"))?;
        let nanoseconds: u64 = stat.split(' ').next().unwrap_or_default().parse().context("schedstat")?;
        sum += nanoseconds;
    }
    Ok(Duration::from_nanos(sum))
}

/// Do all threads sleep? A thread that would run but has no core does not.
pub(crate) fn is_asleep(process: u32) -> Result<bool> {
    for task in fs::read_dir(format!("/proc/{process}/task")).context("the server is gone")? {
        let stat = fs::read_to_string(task?.path().join("stat"))?;
        // Behind the name, which may hold anything.
        let (_, rest) = stat.rsplit_once(") ").context("stat")?;
        if !rest.starts_with('S') {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `Anonymous` of `smaps_rollup`, which walks the page tables; the counters of `status` may be some pages off for each thread.
fn memory(process: u32) -> Result<u64> {
    field(&format!("/proc/{process}/smaps_rollup"), "Anonymous:")
}

/// A line `name 123 kB` of `file`, in bytes.
fn field(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file).context("the server is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| name.to_owned())?;
    Ok(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_is_not_asleep() {
        assert!(!is_asleep(std::process::id()).unwrap());
    }
}
