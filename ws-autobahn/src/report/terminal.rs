//! The report as a table for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Report, Severity};
use crate::case::Behavior;
use crate::catalogue;

const COLUMNS: [(Behavior, &str); 5] = [
    (Behavior::Ok, "OK"),
    (Behavior::NonStrict, "non-strict"),
    (Behavior::Failed, "failed"),
    (Behavior::Unimplemented, "unimpl."),
    (Behavior::Informational, "inform."),
];

impl Report {
    /// A table of how many cases of each section had which behavior, and a line for each case that is worse than not implemented.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut table = String::new();
        for agent in self.agents() {
            let mut sections: BTreeMap<u16, BTreeMap<Behavior, usize>> = BTreeMap::new();
            for result in self.results(agent) {
                let section = sections.entry(result.case.id.section()).or_default();
                *section.entry(result.verdict.behavior).or_default() += 1;
            }
            let _ = write!(table, "{agent}\n  {:<32}", "");
            for (_, name) in COLUMNS {
                let _ = write!(table, "{name:>11}");
            }
            table.push('\n');
            for (section, counts) in &sections {
                let _ = write!(table, "  {:<32}", format!("{section} {}", catalogue::section_name(*section)));
                row(&mut table, counts);
            }
            let _ = write!(table, "  {:<32}", "all");
            row(&mut table, &self.counts(agent));
            let short = self.results(agent).filter(|result| result.severity() > Severity::Unimplemented);
            for result in short {
                let _ = writeln!(table, "  {}", result.sentence());
            }
        }
        table
    }
}

fn row(table: &mut String, counts: &BTreeMap<Behavior, usize>) {
    for (behavior, _) in COLUMNS {
        let cell = counts.get(&behavior).map_or_else(String::new, usize::to_string);
        let _ = write!(table, "{cell:>11}");
    }
    table.push('\n');
}
