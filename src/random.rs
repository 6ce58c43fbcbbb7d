//! The one random number generator of the program.
//!
//! Code that needs chance (jitter of retries, the order of a comparison, resampling, the
//! embedded site) receives a generator, so that a seed repeats a run, a test or a page
//! exactly. The numbers are not safe for secrets.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A `SplitMix64` generator: 8 bytes of state, and the same stream for the same seed on
/// every machine.
///
/// The algorithm is by Steele, Lea and Flood ("Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014); the constants are those of
/// <https://prng.di.unimi.it/splitmix64.c> (public domain).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Creates a generator that yields the same numbers for the same `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Creates a generator that yields other numbers in every run.
    pub(crate) fn from_entropy() -> Self {
        // The standard library seeds its hash maps from the system's entropy.
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// Creates the generator of one purpose under a seed, so that each page of a site has
    /// numbers of its own and does not depend on the pages written before it.
    pub(crate) fn for_purpose(seed: u64, purpose: &str) -> Self {
        Self(mix(seed) ^ fnv1a(purpose.as_bytes()))
    }

    /// Returns a duration from zero to `limit`: "full jitter".
    pub(crate) fn full_jitter(&mut self, limit: Duration) -> Duration {
        limit.mul_f64(self.fraction())
    }

    /// Returns a duration from half of `limit` to `limit`: "equal jitter".
    pub(crate) fn equal_jitter(&mut self, limit: Duration) -> Duration {
        limit / 2 + self.full_jitter(limit / 2)
    }

    /// Returns a number from 0 (included) to 1 (excluded).
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns an index into a list of `len` items, each equally likely; 0 when the list
    /// is empty.
    ///
    /// The bits are scaled by multiplication instead of division; the bias is below `len`
    /// in 2^64.
    pub fn index(&mut self, len: usize) -> usize {
        let scaled = u128::from(self.bits()) * len as u128;
        usize::try_from(scaled >> 64).expect("less than the length, which is a usize")
    }

    /// Returns a number from 0 to `bound` - 1; 0 when `bound` is 0.
    ///
    /// Only the top 32 bits are scaled, which is cheaper than [`index`](Self::index); the
    /// bias is below one in four thousand for bounds up to a million, too little to show
    /// in a page of the embedded site.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.bits() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("32 bits times 32 bits, shifted by 32, fit 32 bits")
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// Returns one of the items, each equally likely. The list must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.place(items.len())]
    }

    /// Returns an index into a list of `len` items as [`below`](Self::below) draws it.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        let len = u32::try_from(len).expect("lists to pick from are short");
        usize::try_from(self.below(len)).expect("an index below a length")
    }

    /// Returns true in `percent` of 100 calls.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// Returns the next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }
}

/// The finalizer of `SplitMix64`.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// FNV-1a with 64 bits, by Fowler, Noll and Vo; constants as in
/// <http://www.isthe.com/chongo/tech/comp/fnv/> (public domain).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The first outputs of splitmix64.c for the state 0.
        let mut rng = Rng::new(0);
        assert_eq!(rng.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn seed_and_purpose_both_count() {
        let first = |seed, purpose| Rng::for_purpose(seed, purpose).bits();
        assert_eq!(first(1, "India"), first(1, "India"));
        assert_ne!(first(1, "India"), first(2, "India"));
        assert_ne!(first(1, "India"), first(1, "China"));
    }

    #[test]
    fn numbers_stay_in_range_and_reach_both_ends() {
        let mut rng = Rng::for_purpose(1, "range");
        let drawn: Vec<u32> = (0..1000).map(|_| rng.between(3, 9)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&9)));
        let drawn: Vec<usize> = (0..1000).map(|_| rng.index(7)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&0), Some(&6)));
        assert_eq!(rng.index(0), 0);
    }
}
