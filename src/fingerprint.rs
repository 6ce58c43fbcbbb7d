//! Sets and maps of texts whose memory does not depend on the length of the texts: a set
//! takes about 14 bytes per text.
//!
//! Dedup and naming both ask "did this text come before?" for every URL of a
//! list that may have millions. They store only a 64-bit keyed hash of each text.
//! The chance that two of n different texts have the same hash is n²/2⁶⁵: three in a
//! hundred million for a million texts (the birthday bound).

use std::hash::{BuildHasher, RandomState};

/// A shard grows when more than three quarters of its slots are taken. Linear
/// probing then looks at 8.5 slots on average for a text that is not in the map
/// (Knuth, TAOCP vol. 3, 6.4), and these slots are neighbours in memory.
const LOAD: (usize, usize) = (3, 4);
/// Growth by half instead of doubling bounds the slack: at most two slots per text.
const GROWTH: (usize, usize) = (3, 2);
const FIRST_SLOTS: usize = 4;
/// The number of parts of a map, which grow one at a time: growing as a
/// whole would need the old and the new memory at the same moment.
const SHARDS: usize = 64;

/// A map that holds a small value for each text, by the text's 64-bit fingerprint.
///
/// Each process has a new key for the hash, so that an attacker cannot prepare texts
/// that collide. With a value of 8 bytes the map takes about 27 bytes per text.
pub(crate) struct FingerprintMap<V> {
    shards: Vec<Shard<V>>,
    len: usize,
    key: RandomState,
}

/// A part of the map: the fingerprints whose lowest bits are its number.
struct Shard<V> {
    /// A fingerprint of 0 marks an empty slot. Any other fingerprint is in the slot that its
    /// value, as a fraction of 2⁶⁴, points to, or in a later one.
    slots: Vec<(u64, V)>,
    len: usize,
}

impl<V> Default for FingerprintMap<V> {
    fn default() -> Self {
        // It takes no memory before the first insert.
        Self { shards: Vec::new(), len: 0, key: RandomState::new() }
    }
}

impl<V: Copy + Default> FingerprintMap<V> {
    /// Returns the value of `text`, after inserting the default for a new text.
    pub(crate) fn entry(&mut self, text: &str) -> &mut V {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, || Shard { slots: Vec::new(), len: 0 });
        }
        let fingerprint = self.fingerprint(text);
        let shard = &mut self.shards[shard(fingerprint)];
        let before = shard.len;
        let slot = shard.insert(fingerprint);
        self.len += shard.len - before;
        &mut shard.slots[slot].1
    }

    /// Returns the value of `text`, when it has one.
    pub(crate) fn get(&self, text: &str) -> Option<V> {
        let (shard, slot) = self.find(text)?;
        Some(self.shards[shard].slots[slot].1)
    }

    /// Returns the value of `text` for changing it, when it has one.
    pub(crate) fn get_mut(&mut self, text: &str) -> Option<&mut V> {
        let (shard, slot) = self.find(text)?;
        Some(&mut self.shards[shard].slots[slot].1)
    }

    /// Whether the map is empty.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the hash of `text`, which is never 0.
    fn fingerprint(&self, text: &str) -> u64 {
        self.key.hash_one(text).max(1)
    }

    /// Returns the shard and the slot of `text`.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        if self.is_empty() {
            return None;
        }
        let fingerprint = self.fingerprint(text);
        let number = shard(fingerprint);
        Some((number, self.shards.get(number)?.find(fingerprint)?))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below the number of shards")]
const fn shard(fingerprint: u64) -> usize {
    (fingerprint % SHARDS as u64) as usize
}

impl<V: Copy + Default> Shard<V> {
    /// Returns the slot of `fingerprint`, after putting a new one into the first free slot.
    fn insert(&mut self, fingerprint: u64) -> usize {
        if (self.len + 1) * LOAD.1 > self.slots.len() * LOAD.0 {
            self.grow();
        }
        let slot = slot_for(&self.slots, fingerprint);
        if self.slots[slot].0 == 0 {
            self.slots[slot].0 = fingerprint;
            self.len += 1;
        }
        slot
    }

    fn find(&self, fingerprint: u64) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = slot_for(&self.slots, fingerprint);
        (self.slots[slot].0 != 0).then_some(slot)
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() / GROWTH.1 * GROWTH.0).max(FIRST_SLOTS);
        let mut grown = vec![(0, V::default()); slots];
        for &taken in self.slots.iter().filter(|slot| slot.0 != 0) {
            let slot = slot_for(&grown, taken.0);
            grown[slot] = taken;
        }
        self.slots = grown;
    }
}

/// Returns the slot of `fingerprint`, or the empty slot for it.
fn slot_for<V>(slots: &[(u64, V)], fingerprint: u64) -> usize {
    let mut slot = home(fingerprint, slots.len());
    while slots[slot].0 != 0 && slots[slot].0 != fingerprint {
        slot = after(slot, slots.len());
    }
    slot
}

/// Returns the slot after `slot`; the first slot follows the last.
const fn after(slot: usize, slots: usize) -> usize {
    if slot + 1 == slots { 0 } else { slot + 1 }
}

/// Scales a fingerprint to a slot by multiplication, which works for any number of slots
/// (Lemire, "Fast Random Integer Generation in an Interval", 2019).
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below `slots`")]
const fn home(fingerprint: u64, slots: usize) -> usize {
    ((fingerprint as u128 * slots as u128) >> 64) as usize
}

/// A set of texts, stored as their fingerprints.
#[derive(Default)]
pub(crate) struct Fingerprints(FingerprintMap<()>);

impl Fingerprints {
    /// Creates an empty set, which takes no memory before the first insert.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds `text`, and returns whether it is new.
    pub(crate) fn insert(&mut self, text: &str) -> bool {
        let before = self.len();
        self.0.entry(text);
        self.len() > before
    }

    /// Whether `text` was added.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.get(text).is_some()
    }

    /// Returns the number of different texts.
    pub(crate) const fn len(&self) -> usize {
        self.0.len
    }
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
    fn a_text_keeps_its_value() {
        let mut map = FingerprintMap::<u32>::default();
        assert_eq!((map.get("1"), map.get_mut("1")), (None, None));
        for value in 0..5_000 {
            *map.entry(&value.to_string()) = value;
        }
        *map.entry("17") += 1;
        *map.get_mut("18").unwrap() = 0;
        assert_eq!((map.get("16"), map.get("17"), map.get("18")), (Some(16), Some(18), Some(0)));
        assert_eq!(map.len, 5_000);
    }

    #[test]
    fn memory_stays_within_sixteen_bytes_a_text() {
        let mut set = Fingerprints::new();
        let mut largest: f64 = 0.0;
        for i in 0..200_000 {
            set.insert(&i.to_string());
            if i % 1_000 == 999 {
                let slots: usize = set.0.shards.iter().map(|shard| shard.slots.len()).sum();
                largest = largest.max(slots as f64 * 8.0 / set.len() as f64);
            }
        }
        assert!(largest <= 16.5, "{largest} bytes a text");
    }
}
