//! The driver over scripted streams, where every byte can be the one before an interruption, and over sockets of the loopback interface.

mod ending;
mod handshakes;
mod interrupted;
mod loopback;
mod observing;
mod queue;
mod support;
mod timers;
#[cfg(feature = "rustls")]
mod tls;
