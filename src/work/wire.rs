//! What a worker process and its parent say to each other, and how that is put
//! into bytes: a length in four bytes, the most significant first, and so much JSON.
//!
//! Both ends are the same program as a rule; where a file was replaced
//! meanwhile, the version in the first message tells it. Who speaks when is not
//! decided here.

use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::{Receiver, Sender};
use url::Url;

use crate::fetch::Tally;
use crate::model::{Hop, Job, Key, Kind, Turn, Validators};
use crate::phase::Phase;

/// The version of the messages, with that of the program whose options they hold.
const VERSION: &str = concat!("1 ", env!("CARGO_PKG_VERSION"));
/// No message is longer, in bytes. The longest that are meant to be are the
/// head of an answer, which the HTTP library bounds, and a robots.txt.
const LIMIT: usize = 16 * 1024 * 1024;
/// The size of the length.
const PREFIX: usize = size_of::<u32>();
/// Room for reading: most messages come whole in one read.
const ROOM: usize = 8 * 1024;

/// A message cannot be sent or understood.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    /// It is longer than any is meant to be.
    #[error("a message of {0} bytes is longer than {LIMIT}")]
    TooLong(usize),
    /// The connection ended within it.
    #[error("the connection ended within a message")]
    Cut,
    /// It is none.
    #[error("a message cannot be understood")]
    Garbled(#[from] serde_json::Error),
    /// It is of another version of the program.
    #[error("the program is another version, {0:?} instead of {VERSION:?}")]
    Version(String),
}

/// The first message, from the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello<S> {
    v: String,
    set_up: S,
}

/// What can be read of a first message of any version.
#[derive(Deserialize)]
struct AnyHello {
    v: String,
}

impl<S> Hello<S> {
    pub(super) fn new(set_up: S) -> Self {
        Self { v: VERSION.to_owned(), set_up }
    }
}

/// Reads the set-up out of a first message.
pub(super) fn set_up<S: DeserializeOwned>(hello: serde_json::Value) -> Result<S, WireError> {
    let AnyHello { v } = AnyHello::deserialize(&hello)?;
    if v != VERSION {
        return Err(WireError::Version(v));
    }
    let hello: Hello<S> = serde_json::from_value(hello)?;
    Ok(hello.set_up)
}

/// What the parent wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// A turn of this job; one at a time.
    Turn(Box<Task>),
    /// The end of the turn that goes on, if one does.
    Cancel,
}

/// What a worker process says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The set-up is done.
    Ready,
    /// The set-up cannot be done, and why, outermost words first.
    Refused(Vec<String>),
    /// How far the turn has come.
    Phase(Phase, u64),
    /// The turn is over; and what came of all requests since the last reply.
    Done(Box<Turn>, Tally),
}

/// The part of a job that a turn depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    kind: Kind,
    seq: u64,
    url: Url,
    key: Key,
    /// Where redirects have led, how many, and the time that they took.
    hop: Option<(Url, u32, Duration)>,
    validators: Option<Box<Validators>>,
}

impl Task {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            kind: job.kind,
            seq: job.seq,
            url: job.url.clone(),
            key: job.key.clone(),
            hop: job.hop.as_ref().map(|hop| (hop.url.clone(), hop.count, hop.spent)),
            validators: job.validators.clone(),
        }
    }

    /// The job again. Moments do not cross; `now` stands in for them.
    pub(super) fn into_job(self, now: Instant) -> Job {
        let hop = |(url, count, spent)| Box::new(Hop { url, count, started: now, spent });
        Job {
            kind: self.kind,
            hop: self.hop.map(hop),
            validators: self.validators,
            ..Job::new(self.seq, self.url, self.key)
        }
    }
}

/// Puts `message` into bytes, behind those that are in `frames`, which stay as
/// they are when it is too long.
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

/// Takes the first message out of `frames`; `None` when it is not there as a whole yet.
fn decode<T: DeserializeOwned>(frames: &mut BytesMut) -> Result<Option<T>, WireError> {
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

/// One end of the connection between a worker process and its parent.
///
/// It is watched for what comes and not for room to send: nearly always there is
/// room, and a Unix socket tells of it whenever the other end has read something,
/// which would wake both ends once more for each message.
pub(super) struct Pipe {
    stream: UnixStream,
    /// The same connection, watched.
    incoming: Receiver,
    /// What was read and not understood yet.
    frames: BytesMut,
}

impl Pipe {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // Unchecked because a socket is no pipe; it is read in the same way.
        let incoming = Receiver::from_owned_fd_unchecked(stream.try_clone()?.into())?;
        Ok(Self { stream, incoming, frames: BytesMut::new() })
    }

    /// The connection by itself, when nothing more is to be said.
    pub(super) fn into_stream(self) -> UnixStream {
        self.stream
    }

    /// Sends messages that are in bytes already.
    pub(super) async fn send(&mut self, mut frames: &[u8]) -> Result<(), WireError> {
        while !frames.is_empty() {
            match self.stream.write(frames) {
                Ok(count) => frames = &frames[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_for_room().await?,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn wait_for_room(&self) -> io::Result<()> {
        let outgoing = Sender::from_owned_fd_unchecked(self.stream.try_clone()?.into())?;
        outgoing.writable().await
    }

    /// Receives a message; `None` at the end. Nothing is lost when this is dropped.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        loop {
            if let Some(message) = decode(&mut self.frames)? {
                return Ok(Some(message));
            }
            self.frames.reserve(ROOM);
            if self.incoming.read_buf(&mut self.frames).await? == 0 {
                return if self.frames.is_empty() { Ok(None) } else { Err(WireError::Cut) };
            }
        }
    }
}
