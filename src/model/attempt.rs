//! One attempt at a page: how it ended, what it cost, and the record that it leaves.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::compact;
use super::failure::Failure;
use super::head::Head;
use super::job::Job;
use super::redirect::Redirect;
use super::stored::Stored;
use crate::foreign::Foreign;

/// How one attempt at a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The page is complete, and saved unless the run saves nothing.
    Saved {
        /// Size of the decoded body.
        bytes: u64,
        /// SHA-256 of the decoded body.
        #[serde(with = "compact::hex")]
        sha256: [u8; 32],
        /// Where it is.
        stored: Stored,
    },
    /// The server answered that the page has not changed since it was last saved.
    Unchanged,
    /// The page could not be fetched or saved.
    Failed(Failure),
    /// The host's robots rules forbid the request.
    Robots,
    /// The run stopped before the attempt ended.
    Interrupted,
}

impl Outcome {
    /// The recorded state of a page that ends with this outcome.
    pub const fn state(&self) -> State {
        match self {
            Self::Saved { .. } => State::Saved,
            Self::Unchanged => State::Unchanged,
            Self::Failed(_) => State::Failed,
            Self::Robots => State::Robots,
            Self::Interrupted => State::Interrupted,
        }
    }
}

/// When each stage of an attempt's last turn ended, from the start of that turn; zero for
/// a stage that was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// The answer was received, complete or not.
    #[serde(with = "compact::nanos")]
    pub received: Duration,
    /// A thread began to decode the answer.
    #[serde(with = "compact::nanos")]
    pub taken_up: Duration,
    /// The body was decoded and hashed.
    #[serde(with = "compact::nanos")]
    pub computed: Duration,
    /// The page was saved.
    #[serde(with = "compact::nanos")]
    pub saved: Duration,
    /// The thread of the CPU pool that decoded, counted from 0; `None` when the
    /// worker itself did.
    pub thread: Option<usize>,
}

impl Stages {
    /// The stages of an attempt that reached none of them.
    pub const NONE: Self = Self {
        received: Duration::ZERO,
        taken_up: Duration::ZERO,
        computed: Duration::ZERO,
        saved: Duration::ZERO,
        thread: None,
    };
}

/// One attempt at a page: how it ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// The head of the last answer, if one was received.
    pub head: Option<Box<Head>>,
    /// Size of the encoded body as received.
    pub wire_bytes: u64,
    /// From the start of the attempt to the response's headers.
    #[serde(with = "compact::nanos")]
    pub wait: Duration,
    /// CPU time of decoding and hashing.
    #[serde(with = "compact::nanos")]
    pub cpu: Duration,
    /// When its stages ended.
    pub stages: Stages,
    /// An oddity of the answer that did no harm, for the record.
    pub note: Option<Foreign>,
    /// Whether the server was overloaded and did not process the request: it then does
    /// not count as an attempt.
    pub is_refused: bool,
    /// Set when every further page would fail in the same way, as on a full disk: the run
    /// stops. These are the causes, the outermost first.
    pub breaks_run: Option<Vec<String>>,
}

impl Attempt {
    /// An attempt that ended in `outcome` before any answer came.
    pub const fn without_answer(outcome: Outcome) -> Self {
        Self {
            outcome,
            head: None,
            wire_bytes: 0,
            wait: Duration::ZERO,
            cpu: Duration::ZERO,
            stages: Stages::NONE,
            note: None,
            is_refused: false,
            breaks_run: None,
        }
    }

    /// An attempt that failed before any answer came.
    pub const fn failed(failure: Failure) -> Self {
        Self::without_answer(Outcome::Failed(failure))
    }
}

/// What one turn of a job brought: a turn is one exchange, a request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly every response is the large one")]
pub enum Response {
    /// The attempt ended.
    Done(Attempt),
    /// The answer leads on to another address, whose host may have limits of its own.
    Redirect(Box<Redirect>),
    /// The decoded body of a robots.txt (for the queue) or of a page that the source reads.
    Body(Bytes),
}

/// A finished page: its one record of this run.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The page, with its attempts counted.
    pub job: Job,
    /// The last attempt.
    pub attempt: Attempt,
    /// The worker of its last attempt, counted from 0; `None` without an attempt.
    pub worker: Option<usize>,
    /// When the last attempt began; `None` without an attempt.
    pub started: Option<Instant>,
    /// How long the last attempt took, saving included.
    pub total: Duration,
}

/// The kind of workers that a run has, for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerKind {
    /// Threads: each waits and computes for its own pages.
    Thread,
    /// Tasks of one event loop; its thread or a pool computes for them.
    Task,
    /// Processes.
    Process,
}

/// The state that a URL ends in; each has exactly one in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Fetched and saved in this run.
    Saved,
    /// Requested again; the saved page is still current.
    Unchanged,
    /// Could not be fetched or saved.
    Failed,
    /// Not requested, because the host's robots rules forbid it.
    Robots,
    /// The run stopped before the page was finished.
    Interrupted,
}

impl State {
    /// The stable name, as in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Robots => "robots",
            Self::Interrupted => "interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureCode;

    #[test]
    fn codes_read_in_the_manifest_as_they_are_told() {
        for code in FailureCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
        }
        for state in [State::Saved, State::Unchanged, State::Interrupted] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.as_str()));
        }
    }
}
