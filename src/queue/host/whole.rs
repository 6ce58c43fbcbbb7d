//! Fractions of requests, as limits compute them, rounded to requests. Pure.

/// Rounds a number of requests down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests is neither negative nor large"
)]
pub(super) const fn whole(requests: f64) -> u32 {
    requests as u32
}
