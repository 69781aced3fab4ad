//! What came of a run, in several forms.

mod html;
mod json;
mod junit;
mod terminal;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::case::{Behavior, CaseId, CloseBehavior};
use crate::run::CaseResult;
use crate::verdict::Verdict;

/// The results of one or more agents.
#[derive(Debug, Default)]
pub struct Report {
    agents: BTreeMap<String, BTreeMap<CaseId, CaseResult>>,
}

/// A form that a report may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `index.json` and a file for each case, with the keys and values of the original suite.
    Json,
    /// `index.html`, one page with everything in it.
    Html,
    /// `junit.xml`.
    Junit,
}

/// How far a case is from what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// OK, or only informational.
    Good,
    /// The endpoint does not offer what the case is about.
    Unimplemented,
    /// Allowed, but not what a strict reading asks for; or another close code than wanted, or the TCP connection was left to the client to close.
    NonStrict,
    /// Against the specification, or not closed cleanly where that was wanted.
    Failed,
}

impl CaseResult {
    /// How far it is from what is wanted.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match (self.verdict.behavior, self.verdict.behavior_close) {
            (Behavior::Failed, _) | (_, CloseBehavior::Failed | CloseBehavior::Unclean) => Severity::Failed,
            (Behavior::NonStrict, _) | (_, CloseBehavior::WrongCode | CloseBehavior::FailedByClient) => {
                Severity::NonStrict
            }
            (Behavior::Unimplemented, _) => Severity::Unimplemented,
            _ => Severity::Good,
        }
    }

    /// Its number, the verdict, and why it is so.
    fn sentence(&self) -> String {
        let Verdict { behavior, behavior_close, result, result_close } = &self.verdict;
        format!("{} is {behavior} / {behavior_close}: {result} {result_close}", self.case.id)
    }
}

impl Report {
    /// No results yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a result; it replaces an earlier one of the same agent and case.
    pub fn add(&mut self, result: CaseResult) {
        let agent = result.agent().unwrap_or(UNKNOWN_AGENT).to_owned();
        self.agents.entry(agent).or_default().insert(result.case.id, result);
    }

    /// The names of the agents.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.keys().map(String::as_str)
    }

    /// All results of an agent, in the order of the cases.
    pub fn results(&self, agent: &str) -> impl Iterator<Item = &CaseResult> {
        self.agents.get(agent).into_iter().flat_map(BTreeMap::values)
    }

    /// The result of an agent in a case.
    #[must_use]
    pub fn result(&self, agent: &str, case: CaseId) -> Option<&CaseResult> {
        self.agents.get(agent)?.get(&case)
    }

    /// How many results there are of each behavior.
    #[must_use]
    pub fn counts(&self, agent: &str) -> BTreeMap<Behavior, usize> {
        let mut counts = BTreeMap::new();
        for result in self.results(agent) {
            *counts.entry(result.verdict.behavior).or_default() += 1;
        }
        counts
    }

    /// How far the worst case is from what is wanted.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let results = self.agents.values().flat_map(BTreeMap::values);
        results.map(CaseResult::severity).max().unwrap_or(Severity::Good)
    }

    /// A sentence for each case that is at least so far from what is wanted.
    #[must_use]
    pub fn shortcomings(&self, from: Severity) -> Vec<String> {
        let results = self
            .agents
            .iter()
            .flat_map(|(agent, results)| results.values().map(move |result| (agent, result)));
        let short = results.filter(|(_, result)| result.severity() >= from);
        short.map(|(agent, result)| format!("{agent}: case {}", result.sentence())).collect()
    }

    /// Writes the report in these forms into a folder, which is made where there is none. `fails_from` is what counts as a failure in JUnit.
    ///
    /// # Errors
    /// The first file that could not be written, and why.
    pub fn write(&self, folder: &Path, formats: &[Format], fails_from: Severity) -> Result<(), WriteError> {
        fs::create_dir_all(folder).map_err(|error| WriteError { path: folder.to_owned(), error })?;
        for format in formats {
            match format {
                Format::Json => json::write(self, folder)?,
                Format::Html => html::write(self, folder)?,
                Format::Junit => junit::write(self, folder, fails_from)?,
            }
        }
        Ok(())
    }
}

/// A file that could not be written.
#[derive(Debug)]
pub struct WriteError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be written: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn write_file(folder: &Path, name: &str, contents: &[u8]) -> Result<(), WriteError> {
    let path = folder.join(name);
    fs::write(&path, contents).map_err(|error| WriteError { path, error })
}

/// What a server is called that does not tell its name.
const UNKNOWN_AGENT: &str = "UnknownServer";
