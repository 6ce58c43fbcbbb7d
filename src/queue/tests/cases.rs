//! The frontier's rules, case by case.

use std::time::{Duration, Instant, SystemTime};

use url::Url;

use crate::clock::{Clock, ManualClock};
use crate::foreign::Foreign;
use crate::model::{
    Attempt, Failure, FailureCode, Head, Job, Key, Kind, Outcome, Redirect, Response, SetCookie,
    Stored,
};
use crate::queue::Options;
use crate::queue::frontier::{Frontier, Moment, Next, Settlement};
use crate::queue::host::registry::{Choice, HostLimits};
use crate::queue::notice::Notice;
use crate::queue::retry;
use crate::queue::retry::failure_limit::FailureLimit;
use crate::random::Rng;

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn job(seq: u64) -> Job {
    job_at(seq, &format!("http://a.org/{seq}"))
}

pub(super) fn job_at(seq: u64, address: &str) -> Job {
    Job::new(seq, url(address), Key::new(format!("{seq}.html")).unwrap())
}

pub(super) fn empty(options: Options) -> Frontier {
    Frontier::new(options, Rng::new(1))
}

fn frontier(jobs: u64, now: Instant) -> Frontier {
    let mut frontier = empty(Options::default());
    (0..jobs).for_each(|seq| frontier.push(job(seq), now));
    frontier
}

fn take(frontier: &mut Frontier, now: Instant) -> Job {
    match frontier.next(now) {
        Next::Job(job) => job,
        other => panic!("expected a job, got {other:?}"),
    }
}

fn settle(frontier: &mut Frontier, job: Job, turn: Response, now: Instant) -> Settlement {
    frontier.settle(job, turn, now, Moment { now, wall: SystemTime::UNIX_EPOCH })
}

pub(super) fn saved() -> Response {
    Response::Done(Attempt::without_answer(Outcome::Saved {
        bytes: 0,
        sha256: [0; 32],
        stored: Stored::Key,
    }))
}

pub(super) fn failed(code: FailureCode) -> Response {
    Response::Done(Attempt::failed(Failure::new(code, code.as_str())))
}

pub(super) fn answered(status: u16, retry_after: Option<&str>) -> Response {
    let attempt = crate::queue::retry::policy::tests::failed(FailureCode::Http, Some(status));
    let retry_after = retry_after.map(Foreign::from);
    let head = attempt.head.map(|head| Box::new(Head { retry_after, ..*head }));
    let failure = Failure::new(FailureCode::Http, crate::message::status(status));
    Response::Done(Attempt { head, outcome: Outcome::Failed(failure), ..attempt })
}

fn limited(open: u32) -> HostLimits {
    HostLimits { open: Choice::Typed(Some(open)), ..HostLimits::default() }
}

#[test]
fn pages_of_a_host_go_in_input_order_and_the_end_waits_for_those_in_flight() {
    let now = ManualClock::new().now();
    let mut frontier = frontier(2, now);
    let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
    assert_eq!((first.seq, second.seq), (0, 1));
    assert!(matches!(frontier.next(now), Next::Wait));
    frontier.end_input();
    assert!(matches!(frontier.next(now), Next::Wait));
    assert!(matches!(settle(&mut frontier, first, saved(), now), Settlement::Done(..)));
    assert!(matches!(settle(&mut frontier, second, saved(), now), Settlement::Done(..)));
    assert!(matches!(frontier.next(now), Next::Done));
}

#[test]
fn a_retry_waits_for_its_time_and_then_goes_first() {
    let clock = ManualClock::new();
    let mut frontier = frontier(3, clock.now());
    let page = take(&mut frontier, clock.now());
    let reset = failed(FailureCode::Reset);
    let Settlement::Again { job, after, .. } = settle(&mut frontier, page, reset, clock.now())
    else {
        panic!("a reset is retried");
    };
    assert_eq!((job.seq, job.attempts, job.waits), (0, 1, vec![after]));
    assert_eq!(take(&mut frontier, clock.now()).seq, 1);
    clock.advance(after);
    let again = take(&mut frontier, clock.now());
    assert_eq!((again.seq, again.attempts), (0, 1));
    assert_eq!(take(&mut frontier, clock.now()).seq, 2);
}

