//! A set of texts that costs about 14 bytes a text, however long the texts are.
//!
//! Dedup and naming both ask "did this text come before?" for every URL of a
//! list that may have millions. Only a 64-bit keyed hash of each text is kept.
//! Two different texts are taken for one with a chance of n²/2⁶⁵: three in a
//! hundred million for a million texts (the birthday bound).

use std::hash::{BuildHasher, RandomState};

/// The set grows when more than three quarters of its slots are taken: linear
/// probing then looks at 8.5 slots on average for a text that is not there
/// (Knuth, TAOCP vol. 3, 6.4), and they lie side by side in memory.
const LOAD: (usize, usize) = (3, 4);
/// Growth by half instead of doubling bounds the slack at 16 bytes a text.
const GROWTH: (usize, usize) = (3, 2);
const FIRST_SLOTS: usize = 64;

/// A set of texts, kept as their 64-bit fingerprints.
///
/// The hash is keyed anew in each process, so that nobody can prepare texts
/// that collide.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// 0 is an empty slot. A fingerprint stands at or after the slot that its
    /// value, as a fraction of 2⁶⁴, points to.
    slots: Vec<u64>,
    len: usize,
    fingerprinter: Fingerprinter,
}

/// Makes 64-bit fingerprints with a key of its own.
#[derive(Debug, Clone, Default)]
pub struct Fingerprinter(RandomState);

impl Fingerprinter {
    /// The fingerprint of `text`, never 0.
    pub fn of(&self, text: &str) -> u64 {
        self.0.hash_one(text).max(1)
    }
}

impl Fingerprints {
    /// An empty set; it takes no memory before the first insert.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `text`; true when it was not there before.
    pub fn insert(&mut self, text: &str) -> bool {
        if (self.len + 1) * LOAD.1 > self.slots.len() * LOAD.0 {
            self.grow();
        }
        let fingerprint = self.fingerprinter.of(text);
        let is_new = place(&mut self.slots, fingerprint);
        self.len += usize::from(is_new);
        is_new
    }

    /// Whether `text` was added.
    pub fn contains(&self, text: &str) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let fingerprint = self.fingerprinter.of(text);
        let mut slot = home(fingerprint, self.slots.len());
        loop {
            match self.slots[slot] {
                0 => return false,
                taken if taken == fingerprint => return true,
                _ => slot = (slot + 1) % self.slots.len(),
            }
        }
    }

    /// The number of different texts.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was added yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() / GROWTH.1 * GROWTH.0).max(FIRST_SLOTS);
        let mut grown = vec![0; slots];
        for &fingerprint in self.slots.iter().filter(|slot| **slot != 0) {
            place(&mut grown, fingerprint);
        }
        self.slots = grown;
    }
}

/// Puts `fingerprint` into the first free slot from its home on; false when it is there already.
fn place(slots: &mut [u64], fingerprint: u64) -> bool {
    let mut slot = home(fingerprint, slots.len());
    loop {
        match slots[slot] {
            0 => {
                slots[slot] = fingerprint;
                return true;
            }
            taken if taken == fingerprint => return false,
            _ => slot = if slot + 1 == slots.len() { 0 } else { slot + 1 },
        }
    }
}

/// Scales a fingerprint to a slot by multiplication, which needs no power of two
/// (Lemire, "Fast Random Integer Generation in an Interval", 2019).
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below `slots`")]
const fn home(fingerprint: u64, slots: usize) -> usize {
    ((fingerprint as u128 * slots as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut set = Fingerprints::new();
        assert!(!set.contains("a"));
        for text in (0..20_000).map(|i| format!("https://a.org/{i}")) {
            assert!(set.insert(&text), "{text}");
            assert!(!set.insert(&text), "{text}");
        }
        assert_eq!(set.len(), 20_000);
        assert!(set.contains("https://a.org/17"));
        assert!(!set.contains("https://a.org/20000"));
    }

    #[test]
    fn memory_stays_within_sixteen_bytes_a_text() {
        let mut set = Fingerprints::new();
        for i in 0..100_000 {
            set.insert(&i.to_string());
            if set.len() > FIRST_SLOTS {
                assert!(set.slots.len() * 8 <= 16 * set.len() + 16, "at {}", set.len());
            }
        }
    }
}
