//! `processes`: copies of this program, each with one page at a time.
//!
//! A process shares nothing with the others, so nothing that goes wrong with one page
//! touches another. What passes between them is messages over pipes:
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use std::process::{Command, Stdio};
//!
//! // `cat` stands for a worker that returns each page as it came.
//! let mut worker =
//!     Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//! let mut orders = worker.stdin.take().expect("it is piped");
//! let mut results = BufReader::new(worker.stdout.take().expect("it is piped"));
//!
//! writeln!(orders, "page 1")?;
//! let mut result = String::new();
//! results.read_line(&mut result)?; // the parent serves other workers
//! assert_eq!(result, "page 1\n");
//!
//! drop(orders); // the end of the orders ends the worker
//! assert!(worker.wait()?.success());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **A page in it**: a worker on the parent's event loop sends the job to an idle process and
//! waits for its result. The process fetches, computes and saves; the body never leaves it.
//! A process that dies costs its page a retry (`worker-lost`), and the next page gets a new
//! process.
//!
//! **Why it is written so**: this file only hosts the loop, as [`async`](super::event_loop)
//! does. The processes are the business of
//! [`ProcessWorkFactory`](crate::work::process::factory::ProcessWorkFactory), which `app`
//! passes in `Run::factory` when [`workers_are`](Executor::workers_are) returns
//! [`WorkerKind::Process`]. So the loop needs no second form for them.
//!
//! **Where it loses**: it overlaps one wait per process, as `rayon` does per thread, and the
//! messages come on top. A process costs far more memory than a thread, and shares no
//! connection, TLS session or name lookup with the others.

use super::{ExecError, Executor, Run, event_loop};
use crate::model::WorkerKind;
use crate::work::Cpu;

/// Runs the loop N times on one event loop, each time for one worker process.
pub(super) struct Processes;

impl Executor for Processes {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        // The factory of worker processes computes nothing here, whatever this says.
        event_loop::host(run, Cpu::Inline)
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Process
    }
}