#[test]
fn with_only_retries_left_the_time_of_the_next_is_told() {
    let clock = ManualClock::new();
    let mut frontier = frontier(1, clock.now());
    frontier.end_input();
    let page = take(&mut frontier, clock.now());
    let reset = failed(FailureCode::Reset);
    let Settlement::Again { after, .. } = settle(&mut frontier, page, reset, clock.now()) else {
        panic!("a reset is retried");
    };
    let due = clock.now() + after;
    assert!(matches!(frontier.next(clock.now()), Next::NotBefore(at) if at == due));
}

#[test]
fn a_closed_frontier_hands_out_nothing_and_leaves_the_rest_in_order() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options { obeys_robots: true, ..Options::default() });
    (0..3).for_each(|seq| frontier.push(job_at(seq, "http://robots.org/x"), now));
    let mut open = self::frontier(4, now);
    let page = take(&mut open, now);
    let in_flight = take(&mut open, now);
    settle(&mut open, page, failed(FailureCode::Reset), now);
    for (frontier, left) in [(&mut frontier, vec![0, 1, 2]), (&mut open, vec![0, 2, 3])] {
        frontier.close();
        assert!(matches!(frontier.next(now), Next::Done));
        let rest: Vec<_> = frontier.take_rest().iter().map(|job| job.seq).collect();
        assert_eq!(rest, left);
    }
    assert_eq!(in_flight.seq, 1);
}

#[test]
fn a_parked_host_holds_nobody_up() {
    let clock = ManualClock::new();
    let mut frontier = empty(Options::default());
    for seq in 0..4 {
        frontier.push(job_at(seq, &format!("http://h{}.org/{seq}", seq % 2)), clock.now());
    }
    frontier.end_input();
    let first = take(&mut frontier, clock.now());
    let refused = answered(429, Some("60"));
    let settlement = settle(&mut frontier, first, refused, clock.now());
    assert!(matches!(settlement, Settlement::Again { after, .. } if after.as_secs() == 60));
    let effects = frontier.take_effects().unwrap();
    let until = clock.now() + Duration::from_mins(1);
    assert_eq!(
        effects.notices,
        [Notice::Parked {
            host: "h0.org".into(),
            pause: Duration::from_mins(1),
            until,
            why: "429, Retry-After 60".into()
        }]
    );
    for seq in [1, 3] {
        assert_eq!(take(&mut frontier, clock.now()).seq, seq);
    }
    assert!(matches!(frontier.next(clock.now()), Next::NotBefore(at) if at == until));
    clock.advance(Duration::from_mins(1));
    assert_eq!(take(&mut frontier, clock.now()).seq, 0);
}

#[test]
fn refusals_use_up_no_retry_until_ten_in_a_row() {
    let clock = ManualClock::new();
    let options = Options {
        retry: retry::RetryPolicy { retries: 2, ..retry::RetryPolicy::default() },
        ..Options::default()
    };
    let mut frontier = empty(options);
    frontier.push(job(0), clock.now());
    let mut attempts = 0;
    loop {
        let page = take(&mut frontier, clock.now());
        attempts += 1;
        clock.advance(Duration::from_millis(10));
        match settle(&mut frontier, page, answered(429, Some("1")), clock.now()) {
            Settlement::Done(job, _) => {
                assert_eq!((job.attempts, job.refusals), (13, 10));
                break;
            }
            _ => clock.advance(Duration::from_secs(90)),
        }
    }
    assert_eq!(attempts, 13);
}

#[test]
fn a_host_that_asks_for_hours_ends_its_pages_and_no_others() {
    let clock = ManualClock::new();
    let mut frontier = empty(Options::default());
    for seq in 0..6 {
        frontier.push(job_at(seq, &format!("http://h{}.org/{seq}", seq % 2)), clock.now());
    }
    let first = take(&mut frontier, clock.now());
    let settlement = settle(&mut frontier, first, answered(503, Some("7200")), clock.now());
    let Settlement::Done(_, attempt) = settlement else { panic!("it is not tried again") };
    assert_eq!(attempt.outcome, Outcome::Interrupted);
    let effects = frontier.take_effects().unwrap();
    let ended: Vec<_> = effects.ended.iter().map(|(job, _)| job.seq).collect();
    assert_eq!(ended, [2, 4]);
    assert!(
        matches!(&effects.notices[..], [Notice::Away { pause, .. }] if pause.as_secs() == 7200)
    );
    frontier.push(job_at(6, "http://h0.org/6"), clock.now());
    assert_eq!(frontier.take_effects().unwrap().ended.len(), 1);
    for seq in [1, 3, 5] {
        assert_eq!(take(&mut frontier, clock.now()).seq, seq);
    }
}

