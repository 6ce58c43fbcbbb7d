//! Ends a run from outside: by Ctrl-C or SIGTERM, and by its deadline. The first signal ends the
//! run cleanly, the second one at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Status;
use crate::queue::{Queue, StopReason};

/// How long pages in flight may go on after the first signal: with [`SAME_SIGNAL`], two seconds.
const GRACE: Duration = Duration::from_millis(1_800);

/// Signals within this time count as one.
const SAME_SIGNAL: Duration = Duration::from_millis(200);

/// Starts a thread that watches for signals until the process ends. It calls `on_first` at the
/// first signal, before it closes the queue. When `deadline` has passed, it ends the run without
/// waiting for pages in flight.
///
/// # Errors
///
/// When the system gives no thread or no signal handler.
pub(super) fn watch(
    queue: Arc<Queue>,
    deadline: Option<Duration>,
    on_first: impl Fn() + Send + 'static,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (interrupt, terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = handle(interrupt, terminate, &queue, &on_first) => (),
                () = expire(deadline, &queue) => (),
            }
        });
    })?;
    Ok(())
}

/// Starts a thread that watches for signals until the process ends. It calls `stop` at the first
/// signal, which may also be that of a closed terminal, and ends the process at the second.
///
/// # Errors
///
/// When the system gives no thread or no signal handler.
pub(super) fn watch_for_stop(stop: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        let kinds = (SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup());
        (signal(kinds.0)?, signal(kinds.1)?, signal(kinds.2)?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = next(&mut interrupt, &mut terminate) => (),
                _ = hangup.recv() => (),
            }
            stop();
            pass_repeated(&mut interrupt, &mut terminate).await;
            next(&mut interrupt, &mut terminate).await;
        });
        end_at_once();
    })?;
    Ok(())
}

/// Starts a thread that ends the process at once when standard input ends: the process at its
/// other end has then ended.
///
/// # Errors
///
/// When the system gives no thread.
pub(super) fn end_with_input() -> std::io::Result<()> {
    std::thread::Builder::new().name("input".into()).spawn(|| {
        // An end and an error mean the same.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        end_at_once();
    })?;
    Ok(())
}

/// Ends the run when its time is over. This future never ends, so that signals are still watched.
async fn expire(deadline: Option<Duration>, queue: &Queue) {
    if let Some(deadline) = deadline {
        tokio::time::sleep(deadline).await;
        queue.abort(StopReason::Deadline);
    }
    std::future::pending::<()>().await;
}

async fn handle(mut interrupt: Signal, mut terminate: Signal, queue: &Queue, on_first: &impl Fn()) {
    next(&mut interrupt, &mut terminate).await;
    on_first();
    queue.close(StopReason::Interrupted);
    pass_repeated(&mut interrupt, &mut terminate).await;
    if tokio::time::timeout(GRACE, next(&mut interrupt, &mut terminate)).await.is_err() {
        queue.abort(StopReason::Interrupted);
        next(&mut interrupt, &mut terminate).await;
    }
    end_at_once();
}

/// Ignores signals that repeat the first one: some programs, such as timeout(1), send a signal to
/// a process and at once again to its group.
async fn pass_repeated(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::time::sleep(SAME_SIGNAL).await;
    while next(interrupt, terminate).now_or_never().is_some() {}
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

/// Ends the process at once, because the user asked twice. The manifest is readable up to its
/// last line at any moment.
#[expect(clippy::exit, reason = "a second signal ends the process wherever its threads are")]
pub(super) fn end_at_once() {
    std::process::exit(i32::from(Status::Interrupted as u8));
}
