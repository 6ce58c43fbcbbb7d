//! What hosts let robots fetch (RFC 9309): the rules of a robots.txt, the agent that they
//! apply to, and the gate where pages wait for them.

pub(crate) mod absence;
pub(crate) mod agent;
pub(crate) mod gate;
mod pattern;
pub(crate) mod rules;
pub(crate) mod text;

pub(crate) use agent::ProductToken;
pub(crate) use text::BODY_LIMIT;
