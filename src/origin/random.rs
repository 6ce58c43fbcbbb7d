//! A small deterministic random source, so that a seed gives the same site on every machine.
//!
//! Not for secrets, and not a general generator: just what the pages need.

/// `SplitMix64`, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014; constants as in <https://prng.di.unimi.it/splitmix64.c> (public domain).
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A source that depends on the seed and on what it is for, so that each page has its own.
    pub(super) fn new(seed: u64, purpose: &str) -> Random {
        Random { state: mix(seed) ^ fnv1a(purpose.as_bytes()) }
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number from 0 to `bound` - 1; 0 when `bound` is 0.
    ///
    /// The top 32 bits are scaled down instead of divided, which is several times faster; the bias
    /// is below one in four thousand for bounds up to a million, and does not show in a page.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.bits() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("32 bits times 32 bits, shifted by 32, fit 32 bits")
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// One of the items, all equally likely. The list must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.place(items.len())]
    }

    /// A place in a list of this length.
    pub(super) fn place(&mut self, count: usize) -> usize {
        let count = u32::try_from(count).expect("word lists are short");
        usize::try_from(self.below(count)).expect("an index below a length")
    }

    /// Whether something of this likelihood, in per cent, happens.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// The finalizer of `SplitMix64`.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// FNV-1a with 64 bits, by Fowler, Noll and Vo; constants as in
/// <http://www.isthe.com/chongo/tech/comp/fnv/> (public domain).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The first outputs of splitmix64.c for the state 0.
        let mut random = Random { state: 0 };
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn seed_and_purpose_both_count() {
        let first = |seed, purpose| Random::new(seed, purpose).bits();
        assert_eq!(first(1, "India"), first(1, "India"));
        assert_ne!(first(1, "India"), first(2, "India"));
        assert_ne!(first(1, "India"), first(1, "China"));
    }

    #[test]
    fn numbers_stay_in_range_and_reach_both_ends() {
        let mut random = Random::new(1, "range");
        let drawn: Vec<u32> = (0..1000).map(|_| random.between(3, 9)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&9)));
    }
}
