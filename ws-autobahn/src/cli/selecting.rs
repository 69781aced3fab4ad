//! The options that select cases.

use clap::Args;
use ws_autobahn::Selection;

#[derive(Args, Debug)]
pub(super) struct Selecting {
    /// Patterns of the cases to run, as '6.*' or 7.1.5, with commas between [default: all]
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    cases: Vec<String>,
    /// Patterns of the cases to leave out
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Take in the cases that the original suite does not have, numbered from 100
    #[arg(long)]
    beyond: bool,
}

impl Selecting {
    /// What is selected, where `from` is the selection that options change.
    pub(super) fn change(&self, mut from: Selection) -> Selection {
        from.beyond = self.beyond;
        if !self.cases.is_empty() {
            from.cases.clone_from(&self.cases);
        }
        from.exclude.extend(self.exclude.iter().cloned());
        from
    }
}
