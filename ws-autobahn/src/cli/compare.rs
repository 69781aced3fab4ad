//! `compare`.

use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use ws_autobahn::compare;

/// Options of `compare`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The index.json of one run
    left: PathBuf,
    /// The index.json of another; either may be one that the original suite has written
    right: PathBuf,
}

const AFTER_HELP: &str = "\
A line for each case that one run has and the other has not, or whose behavior or behaviorClose differ: first the run on
the left, then the one on the right. Agents are paired by name; where each run has only one, those two.

Exit status: 0 no differences, 1 some, 2 a file is no index.json.

Example:
  ws-autobahn compare before/index.json after/index.json";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let (left, right) = (compare::read_index(&options.left)?, compare::read_index(&options.right)?);
    let mut different = 0;
    for (name, other, differences) in compare::pairs(&left, &right) {
        println!("{name} and {other}: {} cases differ", differences.len());
        for difference in &differences {
            println!("  {difference}");
        }
        different += differences.len();
    }
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
