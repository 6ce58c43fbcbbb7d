//! Which page goes when, and how a run ends.

use crate::clock::{Clock, ManualClock};
use crate::model::FailureCode;
use crate::queue::frontier::{Next, Settlement};
use crate::queue::retry::FailureLimit;
use crate::queue::tests::support;
use crate::queue::tests::support::{
    answered, empty, failed, frontier, job, job_at, saved, settle, take,
};
use crate::queue::{Options, StopReason};

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
fn with_only_retries_left_the_time_of_the_next_is_returned() {
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
    let mut open = support::frontier(4, now);
    let page = take(&mut open, now);
    let in_flight = take(&mut open, now);
    settle(&mut open, page, failed(FailureCode::Reset), now);
    for (frontier, left) in [(&mut frontier, vec![0, 1, 2]), (&mut open, vec![0, 2, 3])] {
        frontier.close(StopReason::Interrupted);
        assert!(matches!(frontier.next(now), Next::Done));
        let rest: Vec<_> = frontier.take_rest().iter().map(|job| job.seq).collect();
        assert_eq!(rest, left);
    }
    assert_eq!(in_flight.seq, 1);
}

#[test]
fn too_many_failures_close_the_frontier() {
    let now = ManualClock::new().now();
    let failure_limit = Some(FailureLimit::Pages(2));
    let mut frontier = empty(Options { failure_limit, ..Options::default() });
    (0..5).for_each(|seq| frontier.push(job(seq), now));
    for nth in 1..=3 {
        let page = take(&mut frontier, now);
        settle(&mut frontier, page, answered(404, None), now);
        let stop_reason = (nth == 3).then_some(StopReason::TooManyFailures(3));
        assert_eq!(frontier.stop_reason(), stop_reason.as_ref());
    }
}
