//! The progress bar of a terminal. Its texts are [`Printable`], like all output.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printable::Printable;

/// The bar is drawn at most this number of times per second.
const FRAMES_PER_SECOND: u8 = 10;

/// A bar that is redrawn in place, on standard error.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar of a run whose end is not known yet.
    pub(super) fn new() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{spinner} {pos} pages  {msg}  {elapsed}{prefix}"));
        Self(bar)
    }

    /// Counts one more settled page.
    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// Sets the number of pages at which the bar ends.
    pub(super) fn set_end(&self, pages: u64) {
        self.0.set_style(style("[{bar:30}] {pos}/{len} pages  {msg}  {eta} left{prefix}"));
        self.0.set_length(pages);
    }

    /// Shows `beside` in the line of the bar, and `below` in the line under it.
    pub(super) fn show(&self, beside: &Printable, below: &Printable) {
        let start = if below.as_str().is_empty() { "" } else { "\n" };
        self.0.set_message(beside.as_str().trim_end().to_owned());
        self.0.set_prefix(format!("{start}{}", below.as_str().trim_end()));
    }

    /// Calls `write` while the bar is hidden, so that its output is above the bar.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// Removes the bar.
    pub(super) fn finish(self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("these templates are written here and parse")
        .progress_chars("=> ")
}
