//! What a client does on the wire: with servers, proxies and redirects that are well-behaved, and with those that are not.

mod cookies;
#[path = "../echo/mod.rs"]
mod echo;
mod hostile;
mod proxies;
mod redirects;
mod secrets;
mod support;
mod turns;
mod ways;
