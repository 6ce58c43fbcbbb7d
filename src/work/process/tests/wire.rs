//! The encoding of messages.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::Serialize;
use url::Url;

use super::super::wire::{
    Hello, LIMIT, Order, PREFIX, Task, WireError, WorkerReply, decode, encode, set_up,
};
use crate::clock::{Clock, SystemClock};
use crate::fetch::NetworkCounts;
use crate::in_flight::Phase;
use crate::model::{
    Attempt, Connections, Failure, FailureCode, Hop, Job, Key, Kind, Outcome, Redirect, Response,
    SetCookie, Stored, Validators, exchange_cases,
};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn frame(message: &impl Serialize) -> Vec<u8> {
    let mut frames = Vec::new();
    encode(message, &mut frames).unwrap();
    frames
}

fn replies() -> Vec<WorkerReply> {
    let done = |turn| WorkerReply::Done(Box::new(turn), NetworkCounts::default());
    let saved = Outcome::Saved { bytes: 7, sha256: [0xab; 32], stored: Stored::Key };
    let failure = Failure::new(FailureCode::Reset, "a \"word\"\n\u{1f480}");
    let tally = NetworkCounts {
        connections: Connections { opened: 3, ..Connections::default() },
        proxies: vec![(1, 0), (u64::MAX, 2)],
    };
    vec![
        WorkerReply::Ready,
        WorkerReply::Needs(7),
        WorkerReply::Refused(vec!["a".into(), String::new()]),
        WorkerReply::Phase(Phase::Connecting, u64::MAX),
        WorkerReply::Done(
            Box::new(Response::Redirect(Box::new(Redirect {
                has_left_home: true,
                exchange: Some(Box::new(exchange_cases::redirect(300))),
                ..Redirect::to(url("http://me:secret@a.org/?x#y"))
            }))),
            tally,
        ),
        done(Response::Body(Bytes::from_static(b"\0\xff"))),
        done(Response::Done(Attempt {
            breaks_run: Some(vec!["no room".into()]),
            ..Attempt::failed(failure)
        })),
        done(Response::Done(Attempt {
            wait: Duration::new(7, 999_999_999),
            ..Attempt::without_answer(saved)
        })),
    ]
}

#[test]
fn a_job_is_the_same_at_the_other_end_but_for_its_moments() {
    let now = SystemClock.now();
    let key = Key::new("a/b.html").unwrap();
    let validators = Validators {
        of: "http://b.org/".into(),
        etag: Some("\"x\"".into()),
        last_modified: None,
        content_type: None,
        bytes: 1,
        sha256: "00".into(),
        stored: Stored::Key,
    };
    let (spent, count) = (Duration::from_millis(12), 3);
    let cookies = vec![SetCookie { by: url("http://a.org/"), line: "x=\"y\"".into() }];
    let (url_of_hop, has_left_home) = (url("http://b.org/"), true);
    let exchanges = vec![exchange_cases::redirect(300)];
    let hop =
        Hop { url: url_of_hop, count, started: now, spent, cookies, has_left_home, exchanges };
    let job = Job {
        kind: Kind::Robots,
        hop: Some(Box::new(hop.clone())),
        validators: Some(Box::new(validators)),
        ..Job::new(17, url("http://a.org/%20?q"), key)
    };
    let mut frames = BytesMut::from(&frame(&Order::Turn(Box::new(Task::of(&job))))[..]);
    let Some(Order::Turn(task)) = decode(&mut frames).unwrap() else { panic!() };
    let there = task.into_job(now);
    assert_eq!((there.kind, there.seq, &there.url), (job.kind, job.seq, &job.url));
    assert_eq!((&there.key, there.hop.as_deref()), (&job.key, Some(&hop)));
    assert_eq!(there.validators_of_target(), job.validators_of_target());
}

#[test]
fn messages_behind_each_other_are_read_one_by_one() {
    let replies = replies();
    let all: Vec<u8> = replies.iter().flat_map(frame).collect();
    let mut frames = BytesMut::from(&all[..]);
    for reply in replies {
        assert_eq!(decode::<WorkerReply>(&mut frames).unwrap(), Some(reply));
    }
    assert_eq!(decode::<WorkerReply>(&mut frames).unwrap(), None);
}

#[test]
fn nothing_longer_than_the_limit_is_sent_or_waited_for() {
    let mut frames = b"before".to_vec();
    let error = encode(&"x".repeat(LIMIT - 1), &mut frames).unwrap_err();
    assert!(matches!(error, WireError::TooLong(length) if length == LIMIT + 1), "{error}");
    assert_eq!(frames, b"before");
    encode(&"x".repeat(LIMIT - 2), &mut frames).unwrap();
    let mut frames = BytesMut::from(&[0xff; 4][..]);
    let error = decode::<WorkerReply>(&mut frames).unwrap_err();
    assert!(matches!(error, WireError::TooLong(0xffff_ffff)), "{error}");
}

#[test]
fn another_version_is_told_whatever_it_says() {
    let hello = serde_json::json!({"v": "0 9.9", "options": 7});
    let error = set_up::<u32>(hello).unwrap_err();
    assert!(matches!(&error, WireError::Version(v) if v == "0 9.9"), "{error}");
    let hello = serde_json::to_value(Hello::new(7)).unwrap();
    assert_eq!(set_up::<u32>(hello.clone()).unwrap(), 7);
    assert!(matches!(set_up::<String>(hello), Err(WireError::Garbled(_))));
}

proptest! {
    #[test]
    fn a_message_that_is_cut_is_waited_for(which in 0..7_usize, cut in any::<prop::sample::Index>()) {
        let whole = frame(&replies()[which]);
        let cut = cut.index(whole.len());
        let mut frames = BytesMut::from(&whole[..cut]);
        prop_assert_eq!(decode::<WorkerReply>(&mut frames).unwrap(), None);
        frames.extend_from_slice(&whole[cut..]);
        prop_assert_eq!(decode(&mut frames).unwrap(), Some(replies().swap_remove(which)));
    }

    #[test]
    fn damaged_messages_are_told_or_waited_for(
        which in 0..7_usize,
        stains in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut damaged = frame(&replies()[which]);
        for (at, stain) in stains {
            let at = at.index(damaged.len());
            damaged[at] = stain;
        }
        let mut frames = BytesMut::from(&damaged[..]);
        // Whatever the bytes are taken for, decoding ends.
        let mut rounds = 0;
        while let Ok(Some(_)) = decode::<WorkerReply>(&mut frames) {
            rounds += 1;
        }
        prop_assert!(rounds <= damaged.len() / PREFIX);
    }
}
