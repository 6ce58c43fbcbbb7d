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

use crate::fetch::NetworkCounts;
use crate::in_flight::Phase;
use crate::model::{Hop, Job, Key, Kind, RedirectExchange, Response, SetCookie, Validators};

/// The version of the messages, with that of the program whose options they hold.
const VERSION: &str = concat!("3 ", env!("CARGO_PKG_VERSION"));
/// No message is longer, in bytes. The longest that are meant to be are the
/// head of an answer, which the HTTP library bounds, and a robots.txt.
const LIMIT: usize = 4 * 1024 * 1024;
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
    /// So many bytes of memory more, for the turn that goes on.
    Granted(u64),
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
    /// The turn needs so many bytes of memory more, and waits for them.
    Needs(u64),
    /// The turn is over, and what it was granted is free again; and what came of all requests since the last reply.
    Done(Box<Response>, NetworkCounts),
}

/// The part of a job that a turn depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    kind: Kind,
    seq: u64,
    url: Url,
    key: Key,
    /// Where redirects have led.
    hop: Option<Step>,
    validators: Option<Box<Validators>>,
}

/// A [`Hop`] without its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    url: Url,
    count: u32,
    spent: Duration,
    cookies: Vec<SetCookie>,
    has_left_home: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<RedirectExchange>,
}

