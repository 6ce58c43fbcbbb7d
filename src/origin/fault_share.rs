//! How often a fault happens: `KIND:PERCENT` as typed. Pure.

use std::str::FromStr;

use super::fault_kind::FaultKind;

/// The whole that shares are parts of: a percentage has four decimals.
pub(super) const WHOLE: u32 = 1_000_000;

/// The parts of the whole that make one per cent.
const PERCENT: u32 = WHOLE / 100;

/// The largest number of decimals of a percentage.
const DECIMALS: usize = 4;

/// The reason why typed faults were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The text has no colon.
    #[error("{text:?} does not look like KIND:PERCENT")]
    Form {
        /// The text as typed.
        text: String,
    },
    /// There is no such kind.
    #[error("no kind of fault is called {name:?}; there are {}", FaultKind::names())]
    Kind {
        /// The name as typed.
        name: String,
    },
    /// The share is not a number, out of range, or too fine.
    #[error("{text:?} is not a percentage from 0 to 100 with at most {DECIMALS} decimals")]
    Percent {
        /// The share as typed.
        text: String,
    },
    /// The shares of kinds that are drawn together are too large.
    #[error("{} add up to more than 100 per cent", kinds.join(", "))]
    Sum {
        /// The names of the kinds.
        kinds: Vec<&'static str>,
    },
}

/// A kind of fault and how often it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultShare {
    pub(super) kind: FaultKind,
    /// Parts of [`WHOLE`].
    pub(super) share: u32,
}

impl FromStr for FaultShare {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<FaultShare, FaultError> {
        let (kind, percent) =
            text.split_once(':').ok_or_else(|| FaultError::Form { text: text.to_owned() })?;
        let share = share(percent).ok_or_else(|| FaultError::Percent { text: percent.into() });
        Ok(FaultShare { kind: kind.parse()?, share: share? })
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<FaultKind, FaultError> {
        FaultKind::all()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| FaultError::Kind { name: name.to_owned() })
    }
}

/// Converts a decimal percentage to parts of [`WHOLE`].
///
/// Reads digit by digit, because equal shares that went through binary fractions could differ.
fn share(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit: u8| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    let share = whole.parse::<u32>().ok()?.checked_mul(PERCENT)?.checked_add(decimals)?;
    (share <= WHOLE).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_kind_and_a_decimal_number() {
        for (text, kind, share) in [
            ("503:5", FaultKind::Unavailable, 50_000),
            ("429-retry-after:0.5", FaultKind::TooManyRetryAfter, 5_000),
            ("drip:100", FaultKind::Drip, WHOLE),
            ("cut:100.0000", FaultKind::Cut, WHOLE),
            ("endless:0", FaultKind::Endless, 0),
            ("reset:0.0001", FaultKind::Reset, 1),
        ] {
            assert_eq!(text.parse(), Ok(FaultShare { kind, share }), "{text}");
        }
        for kind in FaultKind::all() {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn what_is_no_share_is_refused_with_a_reason() {
        let percent = "is not a percentage from 0 to 100 with at most 4 decimals";
        for (text, message) in [
            ("503", "\"503\" does not look like KIND:PERCENT".to_owned()),
            ("503:100.0001", format!("\"100.0001\" {percent}")),
            ("503:1.00001", format!("\"1.00001\" {percent}")),
            ("503:-1", format!("\"-1\" {percent}")),
            ("503:NaN", format!("\"NaN\" {percent}")),
            ("503:", format!("\"\" {percent}")),
            ("503:.5", format!("\".5\" {percent}")),
            ("503:5.", format!("\"5.\" {percent}")),
            ("503:5%", format!("\"5%\" {percent}")),
            ("503:99999999999", format!("\"99999999999\" {percent}")),
            (
                "504:5",
                "no kind of fault is called \"504\"; there are 503, 429, 429-retry-after, reset, \
                 cut, stall, h2-reset-no-error, partial-206, folded-header, refused-stream, \
                 stale-connection, slow-accept, redirect-loop, endless, bad-gzip, wrong-length, drip"
                    .to_owned(),
            ),
        ] {
            assert_eq!(text.parse::<FaultShare>().unwrap_err().to_string(), message);
        }
    }
}
