//! What came of it.

use anyhow::{Context, Result};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use ws_benches::root;

#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) members: usize,
    pub(crate) stalled: usize,
    pub(crate) policies: Vec<Policy>,
    /// CPU of the server for a delivery.
    pub(crate) compressed_once_ns: f64,
    pub(crate) compressed_each_ns: f64,
    pub(crate) rows: Vec<Row>,
}

/// What stalled members cost the others.
#[derive(Serialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) alone_ms: f64,
    pub(crate) beside_ms: f64,
    pub(crate) ratio: f64,
    pub(crate) grown_bytes: u64,
    pub(crate) ended: usize,
}

/// CPU of a server for a delivery, by the server's name.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) members: usize,
    pub(crate) len: usize,
    pub(crate) nanoseconds: Vec<(String, Option<f64>)>,
}

impl Figures {
    /// Prints each, and tells how many do not hold.
    pub(crate) fn verdicts(&self) -> usize {
        let mut missed = 0;
        let mut verdict = |what: String, value: f64, limit: f64| {
            let holds = value <= limit;
            missed += usize::from(!holds);
            println!("{} {what}: {value:.2}, at most {limit}", if holds { "holds " } else { "MISSED" });
        };
        for Policy { name, ratio, grown_bytes, ended, .. } in &self.policies {
            verdict(format!("{name}: delivery time beside the stalled"), *ratio, MOST_TIME);
            let grown = *grown_bytes as f64 / self.stalled as f64 / 1024.0;
            verdict(format!("{name}: KiB of memory for a stalled member"), grown, MOST_KIB);
            // Those that are ended are all of them, or none.
            let expected = if name == "disconnect" { self.stalled } else { 0 };
            verdict(
                format!("{name}: of {expected} to be ended, wrong"),
                expected.abs_diff(*ended) as f64,
                0.0,
            );
        }
        let ratio = self.compressed_once_ns / self.compressed_each_ns;
        verdict("a delivery compressed once, of one compressed for each".into(), ratio, MOST_COMPRESSED);
        missed
    }

    pub(crate) fn table(&self) -> String {
        let Self { members, stalled, compressed_once_ns: once, compressed_each_ns: each, .. } = self;
        let mut table = format!(
            "| 1 KiB to {members}, by policy | alone, ms | beside {stalled} that do not read, ms | ratio | memory for each of them, KiB | ended |\n\
             |---|---|---|---|---|---|\n"
        );
        for Policy { name, alone_ms, beside_ms, ratio, grown_bytes, ended } in &self.policies {
            let grown = *grown_bytes as f64 / *stalled as f64 / 1024.0;
            let _infallible = writeln!(
                table,
                "| {name} | {alone_ms:.1} | {beside_ms:.1} | {ratio:.2} | {grown:.0} | {ended} |"
            );
        }
        let _infallible = writeln!(
            table,
            "\n1 KiB of JSON, compressed once: {:.2} µs of the server's CPU for a delivery; compressed for each: {:.2} µs; ratio {:.2}.\n",
            once / 1e3,
            each / 1e3,
            once / each
        );
        let names =
            self.rows.first().map(|row| row.nanoseconds.iter().map(|(name, _)| &**name).collect::<Vec<_>>());
        let names = names.unwrap_or_default();
        let _infallible = writeln!(table, "| CPU for a delivery, µs | {} |", names.join(" | "));
        let _infallible = writeln!(table, "|---|{}", "---|".repeat(names.len()));
        for Row { members, len, nanoseconds } in &self.rows {
            let cells = nanoseconds
                .iter()
                .map(|(_, value)| value.map_or("–".into(), |ns| format!("{:.2}", ns / 1e3)));
            let cells: Vec<String> = cells.collect();
            let _infallible = writeln!(table, "| {len} B to {members} | {} |", cells.join(" | "));
        }
        table
    }

    /// Into the project's documentation.
    pub(crate) fn write(&self) -> Result<()> {
        let docs = root()?.join("docs");
        fs::write(docs.join("benchmarks/broadcast.json"), serde_json::to_string_pretty(self)? + "\n")?;
        let page = docs.join("BENCHMARKS.md");
        let text = fs::read_to_string(&page)?;
        let (before, rest) = text.split_once(BEGIN).context("BENCHMARKS.md has no place for the table")?;
        let (_, after) = rest.split_once(END).context("the place for the table has no end")?;
        fs::write(page, format!("{before}{BEGIN}\n{}{END}{after}", self.table()))?;
        Ok(())
    }
}

const MOST_TIME: f64 = 1.5;
/// The queue of a member refers to messages that all share; what its connection was given is at most 64 KiB.
const MOST_KIB: f64 = 512.0;
const MOST_COMPRESSED: f64 = 0.3;
const BEGIN: &str = "<!-- broadcast: written by the bench -->";
const END: &str = "<!-- end of broadcast -->";
