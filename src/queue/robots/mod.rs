//! What hosts let robots fetch: the rules of a robots.txt, whose rules they are, and the
//! gate where pages wait for them.

pub mod agent;
pub(crate) mod gate;
pub mod rules;

pub use agent::ProductToken;
pub use rules::{BODY_LIMIT, Rules};
