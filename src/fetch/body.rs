//! Reads bodies, as far as they are of use.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::exchange::Trail;
use super::{Ask, Options, Want, failure};
use crate::model::{Failure, FailureCode};
use crate::phase::PhaseCell;

/// At most so much of a body that will not be saved is read: enough to tell a
/// reason, and to let the connection be used again.
const UNSAVED_BODY_LIMIT: u64 = 64 * 1024;
/// So long such a body is waited for: the status is known, and the attempt must
/// not run into its own limit, which would be recorded instead.
const UNSAVED_BODY_TIME: Duration = Duration::from_secs(2);
/// Room that is made for an announced body at once; a larger one grows as it
/// comes, so that a lying Content-Length costs nothing.
const FIRST_ROOM: u64 = 4 * 1024 * 1024;
/// Reads the body, or as much of one that is not saved as is useful.
pub(super) async fn read(
    options: &Options,
    response: &mut Response,
    trail: &mut Trail,
    ask: &Ask<'_>,
) -> Result<Bytes, Failure> {
    let mut body = Collected::default();
    if !response.status().is_success() {
        let reading = read_reason(response, &mut body, trail, ask.phase);
        // A reason that does not come whole is told as far as it came.
        let _ = timeout(UNSAVED_BODY_TIME.min(options.read_timeout), reading).await;
        return Ok(body.finish());
    }
    let (limit, is_cut) = match ask.want {
        Want::Whole => (options.max_size, false),
        Want::Start(limit) => (limit, true),
    };
    let announced = response.content_length();
    if !is_cut && announced.is_some_and(|announced| announced > limit) {
        return Err(too_large(limit));
    }
    loop {
        let chunk = match within(options.read_timeout, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(body.finish()),
            Ok(Err(error)) => return Err(failure::in_body(&error)),
            Err(_elapsed) => {
                let silence = options.read_timeout;
                let message = format!(
                    "silent for {silence:?} after {} bytes (--read-timeout)",
                    trail.wire_bytes
                );
                return Err(Failure::new(FailureCode::ReadTimeout, message));
            }
        };
        trail.wire_bytes += chunk.len() as u64;
        ask.phase.set_bytes(trail.wire_bytes);
        if trail.wire_bytes > limit {
            return if is_cut { Ok(body.finish_with(chunk)) } else { Err(too_large(limit)) };
        }
        body.push(chunk, announced);
    }
}

/// Waits for `future`, for `limit` at most. What is there already, as most small
/// bodies are, needs no clock.
async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout(limit, future).await,
    }
}

/// Reads a body that is not saved, as far as it comes and is useful.
async fn read_reason(
    response: &mut Response,
    body: &mut Collected,
    trail: &mut Trail,
    phase: &PhaseCell,
) {
    while let Ok(Some(chunk)) = response.chunk().await {
        trail.wire_bytes += chunk.len() as u64;
        phase.set_bytes(trail.wire_bytes);
        if trail.wire_bytes > UNSAVED_BODY_LIMIT {
            return;
        }
        body.push(chunk, None);
    }
}

/// Chunks of a body; a body of one chunk is not copied.
#[derive(Default)]
enum Collected {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Collected {
    fn push(&mut self, chunk: Bytes, announced: Option<u64>) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(chunk),
            Self::One(first) => {
                let room = announced.unwrap_or(0).min(FIRST_ROOM);
                let room = usize::try_from(room).unwrap_or(0).max(first.len() + chunk.len());
                let mut all = BytesMut::with_capacity(room);
                all.extend_from_slice(&first);
                all.extend_from_slice(&chunk);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                all.extend_from_slice(&chunk);
                Self::Many(all)
            }
        };
    }

    fn finish_with(mut self, last: Bytes) -> Bytes {
        self.push(last, None);
        self.finish()
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(all) => all.freeze(),
        }
    }
}

fn too_large(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("more than {limit} bytes on the wire (--max-size)"))
}
