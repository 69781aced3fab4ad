//! Thousands of hostile connections at once, while honest ones go on: what that costs them, and what is left of it.
//!
//! ```text
//! cargo build --release -p ws-examples --example echo_server
//! cargo run --release -p ws-benches --bin attack
//! ```
//!
//! It takes two to three minutes, and ends with a line for each of what is to hold: the ratio that was measured, and what it may be at most.
//!
//! Everything is measured in one run: the honest connections alone, then under attack, then the memory of the server behind it. It fails where
//! a reply is lost or wrong, p99 is more than `--most-times` the quiet one, memory passes its bound or stays, or the server panics.

#[cfg(target_os = "linux")]
mod honest;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod run;
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
