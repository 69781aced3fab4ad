//! Draws the charts of `docs/benchmarks` from what `compare` and `idle` measured, and writes their tables into `docs/BENCHMARKS.md` and
//! `README.md`.
//!
//! `cargo run --release -p ws-benches --bin charts`
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("the benches are of Linux")
}

#[cfg(target_os = "linux")]
mod linux {
    use anyhow::{Context, Result};
    use clap::Parser;
    use std::fmt::Write;
    use std::path::{Path, PathBuf};
    use ws_benches::{Report, Roster, Row, chart, root};

    /// Draws charts, and writes tables.
    #[derive(Parser)]
    struct Arguments {
        /// Where the project is, with `docs/benchmarks/compare.json` and, if there, `idle.json` in it.
        #[arg(long)]
        root: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<()> {
        let root = Arguments::parse().root.map_or_else(|| root().map(Path::to_owned), Ok)?;
        let folder = root.join("docs/benchmarks");
        let report = Report::read(&folder.join("compare.json"))?;
        let ours = report.server(Roster::OURS).context("ours is missing")?;
        for &(name, columns, rows) in CHARTS {
            std::fs::write(folder.join(format!("{name}.svg")), chart(&report, rows, columns)?)?;
        }
        let document = root.join("docs/BENCHMARKS.md");
        write_between(
            &document,
            "compare",
            &(origin(&report) + &report.markdown(ours) + "\n" + &behind(&report, ours)),
        )?;
        write_between(
            &root.join("README.md"),
            "compare",
            &(summary(&report, ours)? + "\n" + &behind(&report, ours)),
        )?;
        let idle = folder.join("idle.json");
        if idle.exists() {
            let report = Report::read(&idle)?;
            let ours = report.server(Roster::OURS).context("ours is missing")?;
            write_between(&document, "idle", &(origin(&report) + &report.markdown(ours)))?;
        }
        Ok(())
    }

    /// Where and when.
    fn origin(report: &Report) -> String {
        let Report { date, machine, compiler, command, .. } = report;
        format!(
            "{date}; {machine}; {compiler}, release profile of the workspace, no `target-cpu`; `{command}`.\n\n"
        )
    }

    /// Where we do not lead.
    fn behind(report: &Report, ours: usize) -> String {
        let mut ahead: Vec<(f64, String)> = Vec::new();
        for row in &report.rows {
            let (Some(ratio), Some(best)) =
                (report.of_best_other(row, ours), row.best(|server| ![0, ours].contains(&server)))
            else {
                continue;
            };
            if ratio >= 1.01 {
                ahead.push((ratio, format!("{} ({}, {:.2})", row.name, report.servers[best], ratio)));
            }
        }
        if ahead.is_empty() {
            return "No other library needs less in any row.\n".into();
        }
        ahead.sort_by(|a, b| b.0.total_cmp(&a.0));
        let rows: Vec<String> = ahead.into_iter().map(|row| row.1).collect();
        format!(
            "Where another library needs less (which, and what ours needs of that): {}.\n",
            rows.join("; ")
        )
    }

    /// The rows that readers ask for first.
    fn summary(report: &Report, ours: usize) -> Result<String> {
        let mut table =
            "| | ours | raw TCP | best other, plain loop | best other, batched by hand |\n|---|---:|---:|---:|---:|\n"
                .to_owned();
        for &(name, title) in SUMMARY {
            let row = report.row(name).with_context(|| format!("no row {name}"))?;
            let by_hand = |server: usize| report.servers[server].ends_with("-batch");
            let plain = row.best(|server| ![0, ours].contains(&server) && !by_hand(server));
            let batched = row.best(by_hand);
            let _infallible = write!(table, "| {title}, {} |", row.unit.symbol());
            for server in [Some(ours), Some(0), plain, batched] {
                let _infallible = write!(table, " {} |", cell(row, server));
            }
            table += "\n";
        }
        Ok(table)
    }

    fn cell(row: &Row, server: Option<usize>) -> String {
        server.and_then(|server| row.value(server)).map_or_else(String::new, |value| row.unit.number(value))
    }

    /// Puts `text` where `file` says that it belongs.
    fn write_between(file: &Path, name: &str, text: &str) -> Result<()> {
        let before = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let place = || Some((before.find(&begin)? + begin.len(), before.find(&end)?));
        let (from, to) = place().with_context(|| format!("{}: no {begin}", file.display()))?;
        let after = format!("{}\n{}\n{}", &before[..from], text.trim(), &before[to..]);
        std::fs::write(file, after).with_context(|| file.display().to_string())
    }

    /// File, panels beside each other, and rows with their titles.
    type Chart = (&'static str, usize, &'static [(&'static str, &'static str)]);

    const CHARTS: &[Chart] = &[
        (
            "overview",
            2,
            &[
                ("125 B n64", "125 B, one in flight"),
                ("125 B n64 d16", "125 B, 16 in flight"),
                ("16 KiB n64 d16", "16 KiB, 16 in flight"),
                ("1 MiB n8", "1 MiB"),
                ("broadcast 125 B to 1000", "delivery of a broadcast"),
                ("1 KiB JSON deflate n64", "1 KiB of JSON, compressed"),
                ("idle", "idle connection"),
                ("p99 125 B n512", "p99, 512 connections"),
            ],
        ),
        (
            "messages",
            2,
            &[
                ("16 B n64", "16 B, 64 connections"),
                ("125 B n64", "125 B, 64 connections"),
                ("1 KiB n64", "1 KiB, 64 connections"),
                ("125 B n512", "125 B, 512 connections"),
                ("125 B n64 d16", "125 B, 16 in flight"),
                ("1 KiB n64 d16", "1 KiB, 16 in flight"),
            ],
        ),
        (
            "large",
            2,
            &[
                ("16 KiB n64", "16 KiB"),
                ("16 KiB n64 d16", "16 KiB, 16 in flight"),
                ("64 KiB n64", "64 KiB"),
                ("64 KiB text n64", "64 KiB of text"),
                ("1 MiB n8", "1 MiB"),
                ("16 MiB n1", "16 MiB"),
            ],
        ),
        (
            "others",
            2,
            &[
                ("1 KiB JSON deflate n64", "1 KiB of JSON, deflate level 1"),
                ("1 KiB JSON deflate 6 n64", "1 KiB of JSON, deflate level 6"),
                ("broadcast 125 B to 1000", "delivery of 125 B to 1,000"),
                ("broadcast 1 KiB JSON deflate to 1000", "delivery of compressed JSON"),
                ("p99 125 B n512", "p99, 512 connections"),
                ("handshake", "opening handshake"),
                ("idle", "idle connection"),
                ("idle deflate", "idle, compression negotiated"),
                ("idle TLS", "idle, TLS"),
            ],
        ),
    ];

    const SUMMARY: &[(&str, &str)] = &[
        ("125 B n64", "125 B, one in flight"),
        ("125 B n64 d16", "125 B, 16 in flight"),
        ("16 KiB n64", "16 KiB, one in flight"),
        ("16 KiB n64 d16", "16 KiB, 16 in flight"),
        ("64 KiB n64", "64 KiB"),
        ("1 MiB n8", "1 MiB"),
        ("1 KiB JSON deflate n64", "1 KiB of JSON, compressed"),
        ("broadcast 125 B to 1000", "125 B to 1,000 members, a delivery"),
        ("p99 125 B n512", "125 B, slowest in a hundred at 512 connections"),
        ("handshake", "opening handshake"),
        ("idle", "idle connection"),
    ];
}
