//! What callers rely on in every executor. The tests loop over the table, with scripted work.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use url::Url;

use crate::clock::SystemClock;
use crate::event::{Event, Events, Observer, ObserverError};
use crate::exec::{Mode, Run, TABLE};
use crate::model::{FailureCode, Job, Key, Outcome, Settled, State, WorkerKind};
use crate::queue::host::{Choice, HostLimits};
use crate::queue::retry::RetryPolicy;
use crate::queue::{Options, Queue, StopReason};
use crate::random::Rng;
use crate::work::WorkFactory;
use crate::work::tests::scripted::{Behaviour, InProcesses, Script};

const PAGES: u64 = 200;
const WORKERS: NonZeroUsize = NonZeroUsize::new(7).expect("seven is not zero");

/// What an observer saw of a run.
#[derive(Default)]
struct Seen {
    started: usize,
    settled: Vec<Settled>,
    /// The failures after which pages were tried again.
    retried: Vec<FailureCode>,
    /// The addresses of side requests that began, and of those that ended.
    side_requests: (Vec<Url>, Vec<Url>),
}

/// An action, and the condition at which it is taken once.
type Act = (fn(&Seen) -> bool, Box<dyn Fn() + Send>);

/// Collects events, and takes its action when the condition holds.
struct Collector {
    seen: Arc<Mutex<Seen>>,
    act: Option<Act>,
}

impl Observer for Collector {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        let mut seen = self.seen.lock().unwrap();
        match event {
            Event::Started { .. } => seen.started += 1,
            Event::SideRequestStarted { start_url, .. } => {
                seen.side_requests.0.push(start_url.clone());
            }
            Event::SideRequestEnded { start_url } => seen.side_requests.1.push(start_url.clone()),
            Event::Settled(settled) => seen.settled.push((**settled).clone()),
            Event::Retrying { attempt, .. } => match &attempt.outcome {
                Outcome::Failed(failure) => seen.retried.push(failure.code),
                other => panic!("only failures are tried again, not {other:?}"),
            },
            _ => (),
        }
        Ok(())
    }

    fn on_batch_end(&mut self, _now: Instant) -> Result<(), ObserverError> {
        let seen = self.seen.lock().unwrap();
        if let Some((_, act)) = self.act.take_if(|(is_time, _)| is_time(&seen)) {
            act();
        }
        Ok(())
    }
}

/// Retries at once, so that a run takes no time.
fn policy() -> RetryPolicy {
    RetryPolicy { retries: 3, base: Duration::ZERO, cap: Duration::ZERO }
}

fn queue() -> Arc<Queue> {
    queue_with(policy())
}

fn queue_with(retry: RetryPolicy) -> Arc<Queue> {
    let options = Options { retry, ..Options::default() };
    Arc::new(Queue::new(options, Rng::new(1), Arc::new(SystemClock)))
}

fn job(seq: u64) -> Job {
    let url = Url::parse(&format!("http://a.org/{seq}")).unwrap();
    Job::new(seq, url, Key::new(format!("{seq}.html")).unwrap())
}

/// Runs `pages` pages of `script` on the executor of `mode`.
fn run(mode: &Mode, script: &Arc<Script>, queue: &Arc<Queue>, pages: u64) -> Seen {
    run_until(mode, script, queue, (0..pages, true), None)
}

