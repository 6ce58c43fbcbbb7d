//! Pages that are redirected.

use std::time::Duration;

use crate::clock::{Clock, ManualClock};
use crate::model::{FailureCode, Redirect, Response, SetCookie};
use crate::queue::Options;
use crate::queue::frontier::Next;
use crate::queue::tests::support::{
    empty, failed, frontier, job_at, limited, saved, settle, take, url,
};

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
