//! Messages between a worker process and its parent that are almost well-formed.

use bytes::BytesMut;
use proptest::prelude::*;

use super::super::wire::{self, Hello, Order, WorkerReply};
use crate::foreign_bytes::{Format, Input, config, within};
use crate::in_flight::Phase;

fn frame(json: &str) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap();
    [&length.to_be_bytes()[..], json.as_bytes()].concat()
}

fn frames() -> impl Strategy<Value = Input> {
    let mut replies = Vec::new();
    wire::encode(&WorkerReply::Phase(Phase::Connecting, u64::MAX), &mut replies).unwrap();
    wire::encode(&WorkerReply::Refused(vec!["a".into(), "b".into()]), &mut replies).unwrap();
    let mut hello = Vec::new();
    wire::encode(&Hello::new(7), &mut hello).unwrap();
    let turn = frame(
        "{\"Turn\":{\"kind\":\"Page\",\"seq\":1,\"url\":\"http://me:pw@a.org/\",\"key\":\"a/b.html\",\
         \"hop\":[\"http://b.org/\",3,{\"secs\":1,\"nanos\":2},[{\"by\":\"http://a.org/\",\"line\":\"x=y\"}]],\
         \"validators\":null}}",
    );
    let read = frame("{\"Done\":[{\"Body\":[0,255]},{\"connections\":{},\"proxies\":[[1,0]]}]}");
    let tokens: &[&[u8]] = &[
        b"\0\0\0\x07\"Ready\"",
        b"\0\0\0\x08\"Cancel\"",
        b"\0\0\0\0",
        b"\0\x40\0\0",
        b"\xff\xff\xff\xff",
        b"{\"Refused\":[",
        b"\"\",",
        b"[0,",
        b"{",
        b"[",
        b"\\ud800",
        b"null",
        b"\"key\":\"../x\"",
        b"\"nanos\":4294967295",
        b"\"url\":\"x\"",
    ];
    Format::new([replies, hello, turn, read], tokens).inputs()
}

/// Decodes messages until no complete one is left, and returns their number.
fn read<T: serde::de::DeserializeOwned>(input: &[u8]) -> usize {
    let mut frames = BytesMut::from(input);
    // An empty text in a list takes 24 bytes for three, in a block that grows.
    let most = 16 * 1024 + 72 * input.len();
    let mut left = frames.len();
    let mut count = 0;
    while let Ok(Some(_)) = within(most, || wire::decode::<T>(&mut frames)) {
        assert!(frames.len() < left, "each message takes its bytes");
        left = frames.len();
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn messages(input in frames()) {
        let most = input.len() / 4;
        prop_assert!(read::<Order>(&input) <= most);
        prop_assert!(read::<WorkerReply>(&input) <= most);
        let mut frames = BytesMut::from(&input[..]);
        if let Ok(Some(hello)) = wire::decode::<serde_json::Value>(&mut frames) {
            drop(wire::set_up::<u32>(hello));
        }
    }
}