fn run_until(
    mode: &Mode,
    script: &Arc<Script>,
    queue: &Arc<Queue>,
    (pages, has_end): (Range<u64>, bool),
    act: Option<Act>,
) -> Seen {
    let seen = Arc::<Mutex<Seen>>::default();
    let collector = Collector { seen: Arc::clone(&seen), act };
    let (events, observing) = Events::start(collector, Arc::new(SystemClock), || ()).unwrap();
    queue.observe_with(events.clone());
    let feeding = Arc::clone(queue);
    let feeder = std::thread::spawn(move || {
        let mut pages = pages;
        // A closed queue takes no more pages, which ends this loop.
        let is_open = pages.try_for_each(|seq| feeding.push(job(seq))).is_ok();
        if is_open && has_end {
            feeding.end_input();
        }
    });
    let workers = if mode.is_scalable { WORKERS } else { NonZeroUsize::MIN };
    let cpus = NonZeroUsize::MIN.saturating_add(1);
    let in_processes = InProcesses(Arc::clone(script));
    let factory: &dyn WorkFactory = match mode.executor.workers_are() {
        WorkerKind::Process => &in_processes,
        WorkerKind::Thread | WorkerKind::Task => script,
    };
    let run = Run {
        queue,
        events: &events,
        factory,
        workers,
        cpus,
        clock: &SystemClock,
        before_page: &|| (),
    };
    mode.executor.run(&run).unwrap();
    feeder.join().unwrap();
    let (collector, result) = observing.finish();
    result.unwrap();
    drop(collector);
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

fn seqs(seen: &Seen) -> Vec<u64> {
    let mut seqs: Vec<_> = seen.settled.iter().map(|settled| settled.job.seq).collect();
    seqs.sort_unstable();
    seqs
}

fn count(seen: &Seen, state: State) -> usize {
    seen.settled.iter().filter(|settled| settled.attempt.outcome.state() == state).count()
}

#[test]
fn each_page_is_settled_exactly_once() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Save));
        let seen = run(mode, &script, &queue(), PAGES);
        assert_eq!(seqs(&seen), (0..PAGES).collect::<Vec<_>>(), "{mode:?}");
        assert_eq!(count(&seen, State::Saved) as u64, PAGES, "{mode:?}");
        assert_eq!(script.begun(), PAGES, "{mode:?}");
    }
}

#[test]
fn an_empty_input_ends_at_once() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Save));
        assert!(run(mode, &script, &queue(), 0).settled.is_empty(), "{mode:?}");
    }
}

#[test]
fn never_more_pages_in_flight_than_workers() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Save));
        run(mode, &script, &queue(), PAGES);
        let limit = if mode.is_scalable { WORKERS.get() } else { 1 };
        assert!((1..=limit).contains(&script.peak()), "{mode:?}: {}", script.peak());
    }
}

#[test]
fn all_workers_work() {
    for mode in TABLE.iter().filter(|mode| mode.is_scalable) {
        // As many pages as workers; no page ends before all have begun.
        let script = Arc::new(Script::new(|_| Behaviour::Hang));
        let queue = queue();
        let aborted = Arc::clone(&queue);
        let act: Act = (
            |seen| seen.started == WORKERS.get(),
            Box::new(move || aborted.abort(StopReason::Interrupted)),
        );
        let pages = (0..WORKERS.get() as u64, true);
        let seen = run_until(mode, &script, &queue, pages, Some(act));
        assert_eq!(count(&seen, State::Interrupted), WORKERS.get(), "{mode:?}");
        assert_eq!(script.peak(), WORKERS.get(), "{mode:?}");
    }
}

#[test]
fn retries_are_made_and_counted() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|seq| match seq % 4 {
            0 => Behaviour::FailThenSave(2),
            1 => Behaviour::FailThenSave(9),
            2 => Behaviour::Fail,
            _ => Behaviour::Save,
        }));
        let seen = run(mode, &script, &queue(), PAGES);
        assert_eq!(seqs(&seen), (0..PAGES).collect::<Vec<_>>(), "{mode:?}");
        for settled in &seen.settled {
            let seq = settled.job.seq;
            let (attempts, state) =
                [(3, State::Saved), (4, State::Failed), (1, State::Failed), (1, State::Saved)]
                    [usize::try_from(seq % 4).unwrap()];
            assert_eq!(script.attempts(seq), attempts, "{mode:?} page {seq}");
            assert_eq!(settled.job.attempts, attempts, "{mode:?} page {seq}");
            assert_eq!(settled.attempt.outcome.state(), state, "{mode:?} page {seq}");
        }
        assert_eq!(seen.retried.len() as u64, PAGES / 4 * (2 + 3), "{mode:?}");
    }
}