impl Step {
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
            hop: job.hop.as_deref().map(Step::of),
            validators: job.validators.clone(),
        }
    }

    /// The job again. Moments do not cross; `now` stands in for them.
    pub(super) fn into_job(self, now: Instant) -> Job {
        Job {
            kind: self.kind,
            hop: self.hop.map(|step| Box::new(step.into_hop(now))),
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::model::{
        Attempt, Connections, Failure, FailureCode, Outcome, Redirect, Stored, exchange_cases,
    };

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn frame(message: &impl Serialize) -> Vec<u8> {
        let mut frames = Vec::new();
        encode(message, &mut frames).unwrap();
        frames
    }

    fn replies() -> Vec<Reply> {
        let done = |turn| Reply::Done(Box::new(turn), NetworkCounts::default());
        let saved = Outcome::Saved { bytes: 7, sha256: [0xab; 32], stored: Stored::Key };
        let failure = Failure::new(FailureCode::Reset, "a \"word\"\n\u{1f480}");
        let tally = NetworkCounts {
            connections: Connections { opened: 3, ..Connections::default() },
            proxies: vec![(1, 0), (u64::MAX, 2)],
        };
        vec![
            Reply::Ready,
            Reply::Needs(7),
            Reply::Refused(vec!["a".into(), String::new()]),
            Reply::Phase(Phase::Connecting, u64::MAX),
            Reply::Done(
                Box::new(Response::Redirect(Box::new(Redirect {
                    has_left_home: true,
                    exchange: Some(Box::new(exchange_cases::redirect(300))),
                    ..Redirect::to(url("http://me:secret@a.org/?x#y"))
                }))),
                tally,
            ),
            done(Response::Body(Bytes::from_static(b"\0\xff"))),
            done(Response::Done(Attempt {
                breaks_run: Some(vec!["no room".into()]),
                ..Attempt::failed(failure)
            })),
            done(Response::Done(Attempt {
                wait: Duration::new(7, 999_999_999),
                ..Attempt::without_answer(saved)
            })),
        ]
    }

    #[test]
    fn a_job_is_the_same_at_the_other_end_but_for_its_moments() {
        let now = SystemClock.now();
        let key = Key::new("a/b.html").unwrap();
        let validators = Validators {
            of: "http://b.org/".into(),
            etag: Some("\"x\"".into()),
            last_modified: None,
            content_type: None,
            bytes: 1,
            sha256: "00".into(),
            stored: crate::model::Stored::Key,
        };
        let (spent, count) = (Duration::from_millis(12), 3);
        let cookies = vec![SetCookie { by: url("http://a.org/"), line: "x=\"y\"".into() }];
        let (url_of_hop, has_left_home) = (url("http://b.org/"), true);
        let exchanges = vec![exchange_cases::redirect(300)];
        let hop =
            Hop { url: url_of_hop, count, started: now, spent, cookies, has_left_home, exchanges };
        let job = Job {
            kind: Kind::Robots,
            hop: Some(Box::new(hop.clone())),
            validators: Some(Box::new(validators)),
            ..Job::new(17, url("http://a.org/%20?q"), key)
        };
        let mut frames = BytesMut::from(&frame(&Order::Turn(Box::new(Task::of(&job))))[..]);
        let Some(Order::Turn(task)) = decode(&mut frames).unwrap() else { panic!() };
        let there = task.into_job(now);
        assert_eq!((there.kind, there.seq, &there.url), (job.kind, job.seq, &job.url));
        assert_eq!((&there.key, there.hop.as_deref()), (&job.key, Some(&hop)));
        assert_eq!(there.validators_of_target(), job.validators_of_target());
    }

    #[test]
    fn messages_behind_each_other_are_read_one_by_one() {
        let replies = replies();
        let all: Vec<u8> = replies.iter().flat_map(frame).collect();
        let mut frames = BytesMut::from(&all[..]);
        for reply in replies {
            assert_eq!(decode::<Reply>(&mut frames).unwrap(), Some(reply));
        }
        assert_eq!(decode::<Reply>(&mut frames).unwrap(), None);
    }

    #[test]
    fn nothing_longer_than_the_limit_is_sent_or_waited_for() {
        let mut frames = b"before".to_vec();
        let error = encode(&"x".repeat(LIMIT - 1), &mut frames).unwrap_err();
        assert!(matches!(error, WireError::TooLong(length) if length == LIMIT + 1), "{error}");
        assert_eq!(frames, b"before");
        encode(&"x".repeat(LIMIT - 2), &mut frames).unwrap();
        let mut frames = BytesMut::from(&[0xff; 4][..]);
        let error = decode::<Reply>(&mut frames).unwrap_err();
        assert!(matches!(error, WireError::TooLong(0xffff_ffff)), "{error}");
    }

    #[test]
    fn another_version_is_told_whatever_it_says() {
        let hello = serde_json::json!({"v": "0 9.9", "options": 7});
        let error = set_up::<u32>(hello).unwrap_err();
        assert!(matches!(&error, WireError::Version(v) if v == "0 9.9"), "{error}");
        let hello = serde_json::to_value(Hello::new(7)).unwrap();
        assert_eq!(set_up::<u32>(hello.clone()).unwrap(), 7);
        assert!(matches!(set_up::<String>(hello), Err(WireError::Garbled(_))));
    }

    proptest! {
        #[test]
        fn a_message_that_is_cut_is_waited_for(which in 0..7_usize, cut in any::<prop::sample::Index>()) {
            let whole = frame(&replies()[which]);
            let cut = cut.index(whole.len());
            let mut frames = BytesMut::from(&whole[..cut]);
            prop_assert_eq!(decode::<Reply>(&mut frames).unwrap(), None);
            frames.extend_from_slice(&whole[cut..]);
            prop_assert_eq!(decode(&mut frames).unwrap(), Some(replies().swap_remove(which)));
        }

        #[test]
        fn soiled_messages_are_told_or_waited_for(
            which in 0..7_usize,
            stains in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut soiled = frame(&replies()[which]);
            for (at, stain) in stains {
                let at = at.index(soiled.len());
                soiled[at] = stain;
            }
            let mut frames = BytesMut::from(&soiled[..]);
            // Whatever it is taken for, there is an end to it.
            let mut rounds = 0;
            while let Ok(Some(_)) = decode::<Reply>(&mut frames) {
                rounds += 1;
            }
            prop_assert!(rounds <= soiled.len() / PREFIX);
        }
    }

    fn on_a_loop<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn pipes() -> (Pipe, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Pipe::new(ours).unwrap(), theirs)
    }

    #[test]
    fn an_end_between_messages_is_one_and_within_a_message_a_failure() {
        on_a_loop(async {
            let (mut pipe, mut theirs) = pipes();
            theirs.write_all(&frame(&Reply::Ready)).unwrap();
            drop(theirs);
            assert_eq!(pipe.receive().await.unwrap(), Some(Reply::Ready));
            assert_eq!(pipe.receive::<Reply>().await.unwrap(), None);
            let (mut pipe, mut theirs) = pipes();
            theirs.write_all(&frame(&Reply::Ready)[..5]).unwrap();
            drop(theirs);
            assert!(matches!(pipe.receive::<Reply>().await, Err(WireError::Cut)));
        });
    }

    #[test]
    fn a_message_that_is_larger_than_the_connection_holds_gets_through() {
        on_a_loop(async {
            let (mut pipe, theirs) = pipes();
            let mut other = Pipe::new(theirs).unwrap();
            let why = vec!["x".repeat(LIMIT - 100)];
            let message = frame(&Reply::Refused(why.clone()));
            let (sent, received) = tokio::join!(pipe.send(&message), other.receive());
            sent.unwrap();
            assert!(received.unwrap() == Some(Reply::Refused(why)));
        });
    }
}
