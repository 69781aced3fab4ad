//! Conformance of WebSocket endpoints: the cases and verdicts of the Autobahn suite, and some beyond it, as a library and a program.
//!
//! [`fuzzing_client`] tests a server, [`fuzzing_server`] tests clients. Both play cases of the [`catalogue`] with an endpoint of their own
//! that may break any rule, and judge what comes back; [`report`] writes it down, in the files of the original suite among other forms.
//!
//! In a test of yours, over the network or, as here, over a pipe and with simulated time, so that no wait of a case takes real time:
//!
//! ```
//! use ws_autobahn::fuzzing_client::{self, Options};
//! use ws_autobahn::report::{Report, Severity};
//! use ws_autobahn::Selection;
//!
//! # async fn serve(stream: tokio::io::DuplexStream) {
//! #     let Ok(incoming) = ws_tokio::accept(stream, ws_proto::Config::default()).await else { return };
//! #     let Ok(mut socket) = incoming.accept(Default::default()).await else { return };
//! #     while let Ok(Some(message)) = socket.recv().await {
//! #         if socket.send(message).await.is_err() { return }
//! #     }
//! # }
//! #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let connect = || async {
//!         let (near, far) = tokio::io::duplex(64 << 10);
//!         tokio::spawn(serve(far)); // an echo server of yours
//!         Ok(near)
//!     };
//!     let selection = Selection { cases: vec!["6.4.*".to_owned()], ..Selection::default() };
//!     let mut report = Report::new();
//!     fuzzing_client::run(connect, selection.resolve()?, Options::default(), |result| report.add(result)).await?;
//!     assert_eq!(report.severity(), Severity::Good, "{}", report.to_table());
//!     Ok(())
//! }
//! ```
//!
//! # What a verdict is
//!
//! [`Verdict::behavior`] is what the endpoint did: what was received has to equal one of the lists of events of the case, whose name is the
//! verdict. [`Verdict::behavior_close`] is how the connection ended: whether the right end closed it, cleanly, with a code that the case wants, and
//! whether the server closed the TCP connection. Both follow the rules of the original suite, with its timers.
//!
//! # What it does not do
//!
//! It has no WAMP, no Hixie or Hybi drafts, no proxies and no web page to control it.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod behavior;
mod case;
mod case_id;
pub mod catalogue;
pub mod compare;
mod deflate;
mod drive;
mod endpoint;
pub mod expected;
mod frame;
pub mod fuzzing_client;
pub mod fuzzing_server;
mod masks;
mod opening;
mod payload;
mod peer;
mod play;
pub mod report;
mod run;
mod selection;
pub mod spec;
mod timeouts;
mod verdict;
mod wire_log;

pub use behavior::{Behavior, CloseBehavior};
pub use case::Case;
pub use case_id::{CaseId, InvalidCaseId};
pub use endpoint::{Connect, Endpoint};
pub use opening::Target;
#[cfg(any(test, fuzzing))]
pub use peer::fuzz_raw_peer;
pub use run::{CaseResult, Stream};
pub use selection::{Selection, UnknownCase};
pub use timeouts::Timeouts;
pub use verdict::Verdict;

/// Compiles and runs the snippets of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../docs/AUTOBAHN.md")]
#[derive(Debug)]
pub struct Guide;
