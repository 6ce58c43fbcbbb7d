//! Pages whose worker processes die, hang, send rubbish or do not start.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use url::Url;

use super::super::pool::{STARTS, WorkerPool};
use super::super::wire::{self, WorkerReply};
use super::super::work::ProcessWork;
use super::super::worker::{self, Program};
use crate::budget::Budget;
use crate::fetch::NetworkCounts;
use crate::in_flight::{InFlight, Phase};
use crate::model::{Attempt, Failure, FailureCode, Job, Key, Outcome, Response};
use crate::save;
use crate::work::Work;
use crate::work::tests::scripted::{self, Behaviour};

fn on_a_loop<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs a turn with this behaviour in a scripted process.
async fn turn(work: &ProcessWork, behaviour: Behaviour, in_flight: &InFlight) -> Attempt {
    let url = Url::parse("http://a.org/").unwrap();
    let job =
        scripted::with_behaviour(&Job::new(0, url, Key::new("a.html").unwrap()), behaviour, 1);
    match work.turn(&job, in_flight).await {
        Response::Done(attempt) => attempt,
        turn => panic!("{turn:?}"),
    }
}

async fn save(work: &ProcessWork) -> Attempt {
    turn(work, Behaviour::Save, &Arc::default()).await
}

fn failure(attempt: &Attempt) -> &Failure {
    match &attempt.outcome {
        Outcome::Failed(failure) => failure,
        outcome => panic!("{outcome:?}"),
    }
}

fn is_saved(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Saved { .. })
}

/// Processes that follow a script.
fn scripted() -> ProcessWork {
    scripted::processes(scripted::program().unwrap(), ()).unwrap()
}

/// Processes that run this shell script, with the pipes as its standard input and output.
fn shell(script: &str) -> ProcessWork {
    scripted::processes(shell_program(script), ()).unwrap()
}

fn shell_program(script: &str) -> Program {
    Program { path: "/bin/sh".into(), arguments: ["-c", script].map(Into::into).into() }
}

/// A shell command that sends these bytes.
fn send(bytes: &[u8]) -> String {
    let octal: Vec<_> = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("printf '{}'; ", octal.concat())
}

fn frames(replies: &[WorkerReply]) -> Vec<u8> {
    let mut frames = Vec::new();
    for reply in replies {
        wire::encode(reply, &mut frames).unwrap();
    }
    frames
}

/// A shell command that reads until the end and sends nothing. Its output stays open.
const LISTEN: &str = "exec cat 3>&1 >/dev/null";

fn idle_process(work: &ProcessWork) -> Pid {
    let idle = work.pool.idle.borrow();
    let [process] = &idle[..] else { panic!("{} are idle", idle.len()) };
    Pid::from_raw(i32::try_from(process.id()).unwrap())
}

#[test]
fn one_that_dies_while_it_is_idle_costs_no_page_anything() {
    on_a_loop(async {
        let work = scripted();
        assert!(is_saved(&save(&work).await));
        let process = idle_process(&work);
        kill(process, Signal::SIGKILL).unwrap();
        // Waits until it is dead, and leaves it to be reaped.
        waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
        tokio::task::yield_now().await;
        assert!(is_saved(&save(&work).await));
        assert_eq!(work.pool.started.get(), 2);
        assert_ne!(idle_process(&work), process);
    });
}

#[test]
fn one_that_is_killed_while_it_is_busy_is_told_by_number_and_signal() {
    on_a_loop(async {
        let work = scripted();
        assert!(is_saved(&save(&work).await));
        let process = idle_process(&work);
        let in_flight = InFlight::default();
        let mut hanging = pin!(turn(&work, Behaviour::Hang, &in_flight));
        let attempt = tokio::select! {
            biased;
            attempt = &mut hanging => attempt,
            () = async { kill(process, Signal::SIGKILL).unwrap() } => hanging.await,
        };
        let failure = failure(&attempt);
        assert_eq!(failure.code, FailureCode::WorkerLost);
        assert_eq!(failure.message.raw(), "worker process 1 was killed by signal 9 (SIGKILL)");
        assert_eq!(attempt.breaks_run, None);
        assert!(is_saved(&save(&work).await));
    });
}

#[test]
fn processes_are_used_again_and_end_with_their_work() {
    on_a_loop(async {
        let work = scripted();
        for _ in 0..3 {
            assert!(is_saved(&save(&work).await));
        }
        let process = idle_process(&work);
        drop(work);
        assert!(kill(process, None).is_err(), "it still exists, or was not reaped");
    });
}

#[test]
fn a_turn_that_is_cancelled_ends_and_leaves_its_process_usable() {
    on_a_loop(async {
        let work = scripted();
        let in_flight = InFlight::default();
        let mut hanging = pin!(turn(&work, Behaviour::Hang, &in_flight));
        let attempt = tokio::select! {
            biased;
            attempt = &mut hanging => attempt,
            () = async {
                assert!(!in_flight.commit().cancel(), "a page may be dropped");
            } => hanging.await,
        };
        assert_eq!(attempt.outcome, Outcome::Interrupted);
        // It was cancelled before the process had begun with it, or after.
        assert!(is_saved(&save(&work).await));
    });
}

