//! The measured samples of a comparison, in the stored format. Nothing is stored that can
//! be computed from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::design::{Contender, Design};

/// The version of the stored format.
pub(crate) const VERSION: u32 = 1;

/// All samples, with what is needed to repeat the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    /// [`VERSION`].
    pub v: u32,
    /// The version of the program.
    pub version: String,
    /// The time of its start, RFC 3339.
    pub started: String,
    /// The machine that it ran on.
    pub machine: Machine,
    /// The task of each run.
    #[serde(rename = "job")]
    pub task: RunTask,
    /// The contenders, the rounds and the order.
    pub design: Design,
    /// How it ended.
    pub end: End,
    /// One for each run, in the order in which they ran; warm-up runs are left out.
    pub samples: Vec<Sample>,
    /// One run of each mode page by page, at most.
    pub timelines: Vec<Timeline>,
}

impl Results {
    /// The runs of `contender`, in the order in which they ran.
    pub(crate) fn samples_of(&self, contender: &Contender) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.contender == *contender)
    }

    /// One quantity of each run of `contender`, in the order in which they ran.
    pub(super) fn values(
        &self,
        contender: &Contender,
        quantity: impl Fn(&Sample) -> f64,
    ) -> Vec<f64> {
        self.samples_of(contender).map(quantity).collect()
    }
}

/// The machine that a comparison ran on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The CPU's name; empty if the system does not report it.
    pub cpu: String,
    /// The number of CPUs that this process may use.
    pub cpus: u32,
    /// Main memory; 0 if the system does not report it.
    pub memory_bytes: u64,
    /// The operating system, its version, and the kind of CPU.
    pub system: String,
    /// Runnable tasks on average over the minute before the first run (load
    /// average); `None` if the system does not report it.
    pub load_before: Option<f64>,
}

/// What each run has to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunTask {
    /// Where the pages come from, for people: `embedded site`, or the typed source.
    pub source: String,
    /// The number of pages of each run.
    pub pages: u64,
    /// The SHA-256 of their addresses in order, one per line, in hexadecimal; `None` for
    /// the embedded site, whose port may be another each time.
    #[serde(default)]
    pub pages_sha256: Option<String>,
    /// The embedded site's settings; `None` for other sites.
    pub site: Option<Site>,
    /// Whether pages are saved.
    pub saves: bool,
    /// Options that were typed and passed on to each run, without secrets.
    pub options: Vec<String>,
}

/// The settings of the embedded site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Site {
    /// Its latency: once for each connection, once for each request.
    pub latency_ms: f64,
    /// The CPU time of a page, about.
    pub cpu_per_page_ms: f64,
    /// Bytes per second for each connection's bodies; `None` for no limit.
    pub bandwidth: Option<u64>,
}

/// How a comparison ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum End {
    /// All rounds ran, and all runs did the same work.
    Complete,
    /// It is still running, or was killed.
    Running,
    /// It was stopped.
    Interrupted,
    /// A run failed.
    Broken {
        /// The run and its error.
        why: String,
    },
    /// Runs did different work, so their times cannot be compared.
    Different {
        /// The runs and their differences.
        differences: Vec<String>,
    },
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The round, from 1.
    pub round: u32,
    /// The contender.
    #[serde(flatten)]
    pub contender: Contender,
    /// First request to last page saved, in seconds.
    pub seconds: f64,
    /// The process from its start to its end, in seconds.
    pub process_seconds: f64,
    /// CPU time in all, in seconds.
    pub cpu_seconds: f64,
    /// The part of it in the program's own code.
    pub cpu_user_seconds: f64,
    /// The part of it in the system's code.
    pub cpu_system_seconds: f64,
    /// The part of it in worker processes, of both kinds.
    pub cpu_children_seconds: f64,
    /// CPU time of the fetch phase, which lasted `seconds`; `None` in results of versions
    /// that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch_cpu_seconds: Option<f64>,
    /// Peak memory of the largest process.
    pub peak_rss_bytes: u64,
    /// The number of times that a thread gave up its CPU to wait.
    pub context_switches_voluntary: u64,
    /// The number of times that a thread lost its CPU to another.
    pub context_switches_involuntary: u64,
    /// Connections opened.
    pub connections: u64,
    /// Pages saved, or fetched with `--no-save`.
    pub saved: u64,
    /// Pages that failed.
    pub failed: u64,
    /// Their number for each failure code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// Decoded bytes.
    pub bytes: u64,
    /// Bytes of bodies on the wire.
    pub wire_bytes: u64,
    /// The median time from a page's request to the headers of its answer, in
    /// milliseconds.
    pub median_wait_ms: f64,
}

impl Sample {
    /// CPU time that belongs to `seconds`: that of the fetch phase, or of the whole
    /// process if only that was measured.
    pub(crate) fn phase_cpu_seconds(&self) -> f64 {
        self.fetch_cpu_seconds.unwrap_or(self.cpu_seconds)
    }
}

/// One run, page by page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    /// The contender.
    #[serde(flatten)]
    pub contender: Contender,
    /// The round.
    pub round: u32,
    /// First request to last page saved, in seconds.
    pub seconds: f64,
    /// The pages, in the order of their starts.
    pub spans: Vec<Span>,
    /// The number of pages that are left out, because there were too many.
    pub left_out: u64,
}

