//! Writes to standard output and standard error. No other file does, and each text is
//! [`Printable`].

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::panic;

use crate::foreign::{Foreign, clean};
use crate::printable::Printable;

/// The bytes of a long output that are written at a time.
const BUFFER: usize = 64 * 1024;

/// Writes to standard error. A closed standard error is no error: no reader is left.
pub(super) fn report(lines: &Printable) {
    let _ = io::stderr().lock().write_all(lines.as_str().as_bytes());
}

/// Writes one line to standard error.
pub(super) fn report_line(line: impl std::fmt::Display) {
    report(&Printable::line(line));
}

/// Returns standard error, for the progress.
pub(super) fn errors() -> Box<dyn Write + Send> {
    Box::new(io::stderr())
}

/// Whether standard error is a terminal.
pub(super) fn is_error_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes to standard output. A closed pipe is no error: the reader needs no more.
pub(super) fn print(lines: &Printable) -> anyhow::Result<()> {
    print_own(lines.as_str().as_bytes())
}

/// Writes a text of this program itself to standard output, such as its manual.
pub(super) fn print_own(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    quiet_pipe(out.write_all(bytes).and_then(|()| out.flush()))
}

/// A long output, printed piece by piece.
pub(super) struct Output(BufWriter<StdoutLock<'static>>);

impl Output {
    /// Takes standard output.
    pub(super) fn open() -> Self {
        Self(BufWriter::with_capacity(BUFFER, io::stdout().lock()))
    }

    /// Writes some lines.
    pub(super) fn write(&mut self, lines: &Printable) -> io::Result<()> {
        self.0.write_all(lines.as_str().as_bytes())
    }

    /// Writes the rest of the buffer. A closed pipe is no error.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        quiet_pipe(self.0.flush())
    }
}

/// Returns the result of writing to standard output. A closed pipe is no error.
pub(super) fn quiet_pipe(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| {
            anyhow::Error::new(error).context("failed to write to standard output")
        }),
    }
}

/// Installs a hook that cleans the message of a panic: it may quote text from a server.
pub(super) fn clean_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.lines().all(|line| clean(line) == line) {
            return usual(panic);
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        report_line(format_args!("a thread panicked at {place}: {}", Foreign::from(text)));
    }));
}
