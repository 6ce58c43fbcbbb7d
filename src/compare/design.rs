//! The order of the runs: every contender runs once in each round, in a balanced order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::random::Rng;

/// A mode with a number of workers: `threads@16`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Contender {
    /// The mode's name.
    pub mode: String,
    /// The maximum number of pages in flight.
    pub workers: u32,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps widths: tables set these names in columns.
        f.pad(&format!("{}@{}", self.mode, self.workers))
    }
}

/// The contenders, the number of rounds, and the seed of their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Design {
    /// The contenders.
    pub contenders: Vec<Contender>,
    /// The number of rounds, without the warm-up.
    pub rounds: u32,
    /// The seed of the order.
    pub seed: u64,
}

impl Design {
    /// The order of each round, as places in the list of contenders.
    ///
    /// The orders are those of a Williams design (E. J. Williams, "Experimental
    /// designs balanced for the estimation of residual effects of treatments",
    /// Australian Journal of Scientific Research 2, 1949): over all of its rows
    /// each contender runs equally often in each position, and equally often directly
    /// after each other one. So neither a machine that grows hot nor what a run leaves
    /// behind favours a contender. The seed decides which row a round takes and which
    /// contender has which number in it. If there are more rounds than rows, the rows
    /// are drawn anew.
    pub(crate) fn orders(&self) -> Vec<Vec<usize>> {
        let mut rng = Rng::new(self.seed);
        let rounds = self.rounds as usize;
        let mut orders = Vec::with_capacity(rounds);
        while orders.len() < rounds && !self.contenders.is_empty() {
            let names = shuffled((0..self.contenders.len()).collect(), &mut rng);
            let rows = shuffled(williams(names.len()), &mut rng);
            let order = |row: Vec<usize>| row.into_iter().map(|place| names[place]).collect();
            orders.extend(rows.into_iter().take(rounds - orders.len()).map(order));
        }
        orders
    }

    /// The number of all runs, including the warm-up.
    pub(crate) fn runs(&self) -> u64 {
        self.contenders.len() as u64 * (u64::from(self.rounds) + 1)
    }
}

/// The rows of a Williams design for `count` treatments: `count` of them, or twice
/// as many when it is odd.
fn williams(count: usize) -> Vec<Vec<usize>> {
    // 0, 1, n-1, 2, n-2 and so on: neighbours differ by each amount once.
    let first = (0..count).map(|place| match place % 2 {
        0 => (count - place / 2) % count,
        _ => place / 2 + 1,
    });
    let first: Vec<usize> = first.collect();
    let shifted = |by: usize| first.iter().map(|place| (place + by) % count).collect();
    let mut rows: Vec<Vec<usize>> = (0..count).map(shifted).collect();
    if count % 2 == 1 && count > 1 {
        let reversed = rows.iter().map(|row| row.iter().rev().copied().collect());
        rows.extend(reversed.collect::<Vec<_>>());
    }
    rows
}

/// The Fisher–Yates shuffle in Durstenfeld's form (Algorithm 235, CACM 1964).
fn shuffled<T>(mut items: Vec<T>, rng: &mut Rng) -> Vec<T> {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.index(last + 1));
    }
    items
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn design(contenders: u32, rounds: u32, seed: u64) -> Design {
        let contenders =
            (1..=contenders).map(|workers| Contender { mode: "threads".into(), workers }).collect();
        Design { contenders, rounds, seed }
    }

    #[test]
    fn everybody_runs_once_in_each_round() {
        for contenders in 1..9 {
            for order in design(contenders, 20, 7).orders() {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..contenders as usize).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn positions_and_predecessors_are_balanced() {
        for count in 2..9_usize {
            let rows = if count % 2 == 0 { count } else { 2 * count };
            let rounds = u32::try_from(rows).unwrap();
            let orders = design(u32::try_from(count).unwrap(), rounds, 3).orders();
            let (mut positions, mut pairs) = (HashMap::new(), HashMap::new());
            for order in &orders {
                for (position, who) in order.iter().enumerate() {
                    *positions.entry((position, *who)).or_insert(0) += 1;
                }
                for pair in order.windows(2) {
                    *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
                }
            }
            assert_eq!(positions.len(), count * count);
            assert_eq!(pairs.len(), count * (count - 1));
            assert!(positions.values().all(|times| *times == rows / count), "{count}");
            assert!(pairs.values().all(|times| *times == rows / count), "{count}: {pairs:?}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_order_again_and_another_gives_another() {
        assert_eq!(design(6, 5, 1).orders(), design(6, 5, 1).orders());
        assert_ne!(design(6, 5, 1).orders(), design(6, 5, 2).orders());
        assert!(design(0, 5, 1).orders().is_empty());
        assert_eq!(design(6, 5, 1).runs(), 36);
    }
}
