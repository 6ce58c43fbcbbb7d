//! Tests of this folder's files together.

mod foreign_bytes;

use super::*;

#[test]
fn a_thread_keeps_room_up_to_its_limit() {
    for (used, kept_bytes, is_kept) in [(1000, 1000, true), (1001, 1000, false), (1, 0, false)] {
        with_buffer(kept_bytes, |buffer| *buffer = Vec::with_capacity(used));
        let kept = with_buffer(kept_bytes, |buffer| buffer.capacity());
        assert_eq!(kept, if is_kept { used } else { 0 }, "{used} of {kept_bytes}");
    }
}
