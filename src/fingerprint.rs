//! A set of texts that costs about 14 bytes a text, however long the texts are.
//!
//! Dedup and naming both ask "did this text come before?" for every URL of a
//! list that may have millions. Only a 64-bit keyed hash of each text is kept.
//! Two different texts are taken for one with a chance of n²/2⁶⁵: three in a
//! hundred million for a million texts (the birthday bound).

use std::hash::{BuildHasher, RandomState};

/// A shard grows when more than three quarters of its slots are taken: linear
/// probing then looks at 8.5 slots on average for a text that is not there
/// (Knuth, TAOCP vol. 3, 6.4), and they lie side by side in memory.
const LOAD: (usize, usize) = (3, 4);
/// Growth by half instead of doubling bounds the slack at 16 bytes a text.
const GROWTH: (usize, usize) = (3, 2);
const FIRST_SLOTS: usize = 4;
/// The set is split in so many parts, which grow one at a time: growing as a
/// whole would need the old and the new memory at the same moment.
const SHARDS: usize = 64;

/// A set of texts, kept as their 64-bit fingerprints.
///
/// The hash is keyed anew in each process, so that nobody can prepare texts
/// that collide.
#[derive(Debug, Default)]
pub struct Fingerprints {
    shards: Vec<Shard>,
    len: usize,
    fingerprinter: Fingerprinter,
}

/// A part of the set: the fingerprints whose lowest bits are its number.
#[derive(Debug, Default, Clone)]
struct Shard {
    /// 0 is an empty slot. A fingerprint stands at or after the slot that its
    /// value, as a fraction of 2⁶⁴, points to.
    slots: Vec<u64>,
    len: usize,
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
        if self.shards.is_empty() {
            self.shards.resize(SHARDS, Shard::default());
        }
        let fingerprint = self.fingerprinter.of(text);
        let is_new = self.shards[shard(fingerprint)].insert(fingerprint);
        self.len += usize::from(is_new);
        is_new
    }

    /// Whether `text` was added.
    pub fn contains(&self, text: &str) -> bool {
        let fingerprint = self.fingerprinter.of(text);
        self.shards.get(shard(fingerprint)).is_some_and(|shard| shard.contains(fingerprint))
    }

    /// The number of different texts.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was added yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below the number of shards")]
const fn shard(fingerprint: u64) -> usize {
    (fingerprint % SHARDS as u64) as usize
}

impl Shard {
    fn insert(&mut self, fingerprint: u64) -> bool {
        if (self.len + 1) * LOAD.1 > self.slots.len() * LOAD.0 {
            self.grow();
        }
        let is_new = place(&mut self.slots, fingerprint);
        self.len += usize::from(is_new);
        is_new
    }

    fn contains(&self, fingerprint: u64) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let mut slot = home(fingerprint, self.slots.len());
        loop {
            match self.slots[slot] {
                0 => return false,
                taken if taken == fingerprint => return true,
                _ => slot = after(slot, self.slots.len()),
            }
        }
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
            _ => slot = after(slot, slots.len()),
        }
    }
}

/// The slot behind `slot`, where the last is followed by the first.
const fn after(slot: usize, slots: usize) -> usize {
    if slot + 1 == slots { 0 } else { slot + 1 }
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
        let mut largest: f64 = 0.0;
        for i in 0..200_000 {
            set.insert(&i.to_string());
            if i % 1_000 == 999 {
                let slots: usize = set.shards.iter().map(|shard| shard.slots.len()).sum();
                largest = largest.max(slots as f64 * 8.0 / set.len() as f64);
            }
        }
        assert!(largest <= 16.5, "{largest} bytes a text");
    }
}