#[test]
fn a_page_in_flight_ends_with_its_host_and_one_that_is_gone_stays_gone() {
    let now = ManualClock::new().now();
    for (turn, outcome) in [
        (failed(FailureCode::Reset), Outcome::Interrupted),
        (answered(404, None), Outcome::Failed(Failure::new(FailureCode::Http, "404 Not Found"))),
    ] {
        let mut frontier = frontier(2, now);
        frontier.end_input();
        let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
        settle(&mut frontier, first, answered(429, Some("7200")), now);
        let Settlement::Done(_, attempt) = settle(&mut frontier, second, turn, now) else {
            panic!("its host is not asked any more");
        };
        assert_eq!(attempt.outcome, outcome);
        assert!(matches!(frontier.next(now), Next::Done));
    }
}

#[test]
fn any_retry_after_is_reckoned_with() {
    let now = ManualClock::new().now();
    for value in ["18446744073709551615", "99999999999999999999999", "0", "-1", "x"] {
        let mut frontier = frontier(1, now);
        let page = take(&mut frontier, now);
        settle(&mut frontier, page, answered(429, Some(value)), now);
        assert_eq!(frontier.take_effects().unwrap().notices.len(), 1, "{value}");
    }
}

#[test]
fn a_host_that_always_refuses_is_given_up() {
    for turn in [answered(429, None), answered(503, None), answered(429, Some("1"))] {
        let clock = ManualClock::new();
        let begun = clock.now();
        let mut frontier = frontier(500, clock.now());
        frontier.end_input();
        let mut ended = 0;
        loop {
            match frontier.next(clock.now()) {
                Next::Job(page) => {
                    clock.advance(Duration::from_millis(10));
                    let settlement = settle(&mut frontier, page, turn.clone(), clock.now());
                    ended += usize::from(matches!(settlement, Settlement::Done(..)));
                }
                Next::NotBefore(at) => clock.advance(at - clock.now()),
                Next::Done => break,
                Next::Wait => panic!("nothing is in flight"),
            }
            for (_, outcome) in frontier.take_effects().into_iter().flat_map(|it| it.ended) {
                let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
                assert!(failure.message.raw().contains("in a row"), "{failure}");
                ended += 1;
            }
        }
        assert_eq!(ended, 500, "{turn:?}");
        assert!(clock.now() - begun < Duration::from_mins(6), "{turn:?}");
    }
}

#[test]
fn a_guest_that_waits_for_its_own_retry_holds_nobody_up() {
    let clock = ManualClock::new();
    let mut frontier = empty(Options { limits: limited(1), ..Options::default() });
    (0..2).for_each(|seq| frontier.push(job(seq), clock.now()));
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, clock.now());
    let Next::Job(guest) = frontier.next_side(clock.now()) else { panic!("there is a place") };
    let settlement = settle(&mut frontier, guest, failed(FailureCode::Reset), clock.now());
    let Settlement::Again { after, .. } = settlement else { panic!("it is tried again") };
    assert!(matches!(frontier.next_side(clock.now()), Next::NotBefore(_)));
    let page = take(&mut frontier, clock.now());
    clock.advance(after);
    assert!(matches!(frontier.next_side(clock.now()), Next::Wait));
    settle(&mut frontier, page, saved(), clock.now());
    assert!(matches!(frontier.next(clock.now()), Next::Wait));
    assert!(matches!(frontier.next_side(clock.now()), Next::Job(_)));
}

#[test]
fn a_guest_is_turned_away_when_its_host_is_not_asked_any_more() {
    let now = ManualClock::new().now();
    let mut frontier = frontier(1, now);
    let page = take(&mut frontier, now);
    settle(&mut frontier, page, answered(429, Some("7200")), now);
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, now);
    assert!(matches!(frontier.next_side(now), Next::Done));
}

