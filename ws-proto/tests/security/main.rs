//! The history of the field as tests: what hostile peers did to libraries like this one, each as a test that fails without the defence.
//! `docs/SECURITY.md` has the table of threats, defences and defaults.
//!
//! A violation on an open connection must end it with one Close frame of the right code, whose bytes are checked; what "end" means is in
//! `support::assert_failed`.

#[path = "../support/mod.rs"]
mod support;

mod control_frames;
mod handshake;
#[cfg(feature = "deflate")]
mod inflation;
mod lengths;
mod limits;
mod masking;
#[cfg(feature = "getrandom")]
mod masking_keys;
mod memory;
#[cfg(feature = "deflate")]
mod negotiation;
mod order_of_fragments;
mod progress;
mod queues;
mod reserved;
mod utf8;

use support::{ROLES, assert_failed, both_roles_fail, bytes_for};
use ws_proto::{Failure, LimitError, ProtocolError, Role};
use ws_testkit::raw::{Length, RawFrame};
use ws_testkit::{Chunks, Feed, Observed, Probe};
