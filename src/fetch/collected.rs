//! Collects the chunks of a body in memory that grows with the body and goes back to the
//! system as soon as it is freed.

use bytes::Bytes;
use memmap2::MmapMut;

/// An announced body gets at most this room at once; a larger one grows as it comes, so
/// that a false Content-Length costs nothing.
const FIRST_ROOM: usize = 1024 * 1024;
/// A body of unknown length that needs more room grows by at least this much.
const LEAST_STEP: usize = 64 * 1024;
/// A larger body gets a mapping of its own. The allocator would keep such a piece for the
/// thread that made it, together with those of all other threads.
const LARGE: usize = 1024 * 1024;
/// The address space reserved for a large body of unknown length. Few bodies are larger,
/// and those are moved.
const USUAL_MOST: usize = 128 * 1024 * 1024;

/// The memory in bytes to reserve before a body's first byte, for an `announced` length
/// if there is one. More is reserved as the body comes: a server that announces much and
/// sends nothing must not hold back the pages of other hosts.
pub(super) fn room_ahead(announced: Option<u64>) -> u64 {
    announced.unwrap_or(0).min(FIRST_ROOM as u64)
}

/// The chunks of a body. A body of one chunk is not copied.
#[derive(Default)]
pub(super) enum Collected {
    /// No chunk has come.
    #[default]
    Nothing,
    /// One chunk.
    One(Bytes),
    /// Several chunks, joined.
    Many(Vec<u8>),
    /// Several chunks, joined in a mapping.
    Large(Mapped),
}

/// The filled part of a mapping. The system provides memory only for that part.
pub(super) struct Mapped {
    map: MmapMut,
    len: usize,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map[..self.len]
    }
}

impl Mapped {
    /// Makes a mapping for `most` bytes that starts with `start`; `None` when the system
    /// has no addresses left.
    fn of(start: &[u8], most: usize) -> Option<Self> {
        let map = MmapMut::map_anon(most).ok()?;
        let mut mapped = Self { map, len: 0 };
        mapped.add(start);
        Some(mapped)
    }

    fn add(&mut self, chunk: &[u8]) {
        self.map[self.len..self.len + chunk.len()].copy_from_slice(chunk);
        self.len += chunk.len();
    }
}

impl Collected {
    /// The bytes collected so far.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(chunk) => chunk.len(),
            Self::Many(all) => all.len(),
            Self::Large(mapped) => mapped.len,
        }
    }

    /// The memory in bytes that the body takes with another chunk of `length` bytes, if
    /// the server `announced` the body's length or did not.
    pub(super) fn room_with(&self, length: usize, announced: Option<usize>) -> usize {
        let with = self.len() + length;
        let most = announced.unwrap_or(usize::MAX);
        match self {
            Self::Nothing => length,
            Self::One(_) => announced.unwrap_or(0).min(FIRST_ROOM).max(with),
            Self::Many(all) if with <= all.capacity() => all.capacity(),
            Self::Many(_) | Self::Large(_) => {
                let step = (self.len() / 4).max(LEAST_STEP);
                self.len().saturating_add(step).min(most).max(with)
            }
        }
    }

    /// Adds a chunk; the body then takes `room` bytes, see
    /// [`room_with`](Self::room_with).
    pub(super) fn push(&mut self, chunk: Bytes, room: usize, announced: Option<usize>) {
        let with = self.len() + chunk.len();
        let most = announced.unwrap_or(USUAL_MOST).max(room);
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(chunk),
            Self::One(first) if room <= LARGE => {
                let mut all = Vec::with_capacity(room);
                all.extend_from_slice(&first);
                Self::Many(all).extended(&chunk, room)
            }
            Self::One(first) => Self::in_mapping(&first, most).extended(&chunk, room),
            Self::Many(all) if room > LARGE => Self::in_mapping(&all, most).extended(&chunk, room),
            Self::Large(mapped) if with > mapped.map.len() => {
                Self::in_mapping(mapped.as_ref(), 2 * with).extended(&chunk, room)
            }
            all => all.extended(&chunk, room),
        };
    }

    /// Moves the body so far into a mapping.
    fn in_mapping(start: &[u8], most: usize) -> Self {
        Mapped::of(start, most).map_or_else(|| Self::Many(start.to_vec()), Self::Large)
    }

    fn extended(mut self, chunk: &[u8], room: usize) -> Self {
        match &mut self {
            Self::Many(all) => {
                all.reserve_exact(room.saturating_sub(all.len()));
                all.extend_from_slice(chunk);
            }
            Self::Large(mapped) => mapped.add(chunk),
            Self::Nothing | Self::One(_) => unreachable!("it was moved before"),
        }
        self
    }

    pub(super) fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(all) => all.into(),
            Self::Large(mapped) => Bytes::from_owner(mapped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    /// The room that a body of `chunks` chunks of `length` bytes has in the end, and the
    /// number of times that it changed.
    fn grown(chunks: usize, length: usize, announced: Option<usize>) -> (usize, usize) {
        let mut body = Collected::default();
        let (mut room, mut changes) = (0, 0);
        for _ in 0..chunks {
            let with = body.room_with(length, announced);
            changes += usize::from(with != room);
            room = with;
            body.push(vec![7; length].into(), room, announced);
            if let Collected::Many(all) = &body {
                assert!(all.capacity() <= room, "{} of {room}", all.capacity());
            }
        }
        assert!(body.finish() == vec![7; chunks * length]);
        (room, changes)
    }

    #[test]
    fn room_grows_with_the_body_and_no_further_than_announced() {
        assert_eq!(grown(1, 10, Some(10)), (10, 1));
        assert_eq!(grown(2, 10, Some(20)), (20, 2));
        assert_eq!(grown(2, 10, Some(1 << 30)).0, FIRST_ROOM, "a lie costs little");
        let length = 5 * KIB * KIB;
        assert_eq!(grown(length / (16 * KIB), 16 * KIB, Some(length)).0, length);
        for chunk in [16 * KIB, 100, 3 * KIB * KIB] {
            let (room, _) = grown(16 * KIB * KIB / chunk, chunk, None);
            assert!(room < 25 * KIB * KIB, "{room} for chunks of {chunk}");
        }
    }

    #[test]
    fn little_is_kept_for_what_is_only_announced() {
        let first = FIRST_ROOM as u64;
        for (announced, ahead) in
            [(None, 0), (Some(10), 10), (Some(first), first), (Some(1 << 40), first)]
        {
            assert_eq!(room_ahead(announced), ahead, "{announced:?}");
        }
    }

    #[test]
    fn a_body_that_is_longer_than_its_addresses_is_moved() {
        let mut body = Collected::in_mapping(b"start", 10);
        let room = body.room_with(100, None);
        body.push(vec![7; 100].into(), room, None);
        assert_eq!(body.finish(), [b"start".to_vec(), vec![7; 100]].concat());
    }

    #[test]
    fn a_body_of_any_size_is_the_same_wherever_it_lies() {
        for length in [1, LARGE / 2, LARGE / 2 + 1, LARGE, LARGE + 1] {
            for chunks in 1..4 {
                grown(chunks, length, None);
                grown(chunks, length, Some(chunks * length));
            }
        }
    }
}
