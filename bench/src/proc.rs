//! What the kernel knows about a process: its processor time and its memory.

use std::{fs, io, time::Duration};

/// `/proc` counts processor time in hundredths of a second, whatever the kernel's own tick is.
const TICK: Duration = Duration::from_millis(10);
/// Fields of `/proc/PID/stat` after the name: `utime` and `stime`.
const USER_FIELD: usize = 11;
const SYSTEM_FIELD: usize = 12;

/// User and system time of all threads so far.
pub(crate) fn cpu_time(pid: u32) -> io::Result<Duration> {
    parse_cpu_time(&fs::read_to_string(format!("/proc/{pid}/stat"))?)
        .ok_or_else(|| io::Error::other("/proc/PID/stat has another form than expected"))
}

/// Resident memory in bytes.
pub(crate) fn resident_bytes(pid: u32) -> io::Result<u64> {
    parse_resident(&fs::read_to_string(format!("/proc/{pid}/status"))?)
        .ok_or_else(|| io::Error::other("/proc/PID/status has another form than expected"))
}

fn parse_cpu_time(stat: &str) -> Option<Duration> {
    // The name may hold spaces and parentheses; the last one closes it.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
    Some(TICK * (ticks(USER_FIELD)? + ticks(SYSTEM_FIELD)?))
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
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 900 0 1 0 150 50 0 0 20 0 1 0 9 1 2";
        assert_eq!(parse_cpu_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse_cpu_time("42 (cut"), None);
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
        assert!(cpu_time(pid).is_ok());
    }
}
