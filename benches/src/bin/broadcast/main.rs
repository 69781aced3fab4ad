//! What slow members of a group cost the others and what becomes of their messages, what compressing once saves, and a delivery beside other
//! libraries: ratios and counts in one run of two to three minutes, each with a verdict.
//!
//! ```text
//! cargo run --release -p ws-benches --bin broadcast -- --write
//! ```
//!
//! `--write` puts the figures into `docs/benchmarks/broadcast.json` and the table into `docs/BENCHMARKS.md`.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod deliveries;
#[cfg(target_os = "linux")]
mod policies;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod stalled;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("broadcast reads Linux's account of CPU time")
}
