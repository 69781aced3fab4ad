//! What was measured, for people and for programs.

use crate::{Sample, Unit, Workload};
use serde_json::{Value, json};
use std::fmt::Write;

/// The samples of a run.
#[derive(Debug)]
pub struct Report {
    workloads: Vec<Workload>,
    servers: Vec<String>,
    /// `[workload][server][repeat]`; a server that cannot do a workload has none.
    samples: Vec<Vec<Vec<Option<Sample>>>>,
}

impl Report {
    /// A report without samples. The first server is the one that the ratios are of, where it has the row.
    #[must_use]
    pub fn new(workloads: Vec<Workload>, servers: Vec<String>) -> Self {
        let samples = vec![vec![Vec::new(); servers.len()]; workloads.len()];
        Self { workloads, servers, samples }
    }

    /// Adds what a server needed for a workload, by their places in the lists of [`new`](Self::new). Every repeat adds one for each.
    pub fn add(&mut self, workload: usize, server: usize, sample: Option<Sample>) {
        self.samples[workload][server].push(sample);
    }

    /// The median of a server's values in a row.
    fn value(&self, workload: usize, server: usize) -> Option<f64> {
        median(self.samples[workload][server].iter().flatten().map(|sample| sample.value))
    }

    /// The median of the ratios of two servers inside a repeat.
    fn ratio(&self, workload: usize, server: usize, base: usize) -> Option<f64> {
        let row = &self.samples[workload];
        let pairs = row[server].iter().zip(&row[base]);
        median(pairs.filter_map(|(sample, base)| Some(sample.as_ref()?.value / base.as_ref()?.value)))
    }

    /// How far the middle half of a server's values in a row spreads, of the median.
    fn spread(&self, workload: usize, server: usize) -> Option<f64> {
        let mut values: Vec<f64> =
            self.samples[workload][server].iter().flatten().map(|sample| sample.value).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values.get(values.len() / 4)?, values.get(values.len() * 3 / 4)?);
        Some((high - low) / self.value(workload, server)?)
    }

    /// The server with the least of a row, but for those in `without`.
    fn best(&self, workload: usize, without: &[usize]) -> Option<usize> {
        let servers = (0..self.servers.len()).filter(|server| !without.contains(server));
        let values = servers.filter_map(|server| Some((server, self.value(workload, server)?)));
        values.min_by(|a, b| a.1.total_cmp(&b.1)).map(|best| best.0)
    }

    /// A Markdown table: medians, and their ratios to `floor` where it has the row. The last columns have the ratios of `ours` to
    /// `floor`, and to the best of all others.
    #[must_use]
    pub fn markdown(&self, floor: usize, ours: usize) -> String {
        let mut table = String::from("| |");
        for name in &self.servers {
            let _infallible = write!(table, " {name} |");
        }
        table += " ours of the floor | ours of the best other |\n|---|";
        table += &"---:|".repeat(self.servers.len() + 2);
        table += "\n";
        for (row, workload) in self.workloads.iter().enumerate() {
            let _infallible = write!(table, "| {}, {} |", workload.name, workload.unit().symbol());
            for server in 0..self.servers.len() {
                let value = self
                    .value(row, server)
                    .map_or_else(|| "–".into(), |value| number(workload.unit(), value));
                let _infallible = write!(table, " {value} |");
            }
            let of_floor = self.ratio(row, ours, floor);
            let of_best = self.best(row, &[floor, ours]).and_then(|best| self.ratio(row, ours, best));
            for ratio in [of_floor, of_best] {
                let _infallible =
                    write!(table, " {} |", ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}")));
            }
            table += "\n";
        }
        table
    }

    /// Everything, in nanoseconds and bytes.
    #[must_use]
    pub fn json(&self, floor: usize) -> Value {
        let row = |(row, workload): (usize, &Workload)| {
            let servers: Vec<Value> = (0..self.servers.len())
                .filter(|&server| self.value(row, server).is_some())
                .map(|server| {
                    let samples = self.samples[row][server].iter().flatten();
                    json!({
                        "name": self.servers[server],
                        "median": self.value(row, server),
                        "spread": self.spread(row, server),
                        "ratio_to_floor": self.ratio(row, server, floor),
                        "samples": samples.map(sample_json).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let unit = match workload.unit() {
                Unit::Microseconds => "ns",
                Unit::Kibibytes => "bytes",
            };
            json!({ "name": workload.name, "unit": unit, "servers": servers })
        };
        Value::Array(self.workloads.iter().enumerate().map(row).collect())
    }
}

fn sample_json(sample: &Sample) -> Value {
    let Sample { value, count, load, generator } = sample;
    json!({ "value": value, "count": count, "load": load, "generator": generator })
}

/// Three figures of it, in the unit of the tables.
fn number(unit: Unit, value: f64) -> String {
    let value = match unit {
        Unit::Microseconds => value / 1e3,
        Unit::Kibibytes => value / 1024.0,
    };
    match value {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
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

    #[test]
    fn ratios_are_taken_inside_a_repeat() {
        let servers = ["floor", "ours"].map(String::from).to_vec();
        let mut report = Report::new(Workload::ALL[..1].to_vec(), servers);
        let sample = |value| Some(Sample { value, count: 1, load: 1.0, generator: 0.0 });
        // The machine was slow in the second repeat, for both.
        for (floor, ours) in [(1000.0, 1100.0), (3000.0, 3600.0), (1000.0, 1300.0)] {
            report.add(0, 0, sample(floor));
            report.add(0, 1, sample(ours));
        }
        let (value, ratio) = (report.value(0, 1).unwrap(), report.ratio(0, 1, 0).unwrap());
        assert!((value - 1300.0).abs() < 1e-9 && (ratio - 1.2).abs() < 1e-9);
        assert!(report.markdown(0, 1).ends_with("| 1.00 | 1.30 | 1.20 | – |\n"), "{}", report.markdown(0, 1));
    }

    #[test]
    fn a_server_without_a_row_has_a_dash_in_it() {
        let servers = ["floor", "ours"].map(String::from).to_vec();
        let mut report = Report::new(Workload::ALL[..1].to_vec(), servers);
        report.add(0, 0, None);
        report.add(0, 1, Some(Sample { value: 1e6, count: 1, load: 1.0, generator: 0.0 }));
        assert!(report.markdown(0, 1).ends_with("| – | 1000 | – | – |\n"));
        assert_eq!(report.json(0)[0]["servers"].as_array().unwrap().len(), 1);
    }
}
