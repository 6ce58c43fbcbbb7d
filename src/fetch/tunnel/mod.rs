//! Tunnels: connections to hosts through proxies.

mod failure;

pub(super) use failure::{failure, inner, unauthorized};