#[test]
fn a_request_for_robots_rules_is_told_and_is_no_page() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Fail));
        let options = Options { retry: policy(), obeys_robots: true, ..Options::default() };
        let queue = Arc::new(Queue::new(options, Rng::new(1), Arc::new(SystemClock)));
        let seen = run(mode, &script, &queue, PAGES);
        assert_eq!(seqs(&seen), (0..PAGES).collect::<Vec<_>>(), "{mode:?}");
        let robots = vec![Url::parse("http://a.org/robots.txt").unwrap()];
        assert_eq!(seen.side_requests, (robots.clone(), robots), "{mode:?}");
        assert_eq!((seen.started, seen.retried.len()), (0, 0), "{mode:?}");
    }
}

#[test]
fn a_panic_fails_its_page_alone() {
    for mode in TABLE {
        let script =
            Arc::new(Script::new(
                |seq| if seq % 50 == 3 { Behaviour::Panic } else { Behaviour::Save },
            ));
        let seen = run(mode, &script, &queue(), PAGES);
        assert_eq!(seqs(&seen), (0..PAGES).collect::<Vec<_>>(), "{mode:?}");
        assert_eq!(count(&seen, State::Failed), 4, "{mode:?}");
        for settled in &seen.settled {
            if let Outcome::Failed(failure) = &settled.attempt.outcome {
                assert_eq!(settled.job.seq % 50, 3, "{mode:?}");
                assert_eq!((failure.code, settled.job.attempts), (FailureCode::Internal, 1));
                assert!(failure.message.raw().starts_with("a bug in fetchpages: "), "{failure}");
                assert!(failure.message.raw().contains("as the script says"), "{failure}");
            }
        }
    }
}

#[test]
fn closing_the_queue_stops_the_run_and_loses_no_page() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Save));
        let queue = queue();
        let closing = Arc::clone(&queue);
        let act: Act = (
            |seen| !seen.settled.is_empty(),
            Box::new(move || closing.close(StopReason::Interrupted)),
        );
        // The input has no end, so only closing ends the run.
        let seen = run_until(mode, &script, &queue, (0..u64::MAX, true), Some(act));
        let mut all = seqs(&seen);
        assert_eq!(count(&seen, State::Saved), all.len(), "{mode:?}");
        all.extend(queue.take_rest().iter().map(|job| job.seq));
        all.sort_unstable();
        let pushed = all.len() as u64;
        assert_eq!(all, (0..pushed).collect::<Vec<_>>(), "{mode:?}");
    }
}

#[test]
fn closing_the_queue_wakes_workers_that_wait_for_input() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::Save));
        let queue = queue();
        let closing = Arc::clone(&queue);
        let act: Act = (
            |seen| seen.settled.len() == 3,
            Box::new(move || closing.close(StopReason::Interrupted)),
        );
        // Three pages come, and the input stays open.
        let seen = run_until(mode, &script, &queue, (0..3, false), Some(act));
        assert_eq!(count(&seen, State::Saved), 3, "{mode:?}");
    }
}

#[test]
fn closing_the_queue_wakes_workers_that_wait_for_a_retry() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|_| Behaviour::FailThenSave(1)));
        let hours = Duration::from_secs(1 << 40);
        let policy = RetryPolicy { retries: 3, base: hours, cap: hours };
        let queue = queue_with(policy);
        let closing = Arc::clone(&queue);
        let act: Act = (
            |seen| seen.retried.len() == 5,
            Box::new(move || closing.close(StopReason::Interrupted)),
        );
        let seen = run_until(mode, &script, &queue, (0..5, true), Some(act));
        assert!(seen.settled.is_empty(), "{mode:?}");
        assert_eq!(queue.take_rest().len(), 5, "{mode:?}");
    }
}

#[test]
fn a_host_that_is_asked_slowly_is_drained_all_the_same() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|seq| match seq % 5 {
            0 => Behaviour::FailThenSave(1),
            _ => Behaviour::Save,
        }));
        let limits = HostLimits {
            open: Choice::Typed(Some(2)),
            rate: Choice::Typed(Some(500.0)),
            ..HostLimits::default()
        };
        let options = Options { retry: policy(), limits, ..Options::default() };
        let queue = Arc::new(Queue::new(options, Rng::new(1), Arc::new(SystemClock)));
        let seen = run(mode, &script, &queue, 40);
        assert_eq!(seqs(&seen), (0..40).collect::<Vec<_>>(), "{mode:?}");
        assert!(script.peak() <= 2, "{mode:?}: {}", script.peak());
    }
}