#[test]
fn a_dead_host_costs_few_attempts_and_its_pages_fail_with_its_code() {
    let clock = ManualClock::new();
    let mut frontier = frontier(500, clock.now());
    frontier.end_input();
    let (mut attempts, mut ended) = (0, 0);
    loop {
        match frontier.next(clock.now()) {
            Next::Job(page) => {
                attempts += 1;
                let turn = failed(FailureCode::Connect);
                clock.advance(Duration::from_millis(1));
                ended += usize::from(matches!(
                    settle(&mut frontier, page, turn, clock.now()),
                    Settlement::Done(..)
                ));
            }
            Next::NotBefore(at) => clock.advance(at - clock.now()),
            Next::Done => break,
            Next::Wait => panic!("nothing is in flight"),
        }
        for (job, outcome) in frontier.take_effects().into_iter().flat_map(|it| it.ended) {
            let Outcome::Failed(failure) = outcome else { panic!("{job:?} fails") };
            assert_eq!(failure.code, FailureCode::Connect);
            ended += 1;
        }
    }
    assert_eq!(ended, 500);
    assert!(attempts < 40, "{attempts}");
}

#[test]
fn pages_wait_for_the_rules_of_their_host() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options { obeys_robots: true, ..Options::default() });
    frontier.push(job_at(0, "http://a.org/x"), now);
    frontier.push(job_at(1, "http://a.org/private/y"), now);
    frontier.end_input();
    let robots = take(&mut frontier, now);
    assert_eq!((robots.kind, robots.url.path()), (Kind::Robots, "/robots.txt"));
    assert!(matches!(frontier.next(now), Next::Wait));
    let rules = Response::Body("User-agent: *\nDisallow: /private/".into());
    assert!(matches!(settle(&mut frontier, robots, rules, now), Settlement::Nothing));
    let ended = frontier.take_effects().unwrap().ended;
    assert!(matches!(&ended[..], [(job, Outcome::Robots)] if job.seq == 1));
    let page = take(&mut frontier, now);
    assert_eq!(page.seq, 0);
    // A redirect does not lead around the rules.
    let moved = Response::Redirect(Box::new(Redirect::to(url("http://a.org/private/z"))));
    assert!(matches!(settle(&mut frontier, page, moved, now), Settlement::Onward(0)));
    let ended = frontier.take_effects().unwrap().ended;
    assert!(matches!(&ended[..], [(job, Outcome::Robots)] if job.seq == 0));
    assert!(matches!(frontier.next(now), Next::Done));
}

#[test]
fn rules_that_are_not_there_allow_and_rules_that_cannot_be_had_fail() {
    for (turn, is_allowed) in [
        (answered(404, None), true),
        (answered(403, None), true),
        (failed(FailureCode::Redirects), true),
        (answered(500, None), false),
        (failed(FailureCode::Reset), false),
        (failed(FailureCode::Tls), false),
    ] {
        let clock = ManualClock::new();
        let mut frontier = empty(Options { obeys_robots: true, ..Options::default() });
        frontier.push(job(0), clock.now());
        frontier.end_input();
        loop {
            match frontier.next(clock.now()) {
                Next::Job(job) if job.kind == Kind::Robots => {
                    settle(&mut frontier, job, turn.clone(), clock.now());
                }
                Next::Job(page) => {
                    assert!(is_allowed, "{turn:?}");
                    settle(&mut frontier, page, saved(), clock.now());
                }
                Next::NotBefore(at) => clock.advance(at - clock.now()),
                Next::Done => break,
                Next::Wait => panic!("nothing is in flight"),
            }
        }
        let ended = frontier.take_effects().map(|effects| effects.ended).unwrap_or_default();
        assert_eq!(ended.is_empty(), is_allowed, "{turn:?}");
        for (_, outcome) in ended {
            let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
            assert_eq!(failure.code, FailureCode::Robots);
        }
    }
}

#[test]
fn a_redirect_goes_under_the_limits_of_the_other_host() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options { limits: limited(1), ..Options::default() });
    frontier.push(job_at(0, "http://a.org/0"), now);
    frontier.push(job_at(1, "http://b.org/1"), now);
    let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
    settle(
        &mut frontier,
        first,
        Response::Redirect(Box::new(Redirect::to(url("http://b.org/0")))),
        now,
    );
    assert!(matches!(frontier.next(now), Next::Wait));
    settle(&mut frontier, second, saved(), now);
    let moved = take(&mut frontier, now);
    assert_eq!((moved.seq, moved.attempts), (0, 0));
    assert_eq!(moved.target().as_str(), "http://b.org/0");
    assert_eq!(moved.hop.as_ref().unwrap().count, 1);
    // What fails behind a redirect begins anew.
    settle(&mut frontier, moved, failed(FailureCode::Reset), now);
    let again = take(&mut frontier, now + Duration::from_mins(1));
    assert_eq!(again.target().as_str(), "http://a.org/0");
}

