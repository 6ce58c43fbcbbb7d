//! Finds how much memory is free: on the machine, and in the control groups of this process.

use std::path::{Path, PathBuf};

/// The free memory that is assumed when the system reports no number.
const UNKNOWN: u64 = 2 * 1024 * 1024 * 1024;
/// By default, bodies in flight may take the free memory divided by this number. The rest is for
/// the system's cache, into which pages are saved, and for other programs.
const PARTS: u64 = 2;

/// The default of `--max-memory`, in bytes.
pub(super) fn default_limit() -> u64 {
    free().unwrap_or(UNKNOWN) / PARTS
}

/// Free memory in bytes; `None` when the system reports none.
fn free() -> Option<u64> {
    // A file that cannot be read sets no limit.
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let machine = read(Path::new("/proc/meminfo")).as_deref().and_then(available);
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    machine.into_iter().chain(left_in_groups(&groups, &read)).min()
}

/// `MemAvailable` of /proc/meminfo (proc(5)), in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The files of a version of control groups.
struct Version {
    mount: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// The line of `memory.stat` with the cache that the system frees first.
    cache: &'static str,
}

/// Version 1 (cgroup-v1/memory.rst of the kernel's documentation).
const V1: Version = Version {
    mount: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    cache: "total_inactive_file",
};
/// Version 2 (cgroup-v2.rst), by itself and beside version 1.
const V2: [Version; 2] = [v2_mounted_at("/sys/fs/cgroup"), v2_mounted_at("/sys/fs/cgroup/unified")];

const fn v2_mounted_at(mount: &'static str) -> Version {
    Version { mount, limit: "memory.max", usage: "memory.current", cache: "inactive_file" }
}

/// Returns the memory that is left in each control group of `groups` (/proc/self/cgroup) that has
/// a limit, and in the groups around it.
fn left_in_groups(groups: &str, read: &dyn Fn(&Path) -> Option<String>) -> Vec<u64> {
    let mut left = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let versions: &[Version] = match controllers {
            "" => &V2,
            _ if controllers.split(',').any(|name| name == "memory") => &[V1],
            _ => &[],
        };
        for version in versions {
            // A container may see its own group as the root, although the path is longer.
            let around = Path::new(path).ancestors().filter_map(|it| it.strip_prefix("/").ok());
            let folders = around.map(|group| Path::new(version.mount).join(group));
            left.extend(folders.filter_map(|folder| left_in(&folder, version, read)));
        }
    }
    left
}

/// Returns the memory that is left in the group at `folder`; `None` when it has no limit.
fn left_in(
    folder: &Path,
    version: &Version,
    read: &dyn Fn(&Path) -> Option<String>,
) -> Option<u64> {
    let number = |name: &str| {
        let path: PathBuf = folder.join(name);
        read(&path)?.trim().parse::<u64>().ok()
    };
    // The text "max" means no limit, and does not parse as a number.
    let limit = number(version.limit)?;
    let usage = number(version.usage)?;
    let stat = read(&folder.join("memory.stat")).unwrap_or_default();
    let cache = stat.lines().find_map(|line| {
        line.strip_prefix(version.cache)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
    });
    Some(limit.saturating_sub(usage.saturating_sub(cache.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn what_the_machine_has_free_is_read() {
        let text = "MemTotal:       24617572 kB\nMemFree: 1 kB\nMemAvailable:   23068672 kB\n";
        assert_eq!(available(text), Some(22528 * MIB));
        for text in ["", "MemAvailable: x kB", "MemAvailable: 18446744073709551615 kB"] {
            assert_eq!(available(text), None, "{text}");
        }
    }

    #[test]
    fn the_tightest_group_counts_and_cache_is_free() {
        let files = |path: &Path| {
            let text = match path.to_str().unwrap() {
                "/sys/fs/cgroup/a/b/memory.max" => "max\n",
                "/sys/fs/cgroup/a/memory.max" => "536870912\n",
                "/sys/fs/cgroup/a/memory.current" => "209715200\n",
                "/sys/fs/cgroup/a/memory.stat" => "anon 1\ninactive_file 104857600\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes" => "1073741824",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes" => "2147483648",
                "/sys/fs/cgroup/memory/memory.stat" => "inactive_file 9\ntotal_inactive_file 8",
                _ => return None,
            };
            Some(text.to_owned())
        };
        assert_eq!(left_in_groups("0::/a/b\n", &files), [412 * MIB]);
        assert_eq!(left_in_groups("4:cpu,memory:/x/y\n3:cpu:/z\n0::/\n", &files), [0]);
        for without in ["1:name=systemd:/\n", "0::/elsewhere\n", ""] {
            assert!(left_in_groups(without, &files).is_empty(), "{without}");
        }
    }

    #[test]
    fn the_default_is_something() {
        assert!(default_limit() > 0);
    }
}
