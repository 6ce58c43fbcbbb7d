//! Requests that run outside the executor.

use crate::clock::{Clock, ManualClock};
use crate::model::{FailureCode, Job, Kind, Redirect, Response};
use crate::queue::Options;
use crate::queue::frontier::{Next, Settlement};
use crate::queue::notice::Notice;
use crate::queue::tests::support::{
    answered, empty, failed, frontier, job, limited, saved, settle, take, url,
};

#[test]
fn a_side_request_that_waits_for_its_own_retry_holds_no_page_up() {
    let clock = ManualClock::new();
    let mut frontier = empty(Options { limits: limited(1), ..Options::default() });
    (0..2).for_each(|seq| frontier.push(job(seq), clock.now()));
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, clock.now());
    let Next::Job(request) = frontier.next_side(clock.now()) else { panic!("there is a place") };
    let settlement = settle(&mut frontier, request, failed(FailureCode::Reset), clock.now());
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
fn a_side_request_is_turned_away_when_its_host_gets_no_more_requests() {
    let now = ManualClock::new().now();
    let mut frontier = frontier(1, now);
    let page = take(&mut frontier, now);
    settle(&mut frontier, page, answered(429, Some("7200")), now);
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, now);
    assert!(matches!(frontier.next_side(now), Next::Done));
}

#[test]
fn a_side_request_has_its_turn_although_all_places_are_always_taken() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options { limits: limited(2), ..Options::default() });
    (0..10).for_each(|seq| frontier.push(job(seq), now));
    let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, now);
    assert!(matches!(frontier.next_side(now), Next::Wait));
    settle(&mut frontier, first, saved(), now);
    assert!(matches!(frontier.next(now), Next::Wait));
    let Next::Job(request) = frontier.next_side(now) else { panic!("there is a place") };
    assert!(matches!(frontier.next(now), Next::Wait));
    settle(&mut frontier, second, saved(), now);
    assert_eq!(take(&mut frontier, now).seq, 2);
    assert!(matches!(
        settle(&mut frontier, request, Response::Body("x".into()), now),
        Settlement::Nothing
    ));
    assert_eq!(take(&mut frontier, now).seq, 3);
}

#[test]
fn a_side_request_that_is_redirected_to_a_known_site_reports_its_policy() {
    let now = ManualClock::new().now();
    let mut frontier = empty(Options::default());
    frontier.submit_side(Job { kind: Kind::Source, ..job(99) }, now);
    let Next::Job(request) = frontier.next_side(now) else { panic!("there is a place") };
    let redirect = Redirect::to(url("https://en.wikipedia.org/wiki/India"));
    settle(&mut frontier, request, Response::Redirect(Box::new(redirect)), now);
    let notices = frontier.take_effects().unwrap().notices;
    assert!(
        matches!(&notices[..], [Notice::KnownSite { host, .. }] if host == "en.wikipedia.org"),
        "{notices:?}"
    );
    assert!(matches!(frontier.next_side(now), Next::Job(_)));
}
