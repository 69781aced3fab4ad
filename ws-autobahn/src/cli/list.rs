//! `list`.

use anyhow::Result;
use clap::Args;
use std::io::{self, Write};
use std::process::ExitCode;
use ws_autobahn::{Case, Selection};

use super::selecting::Selecting;

/// Options of `list`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    #[command(flatten)]
    selecting: Selecting,
    /// Tell too what each case wants to see, and where its rule stands
    #[arg(long, short)]
    long: bool,
}

const AFTER_HELP: &str = "\
A line for each case: its number, whom it tests, and what the suite does.

Examples:
  ws-autobahn list                                  the 517 cases of the original suite
  ws-autobahn list --beyond --cases '100.*,101.*,102.*,103.*,104.*' --long
                                                    those that it does not have, with their rules
  ws-autobahn list --cases '12.*' | cut -d' ' -f1   only the numbers, for a script";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    for case in options.selecting.change(Selection::default()).resolve()? {
        // A reader that has seen enough ends the list.
        if write_case(&mut out, &case, options.long).is_err() {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_case(out: &mut impl Write, case: &Case, long: bool) -> io::Result<()> {
    let whom = match (case.tests_servers(), case.tests_clients()) {
        (true, false) => "servers",
        (false, true) => "clients",
        _ => "both",
    };
    writeln!(out, "{:<9} {whom:<8} {}", case.id.to_string(), case.description)?;
    if long {
        writeln!(out, "{:<18} Wanted: {}", "", case.expectation)?;
        if let Some(reference) = case.reference {
            writeln!(out, "{:<18} Rule: {reference}", "")?;
        }
    }
    Ok(())
}