/// One page of a timeline. Times in milliseconds from the run's first request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// The worker, from 0.
    pub worker: u32,
    /// The start of its last request.
    pub start_ms: f64,
    /// From the start to the headers of the answer.
    pub wait_ms: f64,
    /// From the start to the page's end.
    pub total_ms: f64,
    /// The part of it that was decoding, hashing and saving, at its end.
    pub cpu_ms: f64,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A contender from `mode@workers`.
    pub(in crate::compare) fn contender(text: &str) -> Contender {
        let (mode, workers) = text.split_once('@').unwrap();
        Contender { mode: mode.into(), workers: workers.parse().unwrap() }
    }

    /// Contenders with the durations of their runs in seconds, one a round.
    pub(in crate::compare) type Runs<'a> = [(&'a str, &'a [f64])];

    /// Results of runs with these durations in seconds, one a round, on two CPUs,
    /// of 233 pages of the embedded site at 10 ms. Each run takes 0.1 s of CPU.
    pub(in crate::compare) fn results(runs: &Runs) -> Results {
        let contenders: Vec<_> = runs.iter().map(|(name, _)| contender(name)).collect();
        let rounds = u32::try_from(runs.iter().map(|(_, times)| times.len()).max().unwrap_or(0));
        let mut samples = Vec::new();
        for round in 1..=rounds.unwrap() {
            for (contender, (_, times)) in contenders.iter().zip(runs) {
                if let Some(seconds) = times.get(round as usize - 1) {
                    samples.push(sample(contender.clone(), round, *seconds));
                }
            }
        }
        Results {
            v: VERSION,
            version: "0.1.0".into(),
            started: "2026-11-22T08:00:00Z".into(),
            machine: Machine {
                cpu: "Example CPU".into(),
                cpus: 2,
                memory_bytes: 16 << 30,
                system: "Linux 6.1 x86_64".into(),
                load_before: Some(0.25),
            },
            task: RunTask {
                source: "embedded site".into(),
                pages: 233,
                pages_sha256: None,
                site: Some(Site { latency_ms: 10.0, cpu_per_page_ms: 0.0, bandwidth: None }),
                saves: true,
                options: Vec::new(),
            },
            design: Design { contenders, rounds: rounds.unwrap(), seed: 1 },
            end: End::Complete,
            samples,
            timelines: Vec::new(),
        }
    }

    /// Three modes with several numbers of workers. The sweet spots are 16 threads, 64 tasks
    /// of the event loop, and 2 of rayon.
    pub(in crate::compare) fn sweeps() -> Results {
        let scaled = |factor: f64| [0.25, 0.252, 0.248, 0.25, 0.251].map(|time| time * factor);
        results(&[
            ("threads@8", &scaled(2.0)),
            ("threads@16", &scaled(1.02)),
            ("threads@32", &scaled(1.0)),
            ("async@16", &scaled(1.8)),
            ("async@64", &scaled(1.6)),
            ("rayon@2", &scaled(3.0)),
            ("rayon@4", &scaled(4.0)),
        ])
    }

    pub(in crate::compare) fn sample(contender: Contender, round: u32, seconds: f64) -> Sample {
        Sample {
            round,
            contender,
            seconds,
            process_seconds: seconds + 0.05,
            cpu_seconds: 0.1,
            cpu_user_seconds: 0.06,
            cpu_system_seconds: 0.04,
            cpu_children_seconds: 0.0,
            fetch_cpu_seconds: None,
            peak_rss_bytes: 20_000_000,
            context_switches_voluntary: 500,
            context_switches_involuntary: 20,
            connections: 17,
            saved: 233,
            failed: 0,
            failures: BTreeMap::new(),
            bytes: 84_800_000,
            wire_bytes: 11_400_000,
            median_wait_ms: 10.5,
        }
    }

    #[test]
    fn the_stored_format_reads_back_as_it_was_written() {
        let mut results = results(&[("sequential@1", &[2.5, 2.6]), ("threads@16", &[0.25, 0.26])]);
        results.end = End::Broken { why: "threads@16 in round 3: exit code 1".into() };
        results.timelines.push(Timeline {
            contender: contender("threads@16"),
            round: 1,
            seconds: 0.25,
            spans: vec![Span {
                worker: 3,
                start_ms: 0.5,
                wait_ms: 10.0,
                total_ms: 11.5,
                cpu_ms: 1.0,
            }],
            left_out: 232,
        });
        let text = serde_json::to_string(&results).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
        results.samples[0].fetch_cpu_seconds = Some(0.08);
        let text = serde_json::to_string(&results).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
        let of_phase = |sample: &Sample| sample.phase_cpu_seconds();
        let older = of_phase(&results.samples[1]);
        assert_eq!((of_phase(&results.samples[0]), older), (0.08, 0.1));
        assert!(text.starts_with(r#"{"v":1,"version":"#), "{text}");
        assert!(text.contains(r#""round":1,"mode":"sequential","workers":1,"seconds":2.5"#));
        assert!(text.contains(r#""end":{"state":"broken","why":"#), "{text}");
    }
}
