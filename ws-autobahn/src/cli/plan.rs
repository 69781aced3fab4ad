//! What `fuzzing-client` and `fuzzing-server` have in common: which cases, where the reports go, and what the exit status is.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use ws_autobahn::expected::Expected;
use ws_autobahn::report::{Format, Report, Severity};
use ws_autobahn::spec::Spec;
use ws_autobahn::{Case, Selection};

use super::selecting::Selecting;

/// Options of both.
#[derive(Args, Debug)]
pub(super) struct Common {
    #[command(flatten)]
    selecting: Selecting,
    /// A spec file of the original suite (JSON); options of the command line go before what it says
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// The folder for the reports [default: reports/servers or reports/clients]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What reports are written
    #[arg(long, value_delimiter = ',', default_values_t = [FormatName::Json, FormatName::Html, FormatName::Junit])]
    format: Vec<FormatName>,
    /// The least that makes the exit status 1
    #[arg(long, value_enum, default_value_t = FailOn::Failed)]
    fail_on: FailOn,
    /// A file that tells what is known not to be OK, with reasons (TOML); instead of --fail-on, any difference makes the exit status 1
    #[arg(long, value_name = "FILE", conflicts_with = "fail_on")]
    expected: Option<PathBuf>,
    /// No progress and no table, only what went wrong
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// index.json and a file for each case, as the original suite writes them
    Json,
    /// index.html, one page
    Html,
    /// junit.xml
    Junit,
}

impl std::fmt::Display for FormatName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
        })
    }
}

/// The least that makes the exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Cases that are FAILED, or whose connection ended UNCLEAN or FAILED
    Failed,
    /// Also those that are NON-STRICT, closed with a WRONG CODE, or FAILED BY CLIENT
    NonStrict,
    /// Also those that are UNIMPLEMENTED
    Unimplemented,
    /// None
    Never,
}

impl FailOn {
    const fn severity(self) -> Severity {
        match self {
            Self::Failed | Self::Never => Severity::Failed,
            Self::NonStrict => Severity::NonStrict,
            Self::Unimplemented => Severity::Unimplemented,
        }
    }
}

/// What is to be run, and what becomes of the results.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) cases: Vec<Arc<Case>>,
    pub(super) spec: Option<Spec>,
    expected: Option<Expected>,
    out: PathBuf,
    formats: Vec<Format>,
    fail_on: FailOn,
    quiet: bool,
}

impl Plan {
    /// Reads the files that the options name, and makes sure that the reports can be written.
    pub(super) fn new(common: &Common, default_out: &str, audience: fn(&Case) -> bool) -> Result<Self> {
        let spec = common.spec.as_deref().map(Spec::read).transpose()?;
        for note in spec.iter().flat_map(Spec::notes) {
            eprintln!("ws-autobahn: {note}");
        }
        let selection = spec.as_ref().map_or_else(Selection::default, Spec::selection);
        let out = common
            .out
            .clone()
            .or_else(|| spec.as_ref()?.outdir.clone())
            .unwrap_or_else(|| default_out.into());
        let mut cases = common.selecting.change(selection).resolve()?;
        cases.retain(|case| audience(case));
        if cases.is_empty() {
            bail!("none of the selected cases is for this end; ws-autobahn list tells whom each tests");
        }
        let expected = common.expected.as_deref().map(Expected::read).transpose()?;
        // Found out now, and not after the run.
        check_writable(&out)
            .with_context(|| format!("the reports cannot be written to {}", out.display()))?;
        let formats = common.format.iter().map(|format| match format {
            FormatName::Json => Format::Json,
            FormatName::Html => Format::Html,
            FormatName::Junit => Format::Junit,
        });
        Ok(Self {
            cases,
            expected,
            out,
            formats: formats.collect(),
            spec,
            fail_on: common.fail_on,
            quiet: common.quiet,
        })
    }

    /// The cases to be left out for agents, both by patterns.
    pub(super) fn excluded(&self) -> BTreeMap<String, Vec<String>> {
        self.spec.as_ref().map(|spec| spec.exclude_agent_cases.clone()).unwrap_or_default()
    }

    pub(super) fn write(&self, report: &Report) -> Result<()> {
        Ok(report.write(&self.out, &self.formats, self.fail_on.severity())?)
    }

    /// Writes the reports, tells how it went, and finds the exit status. `troubles` are why the run was not made, or not finished.
    pub(super) fn finish(&self, report: &Report, mut troubles: Vec<anyhow::Error>) -> ExitCode {
        if !self.quiet && report.agents().next().is_some() {
            print!("{}", report.to_table());
        }
        match self.write(report) {
            Ok(()) if !self.quiet => println!("The reports are in {}.", self.out.display()),
            Ok(()) => {}
            Err(error) => troubles.push(error),
        }
        let short = self.fell_short(report);
        // The table has told it, but for what differs from the expectations.
        if self.quiet || self.expected.is_some() {
            for sentence in &short {
                eprintln!("{sentence}");
            }
        }
        for trouble in &troubles {
            super::tell(trouble);
        }
        ExitCode::from(match (troubles.is_empty(), short.is_empty()) {
            (false, _) => 2,
            (true, false) => 1,
            (true, true) => 0,
        })
    }

    /// A sentence for each case that is not as wanted.
    fn fell_short(&self, report: &Report) -> Vec<String> {
        match (&self.expected, self.fail_on) {
            (Some(expected), _) => expected.check(report),
            (None, FailOn::Never) => Vec::new(),
            (None, fail_on) => report.shortcomings(fail_on.severity()),
        }
    }
}

fn check_writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(".ws-autobahn");
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}
