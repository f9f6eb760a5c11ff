//! What the kernel knows about a process: its processor time and its memory.

use std::{collections::BTreeMap, fs, io, time::Duration};

/// What each thread of a process has run so far, in nanoseconds, by the thread's id. The sum that
/// `/proc/PID/stat` has comes in hundredths of a second, too coarse for a load of a few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThreadTimes(BTreeMap<String, u64>);

impl ThreadTimes {
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut times = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?;
            // A thread may end while it is looked at.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let ran = parse_ran(&text).ok_or_else(|| {
                io::Error::other("/proc/PID/task/TID/schedstat has another form than expected")
            })?;
            times.insert(task.file_name().to_string_lossy().into_owned(), ran);
        }
        if times.values().all(|ran| *ran == 0) {
            return Err(io::Error::other(
                "this kernel does not say how long threads ran",
            ));
        }
        Ok(Self(times))
    }

    /// What threads ran since `before`. Of one that ended meanwhile nothing is known any more; those
    /// that do had been idle for long.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let ran = self.0.iter().map(|(thread, ran)| {
            let earlier = before.0.get(thread).copied().unwrap_or_default();
            ran.saturating_sub(earlier)
        });
        Duration::from_nanos(ran.sum())
    }
}

/// Resident memory in bytes.
pub(crate) fn resident_bytes(pid: u32) -> io::Result<u64> {
    parse_resident(&fs::read_to_string(format!("/proc/{pid}/status"))?)
        .ok_or_else(|| io::Error::other("/proc/PID/status has another form than expected"))
}

fn parse_ran(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_tables_are_read() {
        assert_eq!(parse_ran("198755238 28468972 981\n"), Some(198_755_238));
        assert_eq!(parse_ran(""), None);
        assert_eq!(
            parse_resident("Name:\tx\nVmRSS:\t    2048 kB\n"),
            Some(2_097_152)
        );
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(resident_bytes(pid).expect("our own status") > 0);
        assert!(ThreadTimes::of(pid).is_ok());
    }

    #[test]
    fn threads_that_come_and_go_are_counted_as_far_as_they_are_seen() {
        let times = |threads: &[(&str, u64)]| {
            let threads = threads.iter();
            ThreadTimes(threads.map(|(id, ran)| ((*id).to_owned(), *ran)).collect())
        };
        let before = times(&[("1", 100), ("2", 50)]);
        let after = times(&[("1", 130), ("3", 7)]);
        assert_eq!(after.since(&before), Duration::from_nanos(37));
    }
}
