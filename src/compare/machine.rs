//! Describes the machine, as far as the system reports it.

use std::num::NonZeroUsize;
use std::path::Path;

use nix::sys::utsname::uname;

use super::results::Machine;

/// This machine. `cpus` is the number of CPUs that this process may use.
pub(crate) fn this(cpus: NonZeroUsize) -> Machine {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let system = uname().map_or_else(
        |_| String::new(),
        |name| {
            let parts = [name.sysname(), name.release(), name.machine()];
            parts.map(|part| part.to_string_lossy().into_owned()).join(" ")
        },
    );
    Machine {
        cpu: cpu_name(&read("/proc/cpuinfo")).unwrap_or_default().to_owned(),
        cpus: u32::try_from(cpus.get()).unwrap_or(u32::MAX),
        memory_bytes: memory(&read("/proc/meminfo")).unwrap_or(0),
        system,
        load_before: load(&read("/proc/loadavg")),
    }
}

/// The first CPU's name in the text of `/proc/cpuinfo` (proc(5)).
fn cpu_name(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

/// Main memory in bytes, from the text of `/proc/meminfo`, whose unit is 1024 bytes.
fn memory(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The load average over a minute, from the text of `/proc/loadavg`.
fn load(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_understood() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nprocessor\t: 1\n";
        assert_eq!(cpu_name(cpuinfo), Some("Some CPU @ 2.00GHz"));
        assert_eq!(memory("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(load("0.52 0.40 0.36 1/123 4567\n"), Some(0.52));
        assert_eq!((cpu_name(""), memory("MemTotal: much"), load("")), (None, None, None));
        assert!(this(NonZeroUsize::MIN).system.contains(' '));
    }
}
