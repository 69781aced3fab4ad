//! What is known not to be OK, with a reason for each; so that a change in either direction is seen.
//!
//! ```toml
//! [[expect]]
//! cases = ["6.4.3", "6.4.4"]
//! behavior = "NON-STRICT"
//! reason = "text is checked when a frame is complete"
//! ```

use serde::Deserialize;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::{Behavior, CloseBehavior};
use crate::report::Report;
use crate::run::CaseResult;
use crate::selection::matches;

/// The contents of a file of expectations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default)]
    expect: Vec<Expectation>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// Patterns.
    cases: Vec<String>,
    /// A pattern; all agents where there is none.
    agent: Option<String>,
    #[serde(default = "ok")]
    behavior: String,
    #[serde(default = "ok")]
    close: String,
    reason: String,
}

fn ok() -> String {
    "OK".to_owned()
}

impl Expected {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, or has no such contents, or an expectation without a reason.
    pub fn read(path: &Path) -> Result<Self, ExpectedError> {
        let wrong = |why: String| ExpectedError { path: path.to_owned(), why };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let expected: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match expected.expect.iter().find(|expectation| expectation.reason.trim().is_empty()) {
            Some(expectation) => {
                Err(format!("the expectation for {} has no reason", expectation.cases.join(", ")))
            }
            None => Ok(expected),
        }
    }

    /// A sentence for each case in which an agent did not do what is expected: not better, and not worse.
    #[must_use]
    pub fn check(&self, report: &Report) -> Vec<String> {
        let agents: Vec<&str> = report.agents().collect();
        agents
            .into_iter()
            .flat_map(|agent| report.results(agent).filter_map(move |result| self.check_one(agent, result)))
            .collect()
    }

    fn check_one(&self, agent: &str, result: &CaseResult) -> Option<String> {
        let id = result.case.id.to_string();
        let (behavior, close) = (result.verdict.behavior, result.verdict.behavior_close);
        let expectation = self.expect.iter().find(|expectation| {
            expectation.agent.as_ref().is_none_or(|pattern| matches(pattern, agent))
                && expectation.cases.iter().any(|pattern| matches(pattern, &id))
        });
        let got = (behavior.as_str(), close.as_str());
        match expectation {
            Some(expectation) => {
                let wanted = (expectation.behavior.as_str(), expectation.close.as_str());
                (got != wanted).then(|| {
                    format!(
                        "{agent}: case {id} is {} / {}, expected is {} / {} ({})",
                        got.0, got.1, wanted.0, wanted.1, expectation.reason
                    )
                })
            }
            None => {
                let good = matches!(behavior, Behavior::Ok | Behavior::Informational)
                    && matches!(close, CloseBehavior::Ok | CloseBehavior::Informational);
                (!good).then(|| {
                    format!(
                        "{agent}: case {id} is {} / {}, and nothing else is expected than OK / OK",
                        got.0, got.1
                    )
                })
            }
        }
    }
}

/// A file of expectations that cannot be used.
#[derive(Debug)]
pub struct ExpectedError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the expectations in {} cannot be used: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for ExpectedError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_needs_a_reason_and_known_words() {
        let read = |text: &str| Expected::parse(text).map(|expected| expected.expect.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(
            read("[[expect]]\ncases = [\"6.4.*\"]\nbehavior = \"NON-STRICT\"\nreason = \"late\""),
            Ok(1)
        );
        assert!(read("[[expect]]\ncases = [\"6.4.*\"]\nreason = \" \"").is_err());
        assert!(read("[[expect]]\ncases = [\"6.4.*\"]").is_err());
        assert!(read("[[expect]]\ncases = [\"6.4.*\"]\nreason = \"x\"\nbehaviour = \"OK\"").is_err());
    }
}