#[test]
fn cookies_go_along_a_chain_and_are_forgotten_with_the_attempt() {
    let now = ManualClock::new().now();
    let mut frontier = frontier(1, now);
    let set = |line: &str| SetCookie { by: url("http://a.org/"), line: line.into() };
    let mut page = take(&mut frontier, now);
    for line in ["a=1", "b=2"] {
        let moved = Redirect { cookies: vec![set(line)], ..Redirect::to(url("http://a.org/x")) };
        settle(&mut frontier, page, Response::Redirect(Box::new(moved)), now);
        page = take(&mut frontier, now);
    }
    assert_eq!(page.hop.as_ref().unwrap().cookies, [set("a=1"), set("b=2")]);
    settle(&mut frontier, page, failed(FailureCode::Reset), now);
    assert!(take(&mut frontier, now + Duration::from_mins(1)).hop.is_none());
}

#[test]
fn a_guest_has_its_turn_although_all_places_are_always_taken() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options { limits: limited(2), ..Options::default() });
    (0..10).for_each(|seq| frontier.push(job(seq), now));
    let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, now);
    assert!(matches!(frontier.next_side(now), Next::Wait));
    settle(&mut frontier, first, saved(), now);
    assert!(matches!(frontier.next(now), Next::Wait));
    let Next::Job(guest) = frontier.next_side(now) else { panic!("there is a place") };
    assert!(matches!(frontier.next(now), Next::Wait));
    settle(&mut frontier, second, saved(), now);
    assert_eq!(take(&mut frontier, now).seq, 2);
    assert!(matches!(
        settle(&mut frontier, guest, Response::Body("x".into()), now),
        Settlement::Nothing
    ));
    assert_eq!(take(&mut frontier, now).seq, 3);
}

#[test]
fn enough_failures_are_told() {
    let now = ManualClock::new().now();
    let failure_limit = Some(FailureLimit::Pages(2));
    let mut frontier = empty(Options { failure_limit, ..Options::default() });
    (0..5).for_each(|seq| frontier.push(job(seq), now));
    for nth in 1..=3 {
        let page = take(&mut frontier, now);
        settle(&mut frontier, page, answered(404, None), now);
        let told = frontier.take_effects().and_then(|effects| effects.too_many_failures);
        assert_eq!(told, (nth == 3).then_some(3));
    }
}

#[test]
fn a_request_that_was_refused_goes_again_at_once_and_is_no_attempt() {
    let now = ManualClock::new().now();
    let mut frontier = frontier(10, now);
    frontier.end_input();
    let mut open: Vec<_> = (0..10).map(|_| take(&mut frontier, now)).collect();
    let refused = || match failed(FailureCode::Reset) {
        Response::Done(attempt) => Response::Done(Attempt { is_refused: true, ..attempt }),
        other => other,
    };
    // The server works on three and refuses the others.
    for job in open.drain(3..) {
        assert!(matches!(settle(&mut frontier, job, refused(), now), Settlement::Onward(_)));
    }
    assert!(matches!(frontier.next(now), Next::Wait), "no more than it works on");
    let mut saved_pages = 0;
    while let Some(job) = open.pop() {
        assert_eq!(job.attempts, 0);
        assert!(matches!(settle(&mut frontier, job, saved(), now), Settlement::Done(..)));
        saved_pages += 1;
        while let Next::Job(job) = frontier.next(now) {
            open.push(job);
        }
        assert!(open.len() <= 6, "found again step by step");
    }
    assert_eq!(saved_pages, 10);
    assert!(matches!(frontier.next(now), Next::Done));
}

#[test]
fn a_server_that_refuses_for_ever_uses_up_the_retries() {
    let clock = ManualClock::new();
    let mut frontier = frontier(1, clock.now());
    frontier.end_input();
    let mut requests = 0;
    let attempts = loop {
        let job = match frontier.next(clock.now()) {
            Next::Job(job) => job,
            Next::NotBefore(due) => {
                clock.advance(due - clock.now());
                continue;
            }
            other => panic!("{other:?}"),
        };
        requests += 1;
        let Response::Done(attempt) = failed(FailureCode::Reset) else { panic!() };
        let turn = Response::Done(Attempt { is_refused: true, ..attempt });
        if let Settlement::Done(job, _) = settle(&mut frontier, job, turn, clock.now()) {
            break job.attempts;
        }
    };
    assert_eq!((attempts, requests), (4, 4 * 5));
}