#[test]
fn workers_look_for_pages_only_when_something_has_changed() {
    for mode in TABLE {
        let script = Arc::new(Script::new(|seq| match seq % 3 {
            0 => Behaviour::FailThenSave(2),
            _ => Behaviour::Save,
        }));
        let limits = HostLimits {
            open: Choice::Typed(Some(2)),
            rate: Choice::Typed(Some(400.0)),
            ..HostLimits::default()
        };
        let retry = RetryPolicy { retries: 3, base: Duration::from_millis(20), ..policy() };
        let options = Options { retry, limits, ..Options::default() };
        let queue = Arc::new(Queue::new(options, Rng::new(1), Arc::new(SystemClock)));
        let seen = run(mode, &script, &queue, 60);
        assert_eq!(seqs(&seen).len(), 60, "{mode:?}");
        let (waits, turns, workers) = (queue.waits(), script.begun(), WORKERS.get() as u64);
        assert!(waits.wakes <= 60 + 2 * turns + workers, "{mode:?}: {waits:?}, {turns} turns");
        assert!(
            waits.looks <= waits.wakes + 3 * turns + workers,
            "{mode:?}: {waits:?}, {turns} turns"
        );
    }
}

#[test]
fn pages_in_flight_end_when_the_run_is_aborted() {
    for mode in TABLE {
        let script =
            Arc::new(Script::new(|seq| if seq < 3 { Behaviour::Save } else { Behaviour::Hang }));
        let queue = queue();
        let aborted = Arc::clone(&queue);
        let act: Act =
            (|seen| seen.started >= 4, Box::new(move || aborted.abort(StopReason::Interrupted)));
        let seen = run_until(mode, &script, &queue, (0..PAGES, true), Some(act));
        let limit = if mode.is_scalable { WORKERS.get() } else { 1 };
        assert!((1..=limit).contains(&count(&seen, State::Interrupted)), "{mode:?}");
        let mut all = seqs(&seen);
        all.extend(queue.take_rest().iter().map(|job| job.seq));
        all.sort_unstable();
        assert_eq!(all, (0..all.len() as u64).collect::<Vec<_>>(), "{mode:?}");
    }
}

#[test]
fn a_failure_that_would_meet_every_page_stops_the_run() {
    for mode in TABLE {
        let script =
            Arc::new(Script::new(|seq| if seq == 5 { Behaviour::Break } else { Behaviour::Save }));
        let queue = queue();
        let seen = run(mode, &script, &queue, PAGES);
        assert_eq!(count(&seen, State::Failed), 1, "{mode:?}");
        let why = StopReason::Broken(vec!["the script says so".into()]);
        assert_eq!(queue.stop_reason(), Some(why), "{mode:?}");
        let mut all = seqs(&seen);
        all.extend(queue.take_rest().iter().map(|job| job.seq));
        all.sort_unstable();
        assert_eq!(all, (0..all.len() as u64).collect::<Vec<_>>(), "{mode:?}");
    }
}

#[test]
fn a_worker_that_is_lost_costs_its_page_a_retry_and_nothing_else() {
    for mode in TABLE {
        let script =
            Arc::new(Script::new(
                |seq| if seq % 25 == 3 { Behaviour::Kill } else { Behaviour::Save },
            ));
        let seen = run(mode, &script, &queue(), PAGES);
        assert_eq!(seqs(&seen), (0..PAGES).collect::<Vec<_>>(), "{mode:?}");
        assert_eq!(count(&seen, State::Saved) as u64, PAGES, "{mode:?}");
        for settled in &seen.settled {
            let attempts = if settled.job.seq % 25 == 3 { 2 } else { 1 };
            assert_eq!(settled.job.attempts, attempts, "{mode:?} page {}", settled.job.seq);
        }
        assert_eq!(seen.retried, [FailureCode::WorkerLost; 8], "{mode:?}");
    }
}
