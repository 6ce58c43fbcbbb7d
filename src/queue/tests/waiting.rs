//! What waiting costs: looks and wakes, counted under random schedules.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use proptest::prelude::*;

use crate::clock::{Clock, PausedClock};
use crate::model::{FailureCode, Response};
use crate::queue::host::registry::{Choice, HostLimits};
use crate::queue::tests::support::{answered, failed, job_at, saved};
use crate::queue::{Options, Queue};
use crate::random::Rng;

/// How a turn ends.
#[derive(Debug, Clone, Copy)]
enum ScriptedTurn {
    Saved,
    Reset,
    Parked(u8),
    Overloaded,
}

fn scripted_turn() -> impl Strategy<Value = ScriptedTurn> {
    prop_oneof![
        6 => Just(ScriptedTurn::Saved),
        1 => Just(ScriptedTurn::Reset),
        2 => (1..4_u8).prop_map(ScriptedTurn::Parked),
        1 => Just(ScriptedTurn::Overloaded),
    ]
}

fn response(scripted: ScriptedTurn) -> Response {
    match scripted {
        ScriptedTurn::Saved => saved(),
        ScriptedTurn::Reset => failed(FailureCode::Reset),
        ScriptedTurn::Parked(seconds) => answered(429, Some(&seconds.to_string())),
        ScriptedTurn::Overloaded => answered(503, None),
    }
}

/// Runs a worker until the queue is done; gives its turns.
async fn work(queue: &Queue, script: &[(ScriptedTurn, u64)]) -> u64 {
    let mut turns = 0;
    while let Some((job, started)) = queue.next().await {
        turns += 1;
        let place = usize::try_from(job.seq).unwrap() + job.attempts as usize;
        let (scripted, millis) = script[place % script.len()];
        tokio::time::sleep(Duration::from_millis(millis)).await;
        let ended = PausedClock.now();
        drop(queue.settle(job, response(scripted), started, ended));
    }
    turns
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Workers look when they come, when they are woken and when the moment comes that
    /// they watch for; and each wake has a cause. Workers that wake each other would
    /// never let the clock go on.
    #[test]
    fn looks_and_wakes_are_bounded_by_what_happens(
        hosts in proptest::collection::vec(0..4_u8, 1..80),
        script in proptest::collection::vec((scripted_turn(), prop_oneof![0..20_u64, 1_000..4_000_u64]), 1..40),
        open in 1..6_u32,
        rate in proptest::option::of(1..100_u32),
        workers in 1..40_u64,
    ) {
        let limits = HostLimits {
            open: Choice::Typed(Some(open)),
            rate: Choice::Typed(rate.map(f64::from)),
            ..HostLimits::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (turns, waits) = runtime.block_on(async {
            let options = Options { limits, ..Options::default() };
            let queue = Queue::new(options, Rng::new(1), Arc::new(PausedClock));
            for (seq, host) in (0..).zip(&hosts) {
                queue.push(job_at(seq, &format!("http://h{host}.org/{seq}"))).unwrap();
            }
            queue.end_input();
            let drains: FuturesUnordered<_> = (0..workers).map(|_| work(&queue, &script)).collect();
            (drains.fold(0, |sum, turns| async move { sum + turns }).await, queue.waits())
        });
        let pages = hosts.len() as u64;
        // One for a page that came or went, one for a worker that leaves its watch.
        prop_assert!(waits.wakes <= pages + 2 * turns + workers, "{waits:?}, {turns} turns");
        // A moment that passes without a page was overtaken by a pause: for the host's rate,
        // for its park, and once more for the worker that watches when it ends.
        let looks = workers + turns + waits.wakes;
        prop_assert!(waits.looks <= looks + 3 * turns, "{waits:?}, {turns} turns, {workers} workers");
    }
}
