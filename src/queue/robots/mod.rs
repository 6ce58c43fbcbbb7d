//! What hosts let robots fetch: the rules of a robots.txt, whose rules they are, and the
//! gate where pages wait for them.

pub(crate) mod agent;
pub(crate) mod gate;
pub(crate) mod rules;

pub(crate) use agent::ProductToken;
pub(crate) use rules::BODY_LIMIT;
