//! The brake of a host: the slower pace that its refusals taught. Pure.

use crate::queue::host::whole::whole;

/// The pace at which a host refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    pub(crate) rate: f64,
    pub(crate) open: f64,
}

/// The limits that a refusal taught: a rate and a number of open requests.
///
/// A refusal halves both. Then each answer closes a part of the gap to just below the pace
/// that failed, quickly at first, then slowly. Beyond that pace the limits grow in small
/// steps, because the host may allow more by now. The shape is that of CUBIC (RFC 9438,
/// 4.2): a plateau at the last failure, not a saw-tooth.
#[derive(Debug, Clone)]
pub(crate) struct Brake {
    failing: Failing,
    pub(crate) rate: f64,
    open: f64,
}

/// The plateau, as a part of the pace that failed.
const PLATEAU: f64 = 0.9;
/// The part of the gap to the plateau that one answer closes.
const RECOVERY: f64 = 0.05;
/// A limit this high has no effect.
pub(crate) const UNBRAKED: f64 = 1e6;
/// The brake allows at least this many open requests; the rate does the rest.
const FEWEST: f64 = 4.0;
/// What each answer adds beyond the plateau; the further beyond it, the more. At 20 answers
/// per second the rate reaches the failing one again in a quarter of a minute, and doubles
/// its distance from it in another quarter.
const PROBE: f64 = 0.003;

impl Brake {
    /// Halves the failing pace, but not below half of the host's best second (`best`):
    /// refusals that have nothing to do with the pace must not bring it to a standstill.
    /// Where far fewer requests were open than the `last` brake allowed, their number was
    /// not the cause of the refusal.
    pub(crate) fn new(failing: Failing, best: f64, last: Option<&Self>) -> Self {
        let rate = failing.rate.max(best) / 2.0;
        let failing = Failing { rate: failing.rate.max(rate / PLATEAU), ..failing };
        match last.filter(|last| failing.open < last.open / 2.0) {
            Some(last) => Self {
                failing: Failing { open: last.failing.open, ..failing },
                rate,
                open: last.open,
            },
            None => Self { failing, rate, open: (failing.open / 2.0).max(FEWEST) },
        }
    }

    pub(crate) const fn open_limit(&self) -> u32 {
        whole(self.open)
    }

    /// Loosens the limits by one step, after an answer.
    pub(crate) fn release(&mut self) {
        let step = |value: f64, plateau: f64| {
            let beyond = (value - plateau).max(0.0);
            let step = ((plateau - value) * RECOVERY).max((1.0 + beyond) * PROBE);
            (value + step).min(UNBRAKED)
        };
        self.rate = step(self.rate, self.failing.rate * PLATEAU);
        self.open = step(self.open, self.failing.open * PLATEAU);
    }
}
