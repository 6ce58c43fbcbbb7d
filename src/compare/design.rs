//! Who runs when: every contender once in each round, in a balanced order.

use serde::{Deserialize, Serialize};

use super::results::Contender;

/// Who runs, how often, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Design {
    /// Who is compared.
    pub contenders: Vec<Contender>,
    /// Runs of each, the warm-up left out.
    pub rounds: u32,
    /// What the order is drawn from.
    pub seed: u64,
}
