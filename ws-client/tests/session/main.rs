//! Sessions over a network in memory, whose time is simulated.

mod attempts;
mod closing;
mod events;
mod keepalive;
mod outbox;
mod support;
