//! The costs of node processes, read from outside: CPU time, peak memory, bytes on disk.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes of a file that are read at once.
const PART_BYTES: usize = 1024 * 1024;

/// CPU time that a process has used, user and system, in seconds; `None` once it has ended.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = cpu_ticks(&stat)?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// User and system ticks of a `/proc/PID/stat` line.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The command name may hold spaces and parentheses; fields are counted after its last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The most memory that a process has had resident, in bytes; `None` once it has ended.
pub fn memory_peak_bytes(pid: u32) -> Option<u64> {
    memory(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
}

/// The memory that a process has resident, in bytes; `None` once it has ended.
pub fn memory_bytes(pid: u32) -> Option<u64> {
    memory(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

fn memory(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Bytes that a process has had written to disk; `None` once it has ended, or of another user's.
pub fn written_bytes(pid: u32) -> Option<u64> {
    written(&std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?)
}

fn written(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

/// Bytes of data that the files below `folder` hold. Zeros at a file's end do not count: that is
/// space laid out ahead. Files that vanish while they are counted are left out.
pub fn data_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => data_bytes(&entry.path()),
        Ok(kind) if kind.is_file() => file_data_bytes(&entry.path()).unwrap_or(0),
        _ => 0,
    });
    sizes.sum()
}

/// Returns the offset after a file's last byte that is not zero. Reads back from the end only.
fn file_data_bytes(path: &Path) -> std::io::Result<u64> {
    let file = File::open(path)?;
    let mut end = file.metadata()?.len();
    let mut part = vec![0; PART_BYTES];
    while end > 0 {
        let length = end.min(PART_BYTES as u64);
        let start = end - length;
        let part = &mut part[..usize::try_from(length).unwrap_or(PART_BYTES)];
        file.read_exact_at(part, start)?;
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The process id that a node wrote into its home, if that process lives.
pub fn node_pid(home: &Path) -> Option<u32> {
    let pid: u32 = std::fs::read_to_string(home.join("sluice.pid")).ok()?.trim().parse().ok()?;
    Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn ticks_are_counted_behind_a_name_with_parentheses() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 9 0 100";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_memory_and_time_counts() {
        let pid = std::process::id();
        assert!(memory_peak_bytes(pid).unwrap() > 1024 * 1024);
        assert!(memory_bytes(pid).unwrap() > 1024 * 1024);
        assert!(cpu_seconds(pid).is_some());
        assert_eq!(memory("Name: x\nVmHWM:\t    2048 kB\n", "VmHWM:"), Some(2_097_152));
        assert_eq!(memory("Name: x\n", "VmHWM:"), None);
        assert!(written_bytes(pid).is_some());
        let io = "rchar: 9\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n";
        assert_eq!(written(io), Some(4_096));
        assert_eq!(written("rchar: 9\n"), None);
    }

    #[test]
    fn data_adds_up_over_folders_and_space_laid_out_ahead_does_not_count() {
        use std::io::Write as _;

        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        let mut file = File::create(folder.path().join("inner/file")).unwrap();
        file.write_all(&vec![1; PART_BYTES + 5]).unwrap();
        file.write_all(&vec![0; 3 * PART_BYTES]).unwrap();
        std::fs::write(folder.path().join("zeros"), [0; 100]).unwrap();
        std::fs::write(folder.path().join("small"), [0, 7, 0]).unwrap();
        assert_eq!(data_bytes(folder.path()), PART_BYTES as u64 + 5 + 2);
        assert_eq!(data_bytes(&folder.path().join("missing")), 0);
    }

    #[test]
    fn a_stale_pid_file_names_no_process() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(node_pid(home.path()), None);
        std::fs::write(home.path().join("sluice.pid"), "4294967295\n").unwrap();
        assert_eq!(node_pid(home.path()), None);
        std::fs::write(home.path().join("sluice.pid"), format!("{}\n", std::process::id()))
            .unwrap();
        assert_eq!(node_pid(home.path()), Some(std::process::id()));
    }
}
