//! The messages between a worker process and its parent, and their encoding: a length
//! in four bytes, the most significant first, then that number of bytes of JSON.
//!
//! Both sides are usually the same program. If its file was replaced meanwhile, the version
//! in the first message shows it. `work.rs` and `serve.rs` decide on the order of messages.

use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::fetch::NetworkCounts;
use crate::in_flight::Phase;
use crate::model::{Hop, Job, Key, Kind, RedirectExchange, Response, SetCookie, Validators};

/// The version of the messages, with that of the program whose options they hold.
const VERSION: &str = concat!("3 ", env!("CARGO_PKG_VERSION"));
/// The longest message, in bytes. The longest expected ones hold the head of an answer, which
/// the HTTP library limits, or a robots.txt.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;
/// The size of the length, in bytes.
pub(super) const PREFIX: usize = size_of::<u32>();

/// A message cannot be sent or received.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A pipe failed.
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    /// The message is longer than the limit.
    #[error("a message of {0} bytes is longer than {LIMIT}")]
    TooLong(usize),
    /// The connection ended within the message.
    #[error("the connection ended within a message")]
    Cut,
    /// The bytes are not a message.
    #[error("a message cannot be understood")]
    Garbled(#[from] serde_json::Error),
    /// Another version of the program sent it.
    #[error("the program is another version, {0:?} instead of {VERSION:?}")]
    Version(String),
}

/// The first message, from the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello<S> {
    v: String,
    set_up: S,
}

/// The part of a first message that every version can read.
#[derive(Deserialize)]
struct AnyHello {
    v: String,
}

impl<S> Hello<S> {
    pub(super) fn new(set_up: S) -> Self {
        Self { v: VERSION.to_owned(), set_up }
    }
}

/// Returns the set-up in a first message.
pub(super) fn set_up<S: DeserializeOwned>(hello: serde_json::Value) -> Result<S, WireError> {
    let AnyHello { v } = AnyHello::deserialize(&hello)?;
    if v != VERSION {
        return Err(WireError::Version(v));
    }
    let hello: Hello<S> = serde_json::from_value(hello)?;
    Ok(hello.set_up)
}

/// A message from the parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// Do a turn of this job. The parent sends one at a time.
    Turn(Box<Task>),
    /// End the current turn, if there is one.
    Cancel,
    /// The current turn may use this many more bytes of memory.
    Granted(u64),
}

/// A message from a worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WorkerReply {
    /// The set-up is done.
    Ready,
    /// The set-up failed, for these reasons, outermost first.
    Refused(Vec<String>),
    /// The progress of the current turn: its phase, and the bytes received.
    Phase(Phase, u64),
    /// The turn waits for this many more bytes of memory.
    Needs(u64),
    /// The turn ended with this result, and the memory that it was granted is free
    /// again. The counts are those of all requests since the last such message.
    Done(Box<Response>, NetworkCounts),
}

/// The part of a job that its turn depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    kind: Kind,
    seq: u64,
    url: Url,
    key: Key,
    /// The address that redirects have led to.
    hop: Option<TaskHop>,
    validators: Option<Box<Validators>>,
}

/// A [`Hop`] without its start: moments mean nothing in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TaskHop {
    url: Url,
    count: u32,
    spent: Duration,
    cookies: Vec<SetCookie>,
    has_left_home: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<RedirectExchange>,
}

impl TaskHop {
    fn of(hop: &Hop) -> Self {
        let Hop { url, count, started: _, spent, cookies, has_left_home, exchanges } = hop.clone();
        Self { url, count, spent, cookies, has_left_home, exchanges }
    }

    fn into_hop(self, started: Instant) -> Hop {
        let Self { url, count, spent, cookies, has_left_home, exchanges } = self;
        Hop { url, count, started, spent, cookies, has_left_home, exchanges }
    }
}

impl Task {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            kind: job.kind,
            seq: job.seq,
            url: job.url.clone(),
            key: job.key.clone(),
            hop: job.hop.as_deref().map(TaskHop::of),
            validators: job.validators.clone(),
        }
    }

    /// Turns it into a job again. `now` stands in for the moments that were left out.
    pub(super) fn into_job(self, now: Instant) -> Job {
        Job {
            kind: self.kind,
            hop: self.hop.map(|hop| Box::new(hop.into_hop(now))),
            validators: self.validators,
            ..Job::new(self.seq, self.url, self.key)
        }
    }
}

/// Encodes `message` and appends it to `frames`. A message that is too long leaves
/// `frames` unchanged.
pub(super) fn encode(message: &impl Serialize, frames: &mut Vec<u8>) -> Result<(), WireError> {
    let start = frames.len();
    frames.extend_from_slice(&[0; PREFIX]);
    serde_json::to_writer(&mut *frames, message)?;
    let length = frames.len() - start - PREFIX;
    match u32::try_from(length) {
        Ok(prefix) if length <= LIMIT => {
            frames[start..start + PREFIX].copy_from_slice(&prefix.to_be_bytes());
            Ok(())
        }
        _ => {
            frames.truncate(start);
            Err(WireError::TooLong(length))
        }
    }
}

/// Takes the first message out of `frames`; `None` until all of its bytes are there.
pub(super) fn decode<T: DeserializeOwned>(frames: &mut BytesMut) -> Result<Option<T>, WireError> {
    let Some(prefix) = frames.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
    if length > LIMIT {
        return Err(WireError::TooLong(length));
    }
    let Some(message) = frames.get(PREFIX..PREFIX + length) else {
        return Ok(None);
    };
    let message = serde_json::from_slice(message)?;
    frames.advance(PREFIX + length);
    Ok(Some(message))
}
