//! Pages and the rules of a robots.txt.

use crate::clock::{Clock, ManualClock};
use crate::model::{FailureCode, Kind, Outcome, Redirect, Response};
use crate::queue::Options;
use crate::queue::frontier::{Next, Settlement};
use crate::queue::tests::support::{
    answered, empty, failed, job, job_at, saved, settle, take, url,
};

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
