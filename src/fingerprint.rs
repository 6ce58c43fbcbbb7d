//! Sets and maps of texts that cost the same however long the texts are: a set
//! about 14 bytes a text.
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
/// Growth by half instead of doubling bounds the slack: two slots a text.
const GROWTH: (usize, usize) = (3, 2);
const FIRST_SLOTS: usize = 4;
/// A map is split in so many parts, which grow one at a time: growing as a
/// whole would need the old and the new memory at the same moment.
const SHARDS: usize = 64;

/// A map that holds a small value for each text, by the text's 64-bit fingerprint.
///
/// The hash is keyed anew in each process, so that nobody can prepare texts
/// that collide. A value of 8 bytes makes about 27 bytes a text.
#[derive(Debug)]
pub(crate) struct FingerprintMap<V> {
    shards: Vec<Shard<V>>,
    len: usize,
    key: RandomState,
}

/// A part of the map: the fingerprints whose lowest bits are its number.
#[derive(Debug, Clone)]
struct Shard<V> {
    /// A fingerprint of 0 is an empty slot. Others stand at or after the slot
    /// that their value, as a fraction of 2⁶⁴, points to.
    slots: Vec<(u64, V)>,
    len: usize,
}

impl<V> Default for FingerprintMap<V> {
    fn default() -> Self {
        // No memory before the first insert.
        Self { shards: Vec::new(), len: 0, key: RandomState::new() }
    }
}

impl<V: Copy + Default> FingerprintMap<V> {
    /// The value of `text`, which becomes the default when it had none.
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

    /// The value of `text`, when it has one.
    pub(crate) fn get(&self, text: &str) -> Option<V> {
        let (shard, slot) = self.find(text)?;
        Some(self.shards[shard].slots[slot].1)
    }

    /// The value of `text`, when it has one, to be changed.
    pub(crate) fn get_mut(&mut self, text: &str) -> Option<&mut V> {
        let (shard, slot) = self.find(text)?;
        Some(&mut self.shards[shard].slots[slot].1)
    }

    /// Whether there is nothing in it yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Never 0.
    fn fingerprint(&self, text: &str) -> u64 {
        self.key.hash_one(text).max(1)
    }

    /// In which shard and slot `text` stands.
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
    /// The slot of `fingerprint`, which is put into the first free one when it has none.
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

/// The slot that holds `fingerprint`, or the empty one where it would go.
fn slot_for<V>(slots: &[(u64, V)], fingerprint: u64) -> usize {
    let mut slot = home(fingerprint, slots.len());
    while slots[slot].0 != 0 && slots[slot].0 != fingerprint {
        slot = after(slot, slots.len());
    }
    slot
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

/// A set of texts, kept as their fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(FingerprintMap<()>);

impl Fingerprints {
    /// An empty set; it takes no memory before the first insert.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds `text`; true when it was not there before.
    pub(crate) fn insert(&mut self, text: &str) -> bool {
        let before = self.len();
        self.0.entry(text);
        self.len() > before
    }

    /// Whether `text` was added.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.get(text).is_some()
    }

    /// The number of different texts.
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
