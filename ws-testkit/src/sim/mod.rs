//! Deterministic simulation: many connections over a bad network, under a simulated clock.
//!
//! [`Simulation`] is the whole: for a seed it makes connections with random settings, lets them talk through random weather, with resets,
//! half-closes and cut lines, and checks what must hold whatever happens:
//!
//! - every message that was taken for sending is delivered in order and exactly once, or the connection failed for a reason that can be
//!   the network's; behind a clean close nothing is missing; pings and pongs likewise
//! - what is written is legal, read by a strict reader that shares nothing with the parser under test, with at most one Close frame
//! - each end tells exactly one end, and both agree about a clean close
//! - timers fire: every connection ends in time, also where nothing arrives any more, and no deadline that has passed stays
//!
//! Thousands of seeds take seconds. One that fails is printed, and replays alone with `WS_SIM_SEED=…`; see [`check_seeds`].
//!
//! [`Network`] is what it stands on, for applications of your own: implement [`Application`] and let it talk to itself, or to another,
//! through any [`Weather`]. For code on tokio `stream_pair` (feature `tokio`) gives the two ends of such a connection as streams.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use ws_proto::{CloseCode, Connection, Negotiated, Role};
//! use ws_testkit::sim::{Application, Network, Weather};
//! use ws_testkit::{Observed, config};
//!
//! /// The server counts, the client closes when it has counted to three.
//! struct Counting(u32);
//!
//! impl Application for Counting {
//!     fn handle(&mut self, event: Observed, connection: &mut Connection, now: Instant) {
//!         if !matches!(event, Observed::Message(_)) {
//!             return;
//!         }
//!         self.0 += 1;
//!         if self.0 == 3 {
//!             connection.close(CloseCode::NORMAL, "counted", now).unwrap();
//!         } else {
//!             connection.send("next".into()).unwrap();
//!         }
//!     }
//! }
//!
//! let config = Arc::new(config().build().unwrap());
//! let mut network = Network::new(7);
//! let weather = Weather { latency: (Duration::ZERO, Duration::from_millis(300)), window: 3, ..Weather::calm() };
//! let end = |role| (Negotiated::new(role), Arc::clone(&config), Counting(0));
//! network.connect(weather, end(Role::Client), end(Role::Server));
//! network.links_mut()[0].client.connection.send("first".into()).unwrap();
//! network.run_for(Duration::from_secs(60));
//! assert!(matches!(network.links()[0].server.outcome(), Some(Observed::Closed(_))));
//! ```

mod endpoint;
mod line;
mod network;
mod simulation;
#[cfg(feature = "tokio")]
mod stream;
mod traffic;
mod verdict;
mod weather;
mod wire;

pub use endpoint::Endpoint;
pub use network::{Application, Link, Network};
pub use simulation::{Simulation, Summary, check_seeds};
#[cfg(feature = "tokio")]
pub use stream::{SimStream, stream_pair};
pub use verdict::Violation;
pub use weather::{Accident, Weather};