#[test]
fn one_that_does_not_heed_a_cancellation_is_killed() {
    on_a_loop(async {
        let script = send(&frames(&[WorkerReply::Ready])) + LISTEN;
        let mut work = shell(&script);
        work.patience = Duration::ZERO;
        let in_flight = InFlight::default();
        let mut waiting = pin!(turn(&work, Behaviour::Save, &in_flight));
        let attempt = tokio::select! {
            biased;
            attempt = &mut waiting => attempt,
            () = async { assert!(!in_flight.commit().cancel()) } => waiting.await,
        };
        assert_eq!(attempt.outcome, Outcome::Interrupted);
        assert!(work.pool.idle.borrow().is_empty());
    });
}

#[test]
fn what_a_process_tells_of_its_turn_is_noted() {
    on_a_loop(async {
        let done = Attempt::without_answer(Outcome::Unchanged);
        let progress = WorkerReply::Phase(Phase::Receiving, 7);
        let done = WorkerReply::Done(Box::new(Response::Done(done)), NetworkCounts::default());
        let work = shell(&(send(&frames(&[WorkerReply::Ready, progress, done])) + LISTEN));
        let in_flight = InFlight::default();
        let attempt = turn(&work, Behaviour::Save, &in_flight).await;
        assert_eq!(attempt.outcome, Outcome::Unchanged);
        assert_eq!(
            (in_flight.progress().get(), in_flight.progress().bytes()),
            (Phase::Receiving, 7)
        );
    });
}

#[test]
fn one_that_says_rubbish_is_of_no_use() {
    on_a_loop(async {
        let rubbish = b"\0\0\0\x02{]";
        // During its set-up: every other process would do the same.
        let attempt = save(&shell(&(send(rubbish) + LISTEN))).await;
        let words = attempt.breaks_run.clone().unwrap().join(": ");
        assert!(words.starts_with("failed to start worker process 1: it is of no use"), "{words}");
        // Later: only this process is at fault.
        let later = [&frames(&[WorkerReply::Ready])[..], rubbish].concat();
        let attempt = save(&shell(&(send(&later) + LISTEN))).await;
        assert_eq!(attempt.breaks_run, None);
        assert_eq!(failure(&attempt).code, FailureCode::WorkerLost);
    });
}

#[test]
fn a_process_that_cannot_be_set_up_breaks_the_run_and_says_why() {
    on_a_loop(async {
        let refusing =
            shell(&send(&frames(&[WorkerReply::Refused(vec!["no such option".into()])])));
        let missing = Program { path: "/no/such/file".into(), arguments: Vec::new() };
        let missing = scripted::processes(missing, ()).unwrap();
        let program = scripted::program().unwrap();
        let strange = scripted::processes(program, "another set-up").unwrap();
        for (work, why) in [
            (shell("exit 3"), "it ended with status 3"),
            (refusing, "no such option"),
            (missing, "No such file or directory"),
            (strange, "a message cannot be understood"),
        ] {
            let attempt = save(&work).await;
            let words = attempt.breaks_run.clone().unwrap();
            assert_eq!(words[0], "failed to start worker process 1");
            assert!(words[1].starts_with(why), "{words:?}");
            assert!(failure(&attempt).message.raw().contains(why));
        }
    });
}

#[test]
fn one_that_is_killed_in_its_set_up_may_be_bad_luck_but_three_are_not() {
    on_a_loop(async {
        let work = shell("kill -9 $$");
        for _ in 1..STARTS {
            let attempt = save(&work).await;
            assert_eq!(failure(&attempt).code, FailureCode::WorkerLost);
            assert_eq!(attempt.breaks_run, None);
        }
        assert!(save(&work).await.breaks_run.is_some());
    });
}

#[test]
fn what_a_dead_process_had_staged_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let target = save::sink::Target::Directory(root.path().into());
    let sink = save::SinkLocation::of(&target).open().unwrap().unwrap();
    let staged = root.path().join(".fetchpages-$$-0.part");
    let ready = send(&frames(&[WorkerReply::Ready]));
    let program = shell_program(&format!("{ready} : > {}; kill -9 $$", staged.display()));
    let pool = WorkerPool::new(program, Arc::new(sink));
    let work = ProcessWork::new(pool, (), Arc::new(Budget::unlimited()), |_| ()).unwrap();
    let attempt = on_a_loop(save(&work));
    assert_eq!(failure(&attempt).code, FailureCode::WorkerLost);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_process_whose_orders_end_has_time_to_end_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ended by itself");
    let saved = WorkerReply::Done(
        Box::new(Response::Done(Attempt::without_answer(Outcome::Unchanged))),
        NetworkCounts::default(),
    );
    let replies = send(&frames(&[WorkerReply::Ready, saved]));
    let work = shell(&format!("{replies} cat >/dev/null; : > '{}'", mark.display()));
    on_a_loop(async {
        assert_eq!(save(&work).await.outcome, Outcome::Unchanged);
        worker::shut_down(work.pool.idle.take(), Duration::from_mins(10));
    });
    assert!(mark.exists());
}
