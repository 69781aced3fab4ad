//! What came of it.

use crate::deliveries::Talk;
use crate::policies::Policy;
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
    pub(crate) compressed: Vec<Compressed>,
    pub(crate) rows: Vec<Row>,
}

/// CPU of the server for a delivery of compressed JSON to a thousand.
#[derive(Serialize)]
pub(crate) struct Compressed {
    pub(crate) talk: Talk,
    pub(crate) once_ns: f64,
    pub(crate) each_ns: f64,
}

/// CPU of a server for a delivery, by the server's name.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) members: usize,
    pub(crate) len: usize,
    pub(crate) nanoseconds: Vec<(String, f64)>,
}

impl Compressed {
    fn name(&self) -> String {
        let Talk { len, speakers } = self.talk;
        let at_once = if speakers > 1 { format!(", {speakers} at once") } else { String::new() };
        format!("{} KiB{at_once}", len >> 10)
    }

    fn ratio(&self) -> f64 {
        self.once_ns / self.each_ns
    }
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
        for policy in &self.policies {
            let name = &policy.name;
            if let Some(ratio) = policy.ratio() {
                verdict(format!("{name}: delivery time beside those that do not read"), ratio, MOST_TIME);
            }
            let grown = policy.grown_bytes as f64 / self.stalled as f64 / 1024.0;
            verdict(format!("{name}: KiB of memory for each of those"), grown, MOST_KIB);
            let wrong = policy.wrong as f64;
            verdict(format!("{name}: of those got something else than it promises"), wrong, 0.0);
            let odd = policy.odd as f64;
            verdict(format!("{name}: repeats whose counts do not add up"), odd, 0.0);
        }
        for row in &self.compressed {
            verdict(
                format!("{}: compressed once, of compressed for each", row.name()),
                row.ratio(),
                MOST_COMPRESSED,
            );
        }
        missed
    }

    pub(crate) fn table(&self) -> String {
        let mut table = self.policy_table();
        table += "\n| JSON to 1000, µs of CPU for a delivery | compressed once | compressed for each | ratio |\n|---|---:|---:|---:|\n";
        for row in &self.compressed {
            let (once, each) = (row.once_ns / 1e3, row.each_ns / 1e3);
            let _infallible =
                writeln!(table, "| {} | {once:.2} | {each:.2} | {:.2} |", row.name(), row.ratio());
        }
        let names = self.rows.first().map_or(&[][..], |row| &row.nanoseconds);
        let names: Vec<&str> = names.iter().map(|(name, _)| &**name).collect();
        let _infallible = writeln!(table, "\n| µs of CPU for a delivery | {} |", names.join(" | "));
        let _infallible = writeln!(table, "|---|{}", "---:|".repeat(names.len()));
        for Row { members, len, nanoseconds } in &self.rows {
            let cells: Vec<String> =
                nanoseconds.iter().map(|(_, value)| format!("{:.2}", value / 1e3)).collect();
            let _infallible = writeln!(table, "| {len} B to {members} | {} |", cells.join(" | "));
        }
        table
    }

    fn policy_table(&self) -> String {
        let Self { members, stalled, .. } = self;
        let mut table = format!(
            "| {LEN} to {members}, by policy | alone, ms | beside {stalled} that do not read, ms | ratio | memory for each of them, KiB \
             | sent to them | heard | left out or replaced | ended | told 1013 | sends that waited |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        );
        let cell = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "–".into(), |value| format!("{value:.digits$}"))
        };
        for policy in &self.policies {
            let Policy { name, alone_ms, beside_ms, sent, heard, lost, disconnected, told, waited, .. } =
                policy;
            let (alone, beside, ratio) = (cell(*alone_ms, 1), cell(*beside_ms, 1), cell(policy.ratio(), 2));
            let grown = policy.grown_bytes as f64 / *stalled as f64 / 1024.0;
            let _infallible = writeln!(
                table,
                "| {name} | {alone} | {beside} | {ratio} | {grown:.0} | {sent} | {heard} | {lost} | {disconnected} | {told} | {waited} |"
            );
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

const LEN: &str = "1 KiB";
const MOST_TIME: f64 = 1.5;
/// The queue of a member refers to messages that all share; what its connection was given is at most 64 KiB.
const MOST_KIB: f64 = 512.0;
const MOST_COMPRESSED: f64 = 0.3;
const BEGIN: &str = "<!-- broadcast: written by the bench -->";
const END: &str = "<!-- end of broadcast -->";
