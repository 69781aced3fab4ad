//! Thousands of hostile connections at once, while honest ones go on: what that costs them, and what is left of it.
//!
//! ```text
//! cargo run --release -p ws-benches --bin attack
//! ```
//!
//! It builds its servers, takes four minutes, and ends with a line for each of what is to hold: the ratio that was measured, and what it may be at
//! most.
//!
//! Everything is measured in one run: the honest connections alone, then under attack, then the memory of the server behind it. It fails where
//! a reply is lost or wrong, p99 is more than `--most-times` the quiet one, memory passes its bound or stays, or the server panics.
//!
//! - Beside it runs a second server that nobody attacks, with as many honest connections. How much longer these wait during the attack is what
//!   the hostile clients take of the machine, whatever the server does.
//! - Our echo server is attacked twice: as it is, which p99 is judged by, and with an allocator that gives back at once what is free, which is
//!   what decides whether memory stays: the system's may keep what the server has freed.

#[cfg(target_os = "linux")]
mod honest;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod swarm;
#[cfg(target_os = "linux")]
mod verdict;
#[cfg(target_os = "linux")]
mod victim;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the account of the server's memory is that of Linux");
}
