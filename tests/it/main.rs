//! Integration tests: the library and the program, over real HTTP on loopback.

#![expect(unreachable_pub, reason = "one binary: every item is for it alone")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod compare;
mod download;
mod exchanges;
mod faults;
mod framing;
mod guard;
mod hostile;
mod http2;
mod killed;
mod later_version;
mod layers;
mod many_hosts;
mod memory;
mod options;
mod output;
mod output_fails;
mod outside;
mod packaging;
mod polite;
#[cfg(target_os = "linux")]
mod processes;
mod properties;
mod proxies;
mod readme;
mod resume;
mod secrets;
mod shown;
mod sources;
mod stopping;
mod support;
mod trace;
mod verified;
