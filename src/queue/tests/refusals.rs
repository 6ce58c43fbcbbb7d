//! What refusals and failed connections mean for a host and its pages.

use std::time::{Duration, Instant};

use crate::clock::{Clock, ManualClock};
use crate::model::{Attempt, Failure, FailureCode, Outcome, Redirect, Response};
use crate::queue::Options;
use crate::queue::frontier::{Frontier, Next, Settlement};
use crate::queue::notice::Notice;
use crate::queue::retry::RetryPolicy;
use crate::queue::tests::support::{
    answered, empty, failed, frontier, job, job_at, saved, settle, take, url,
};

#[test]
fn a_parked_host_holds_no_other_up() {
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

/// A frontier with one page, which may be tried again twice.
fn with_two_retries(now: Instant) -> Frontier {
    let retry = RetryPolicy { retries: 2, ..RetryPolicy::default() };
    let mut frontier = empty(Options { retry, ..Options::default() });
    frontier.push(job(0), now);
    frontier
}

#[test]
fn a_page_ends_whose_redirect_succeeds_and_whose_target_refuses() {
    let clock = ManualClock::new();
    let mut frontier = with_two_retries(clock.now());
    let counts = loop {
        let page = take(&mut frontier, clock.now());
        clock.advance(Duration::from_millis(10));
        let response = match page.hop {
            None => Response::Redirect(Box::new(Redirect::to(url("http://a.org/moved")))),
            Some(_) => answered(429, Some("0")),
        };
        if let Settlement::Done(job, _) = settle(&mut frontier, page, response, clock.now()) {
            break (job.attempts, job.refusals);
        }
        clock.advance(Duration::from_secs(90));
    };
    assert_eq!(counts, (53, 50));
}

#[test]
fn refusals_use_up_no_retry_until_ten_in_a_row() {
    let clock = ManualClock::new();
    let mut frontier = with_two_retries(clock.now());
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
fn any_retry_after_is_read() {
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
