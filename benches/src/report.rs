//! What was measured, for people and for programs.

use crate::{Sample, Unit, Workload};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// The samples of a run, and where and when it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The day.
    pub date: String,
    /// The machine.
    pub machine: String,
    /// The compiler.
    pub compiler: String,
    /// How it was called.
    pub command: String,
    /// Names of the servers. The first is the one that ratios are of.
    pub servers: Vec<String>,
    /// What was measured.
    pub rows: Vec<Row>,
}

/// A workload, and what the servers needed for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The workload's name.
    pub name: String,
    /// What the values are.
    pub unit: Unit,
    /// For each server, for each repeat; a server that cannot do it has none.
    samples: Vec<Vec<Option<Sample>>>,
}

impl Report {
    /// A report without samples, of this day and machine.
    #[must_use]
    pub fn new(workloads: &[Workload], servers: Vec<String>, command: String) -> Self {
        let row = |workload: &Workload| Row {
            name: workload.name.into(),
            unit: workload.unit(),
            samples: vec![Vec::new(); servers.len()],
        };
        let rows = workloads.iter().map(row).collect();
        Self {
            date: output("date", &["-u", "+%Y-%m-%d"]),
            machine: machine(),
            compiler: output("rustc", &["--version"]),
            command,
            servers,
            rows,
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// There is no such file, or it is another.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }

    /// Writes all samples: nanoseconds, or bytes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // A line for each row, so that two of them can be compared.
        let text = serde_json::to_string(self)?.replace("{\"name\"", "\n{\"name\"");
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }

    /// The row of that name.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The place of a server among all.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|server| server == name)
    }

    /// A Markdown table of all servers that have a value: medians, and the ratios of `ours` to the first, where it has one, and to the
    /// best of all others.
    #[must_use]
    pub fn markdown(&self, ours: usize) -> String {
        let has_value = |server: usize| self.rows.iter().any(|row| row.value(server).is_some());
        let shown: Vec<usize> = (0..self.servers.len()).filter(|&server| has_value(server)).collect();
        let has_floor = shown.contains(&0);
        let mut table = String::from("| |");
        for &server in &shown {
            let _infallible = write!(table, " {} |", self.servers[server]);
        }
        table += if has_floor { " ours of the floor |" } else { "" };
        table += " ours of the best other |\n|---|";
        table += &"---:|".repeat(shown.len() + 1 + usize::from(has_floor));
        table += "\n";
        for row in &self.rows {
            let _infallible = write!(table, "| {}, {} |", row.name, row.unit.symbol());
            for &server in &shown {
                let value = row.value(server).map(|value| row.unit.number(value));
                let _infallible = write!(table, " {} |", value.as_deref().unwrap_or("–"));
            }
            let of_floor = has_floor.then(|| row.ratio(ours, 0));
            for ratio in of_floor.into_iter().chain([self.of_best_other(row, ours)]) {
                let ratio = ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"));
                let _infallible = write!(table, " {ratio} |");
            }
            table += "\n";
        }
        table
    }

    /// What `ours` needs, of what the best other but the first needs.
    #[must_use]
    pub fn of_best_other(&self, row: &Row, ours: usize) -> Option<f64> {
        row.best(|server| ![0, ours].contains(&server)).and_then(|best| row.ratio(ours, best))
    }
}

impl Row {
    /// Adds what a server needed, by its place. Every repeat adds one for each.
    pub fn add(&mut self, server: usize, sample: Option<Sample>) {
        self.samples[server].push(sample);
    }

    /// The median of a server's values.
    #[must_use]
    pub fn value(&self, server: usize) -> Option<f64> {
        median(self.samples[server].iter().flatten().map(|sample| sample.value))
    }

    /// The median of the ratios of two servers inside a repeat.
    #[must_use]
    pub fn ratio(&self, server: usize, base: usize) -> Option<f64> {
        let pairs = self.samples[server].iter().zip(&self.samples[base]);
        median(pairs.filter_map(|(sample, base)| Some(sample.as_ref()?.value / base.as_ref()?.value)))
    }

    /// How far the middle half of a server's values spreads, of the median.
    #[must_use]
    pub fn spread(&self, server: usize) -> Option<f64> {
        let mut values: Vec<f64> = self.samples[server].iter().flatten().map(|sample| sample.value).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values.get(values.len() / 4)?, values.get(values.len() * 3 / 4)?);
        Some((high - low) / self.value(server)?)
    }

    /// The server with the least, of those that are `among` them.
    #[must_use]
    pub fn best(&self, among: impl Fn(usize) -> bool) -> Option<usize> {
        let servers = (0..self.samples.len()).filter(|&server| among(server));
        let values = servers.filter_map(|server| Some((server, self.value(server)?)));
        values.min_by(|a, b| a.1.total_cmp(&b.1)).map(|best| best.0)
    }
}

/// Cores, model of the processor, and the kernel's version.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let models: Vec<&str> = processors.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(':')).map_or("", |(_, model)| model.trim());
    let kernel = read("/proc/sys/kernel/osrelease");
    // What a distribution puts behind the version is nobody's business.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    format!("{} cores of {model}, Linux {kernel}", models.len())
}

/// The first line that a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout);
    let text = String::from_utf8(output.unwrap_or_default()).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let servers = ["floor", "ours"].map(String::from).to_vec();
        Report::new(&Workload::ALL[..1], servers, "compare".into())
    }

    fn sample(value: f64) -> Option<Sample> {
        Some(Sample { value, count: 1, load: 1.0, generator: 0.0 })
    }

    #[test]
    fn ratios_are_taken_inside_a_repeat() {
        let mut report = report();
        // The machine was slow in the second repeat, for both.
        for (floor, ours) in [(1000.0, 1100.0), (3000.0, 3600.0), (1000.0, 1300.0)] {
            report.rows[0].add(0, sample(floor));
            report.rows[0].add(1, sample(ours));
        }
        let (value, ratio) = (report.rows[0].value(1).unwrap(), report.rows[0].ratio(1, 0).unwrap());
        assert!((value - 1300.0).abs() < 1e-9 && (ratio - 1.2).abs() < 1e-9);
        assert!(report.markdown(1).ends_with("| 1.00 | 1.30 | 1.20 | – |\n"), "{}", report.markdown(1));
    }

    #[test]
    fn a_server_without_a_row_has_a_dash_in_it() {
        let mut report = report();
        report.rows[0].add(0, None);
        report.rows[0].add(1, sample(1e6));
        let row = report.rows[0].clone();
        report.rows.push(row);
        report.rows[1].add(0, sample(1e6));
        report.rows[1].add(1, sample(1e6));
        assert!(report.markdown(1).contains("| – | 1000 | – | – |\n"), "{}", report.markdown(1));
    }

    #[test]
    fn what_was_written_is_read() {
        let mut report = report();
        report.rows[0].add(1, sample(2.5));
        let text = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(read.markdown(1), report.markdown(1));
    }
}
