//! The frontier's rules, under random schedules.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

use crate::clock::{Clock, ManualClock};
use crate::model::{Attempt, FailureCode, Job, Kind, Outcome, Redirect, Response, Stored};
use crate::queue::Options;
use crate::queue::frontier::{Frontier, Moment, Next, Settlement};
use crate::queue::host::registry::{Choice, HostLimits};
use crate::queue::notice::Notice;
use crate::queue::tests::support::{answered, empty, failed, job_at, saved, url};

/// What happens at one attempt of a random schedule.
#[derive(Debug, Clone, Copy)]
enum ScriptedTurn {
    Saved,
    Gone,
    Reset,
    Refused(u8),
    Overloaded,
    Unreachable,
    MovedTo(u8),
}

fn scripted_turn() -> impl Strategy<Value = ScriptedTurn> {
    prop_oneof![
        8 => Just(ScriptedTurn::Saved),
        1 => Just(ScriptedTurn::Gone),
        2 => Just(ScriptedTurn::Reset),
        1 => (0..5_u8).prop_map(ScriptedTurn::Refused),
        1 => Just(ScriptedTurn::Overloaded),
        1 => Just(ScriptedTurn::Unreachable),
        1 => (0..6_u8).prop_map(ScriptedTurn::MovedTo),
    ]
}

fn turn(scripted: ScriptedTurn) -> Response {
    match scripted {
        ScriptedTurn::Saved => served(),
        ScriptedTurn::Gone => answered(404, None),
        ScriptedTurn::Reset => failed(FailureCode::Reset),
        ScriptedTurn::Refused(seconds) => answered(429, Some(&seconds.to_string())),
        ScriptedTurn::Overloaded => answered(503, None),
        ScriptedTurn::Unreachable => failed(FailureCode::Connect),
        ScriptedTurn::MovedTo(host) => {
            Response::Redirect(Box::new(Redirect::to(url(&format!("http://h{host}.org/moved")))))
        }
    }
}

/// Saved, after an answer that took some time.
fn served() -> Response {
    let Response::Done(attempt) = answered(200, None) else { return saved() };
    let outcome = Outcome::Saved { bytes: 0, sha256: [0; 32], stored: Stored::Key };
    Response::Done(Attempt { outcome, wait: Duration::from_millis(20), ..attempt })
}

/// What a schedule checks at every step.
#[derive(Default)]
struct Ledger {
    open: BTreeMap<String, u32>,
    last_start: BTreeMap<String, Instant>,
    parked: BTreeMap<String, Instant>,
    ended: Vec<u64>,
}

impl Ledger {
    fn take_effects(&mut self, frontier: &mut Frontier) {
        let Some(effects) = frontier.take_effects() else { return };
        self.ended.extend(effects.ended.iter().map(|(job, _)| job.seq));
        for notice in effects.notices {
            if let Notice::Parked { host, until, .. } = notice {
                self.parked.insert(host, until);
            }
        }
    }
}

fn host_of(job: &Job) -> String {
    job.target().host_str().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Under any schedule no limit is broken, no host that is ready starves, and
    /// every page is settled once.
    #[test]
    fn any_schedule_keeps_the_limits_and_settles_everything(
        hosts in proptest::collection::vec(0..6_u8, 1..60),
        script in proptest::collection::vec((scripted_turn(), 0..400_u64), 1..200),
        open in 1..4_u32,
        adaptive in proptest::option::of(1..4_u32),
        rate in proptest::option::of(1..50_u32),
        workers in 1..12_usize,
        obeys_robots: bool,
    ) {
        let clock = ManualClock::new();
        let limits = HostLimits {
            open: Choice::Typed(Some(open)),
            rate: Choice::Typed(rate.map(f64::from)),
            usual_open: None,
            adaptive,
        };
        let mut frontier = empty(Options { limits, obeys_robots, ..Options::default() });
        let mut ledger = Ledger::default();
        let mut in_flight: Vec<(Instant, Instant, Job, Response)> = Vec::new();
        let mut script = script.into_iter().cycle();
        for (seq, host) in (0..).zip(&hosts) {
            frontier.push(job_at(seq, &format!("http://h{host}.org/{seq}")), clock.now());
        }
        frontier.end_input();
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 100_000, "the schedule does not end");
            ledger.take_effects(&mut frontier);
            let next = if in_flight.len() < workers { frontier.next(clock.now()) } else { Next::Wait };
            let due = match next {
                Next::Job(job) => {
                    let (host, now) = (host_of(&job), clock.now());
                    let count = ledger.open.entry(host.clone()).or_default();
                    *count += 1;
                    let most = adaptive.map_or(open, |cap| cap.min(open));
                    prop_assert!(*count <= most, "{count} open at {host}");
                    let parked = ledger.parked.get(&host);
                    prop_assert!(parked.is_none_or(|until| *until <= now), "{host} is parked");
                    if let (Some(rate), Some(last)) = (rate, ledger.last_start.insert(host, now)) {
                        let spacing = Duration::from_secs_f64(1.0 / f64::from(rate));
                        prop_assert!(now - last + Duration::from_millis(6) >= spacing);
                    }
                    let (scripted, millis) = script.next().unwrap();
                    let is_rules = job.kind == Kind::Robots && matches!(scripted, ScriptedTurn::Saved);
                    // The fetcher limits redirects.
                    let is_enough = matches!(scripted, ScriptedTurn::MovedTo(_)) && job.hop.is_some();
                    let turn = match (is_rules, is_enough) {
                        (true, _) => Response::Body("User-agent: *\nDisallow: /7".into()),
                        (_, true) => saved(),
                        _ => turn(scripted),
                    };
                    in_flight.push((now + Duration::from_millis(millis), now, job, turn));
                    continue;
                }
                Next::NotBefore(at) => Some(at),
                Next::Wait => None,
                Next::Done => break,
            };
            in_flight.sort_by_key(|(end, ..)| *end);
            let first_end = in_flight.first().map(|(end, ..)| *end);
            match (due, first_end) {
                (Some(due), end) if end.is_none_or(|end| due < end) => {
                    // A moment that is returned lies ahead, so that no worker spins.
                    prop_assert!(due > clock.now());
                    clock.advance(due - clock.now());
                }
                (_, Some(end)) => {
                    clock.advance(end.saturating_duration_since(clock.now()));
                    let (_, started, job, turn) = in_flight.remove(0);
                    *ledger.open.get_mut(&host_of(&job)).unwrap() -= 1;
                    let moment = Moment { now: clock.now(), wall: SystemTime::UNIX_EPOCH };
                    if let Settlement::Done(job, _) = frontier.settle(job, turn, started, moment) {
                        ledger.ended.push(job.seq);
                    }
                }
                (_, None) => prop_assert!(false, "nothing is in flight, and no moment is returned"),
            }
        }
        ledger.take_effects(&mut frontier);
        ledger.ended.sort_unstable();
        prop_assert_eq!(ledger.ended, (0..hosts.len() as u64).collect::<Vec<_>>());
        prop_assert!(in_flight.is_empty());
        prop_assert_eq!((frontier.waiting_len(), frontier.ready_len()), (0, 0));
    }
}
