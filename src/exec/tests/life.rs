//! The example in the documentation of [`drain`](crate::exec::drain): the life of one page.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use url::Url;

use crate::clock::SystemClock;
use crate::event::{Event, Events, Observer, ObserverError};
use crate::exec::{self, Run};
use crate::in_flight::InFlight;
use crate::model::{
    Attempt, Failure, FailureCode, Job, Key, Outcome, Redirect, Response, State, Stored,
};
use crate::queue::retry::RetryPolicy;
use crate::queue::{Options, Queue};
use crate::random::Rng;
use crate::work::{Cpu, Work, WorkError, WorkFactory};

fn url(path: &str) -> Url {
    Url::parse("http://a.org/").unwrap().join(path).unwrap()
}

/// A server that redirects `/x` to `/y`, and answers `/y` at the second request.
#[derive(Default)]
struct Server {
    requests_for_y: Cell<usize>,
}

impl Work for Server {
    fn turn<'a>(&'a self, job: &'a Job, _: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async {
            if job.target().path() == "/x" {
                return Response::Redirect(Box::new(Redirect::to(url("/y"))));
            }
            Response::Done(match self.requests_for_y.replace(1) {
                0 => Attempt::failed(Failure::new(FailureCode::Reset, "as the test says")),
                _ => Attempt::without_answer(Outcome::Saved {
                    bytes: 7,
                    sha256: [0; 32],
                    stored: Stored::Key,
                }),
            })
        })
    }
}

struct Servers;

impl WorkFactory for Servers {
    fn make(&self, _: Cpu) -> Result<Box<dyn Work>, WorkError> {
        Ok(Box::new(Server::default()))
    }
}

/// Lists the events of the one page.
#[derive(Default)]
struct Life(Vec<String>);

impl Observer for Life {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        self.0.push(match event {
            Event::Started { url, .. } => format!("Started {}", url.path()),
            Event::Onward { .. } => "Onward".into(),
            Event::Retrying { .. } => "Retrying".into(),
            Event::Settled(settled) => {
                let state = settled.attempt.outcome.state();
                assert_eq!((state, settled.job.attempts), (State::Saved, 2));
                "Settled".into()
            }
            other => panic!("{other:?}"),
        });
        Ok(())
    }
}

#[test]
fn a_page_that_is_redirected_and_retried_takes_four_turns_and_is_recorded_once() {
    let retry = RetryPolicy { retries: 1, base: Duration::ZERO, cap: Duration::ZERO };
    let options = Options { retry, ..Options::default() };
    let queue = Queue::new(options, Rng::new(1), Arc::new(SystemClock));
    queue.push(Job::new(0, url("/x"), Key::new("x.html").unwrap())).unwrap();
    queue.end_input();
    let (events, observing) = Events::start(Life::default(), Arc::new(SystemClock), || ()).unwrap();
    let one = NonZeroUsize::MIN;
    let run = Run {
        queue: &queue,
        events: &events,
        factory: &Servers,
        workers: one,
        cpus: one,
        clock: &SystemClock,
        before_page: &|| (),
    };
    exec::find(exec::SEQUENTIAL).unwrap().executor.run(&run).unwrap();
    assert_eq!(
        observing.finish().0.0,
        [
            "Started /x",
            "Onward",
            "Started /y",
            "Retrying",
            "Started /x",
            "Onward",
            "Started /y",
            "Settled",
        ]
    );
}
