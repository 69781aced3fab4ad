//! The spec files of the original suite, in JSON: `fuzzingclient.json` and `fuzzingserver.json`.
//!
//! A key that is not known is an error, because what was meant by it would not happen.

mod options;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::selection::{Selection, matches};
pub use options::ProtocolOptions;

/// What both files have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Spec {
    /// Where the fuzzing server listens: `ws://address:port`.
    pub url: Option<String>,
    /// The servers that the fuzzing client tests.
    pub servers: Vec<Server>,
    /// Where the reports go.
    pub outdir: Option<PathBuf>,
    /// Patterns of the cases to run.
    pub cases: Vec<String>,
    /// Patterns of the cases to leave out.
    pub exclude_cases: Vec<String>,
    /// Patterns of the cases to leave out for agents, by patterns of their names.
    pub exclude_agent_cases: BTreeMap<String, Vec<String>>,
    /// The certificate of a `wss://` server, a file in PEM.
    pub cert: Option<PathBuf>,
    /// The key to it.
    pub key: Option<PathBuf>,
    /// Settings for all connections.
    pub options: ProtocolOptions,
    /// Where the original suite serves a web page; it has no effect here.
    pub webport: Option<serde_json::Value>,
}

/// A server to be tested.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// What it is called in the report; where there is none, what it calls itself.
    pub agent: Option<String>,
    /// Its URL.
    pub url: String,
    /// What to ask for in the TLS handshake, where it is not the host of the URL.
    pub hostname: Option<String>,
    /// The value of `Origin`.
    pub origin: Option<String>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// Settings for the connections to it, which go before those for all.
    pub options: ProtocolOptions,
}

impl Spec {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SpecError`], with the place in the file.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let wrong = |why: String| SpecError { path: path.to_owned(), why };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let spec: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match spec.url.is_none() && spec.servers.is_empty() {
            true => Err(wrong("it names neither servers nor a url".to_owned())),
            false => Ok(spec),
        }
    }

    /// The cases that it selects; all where it names none.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let cases = if self.cases.is_empty() { vec!["*".to_owned()] } else { self.cases.clone() };
        Selection { cases, exclude: self.exclude_cases.clone(), beyond: false }
    }

    /// A sentence for each key that has no effect.
    pub fn notes(&self) -> impl Iterator<Item = &'static str> {
        let webport =
            self.webport.is_some().then_some("webport in the spec file has no effect: there is no web page");
        webport.into_iter()
    }

    /// Is the case to be left out for this agent?
    #[must_use]
    pub fn excludes(&self, agent: &str, case: &str) -> bool {
        excludes(&self.exclude_agent_cases, agent, case)
    }
}

/// Is the case to be left out for this agent?
pub(crate) fn excludes(rules: &BTreeMap<String, Vec<String>>, agent: &str, case: &str) -> bool {
    let whole = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(_) => matches(pattern, text),
        None if pattern.contains('*') => {
            matches(pattern, text) && text.ends_with(pattern.rsplit('*').next().unwrap_or_default())
        }
        None => pattern == text,
    };
    rules.iter().any(|(name, cases)| whole(name, agent) && cases.iter().any(|pattern| whole(pattern, case)))
}

/// A spec file that cannot be used.
#[derive(Debug)]
pub struct SpecError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the spec file {} cannot be used: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_original_suite_is_read() {
        let spec: Spec = serde_json::from_str(
            r#"{
               "outdir": "./reports/servers",
               "servers": [{"agent": "testee", "url": "ws://127.0.0.1:9002", "options": {"version": 18}}],
               "cases": ["1.*", "2.10"],
               "exclude-cases": ["1.2.*"],
               "exclude-agent-cases": {"Fire*": ["6.22.*", "1.1.1"]}
            }"#,
        )
        .unwrap();
        assert_eq!(spec.servers[0].agent.as_deref(), Some("testee"));
        assert_eq!(spec.selection().resolve().unwrap().len(), 9);
        assert!(spec.excludes("Firefox/1", "6.22.3") && spec.excludes("Firefox/1", "1.1.1"));
        assert!(!spec.excludes("Firefox/1", "1.1.10") && !spec.excludes("Other", "6.22.3"));
    }

    #[test]
    fn a_key_that_is_not_known_is_answered_with_a_sentence() {
        let read = |text: &str| serde_json::from_str::<Spec>(text).map_err(|error| error.to_string());
        let error = read(r#"{"url": "ws://127.0.0.1:9001", "exclude-case": ["1.*"]}"#).unwrap_err();
        assert!(
            error.starts_with("unknown field `exclude-case`, expected one of `url`, `servers`"),
            "{error}"
        );
        let error = read(r#"{"servers": [{"uri": "ws://127.0.0.1:9001"}]}"#).unwrap_err();
        assert!(error.starts_with("unknown field `uri`, expected one of `agent`, `url`"), "{error}");
        let error = read(r#"{"url": "ws://127.0.0.1:9001", "options": {"failByDrop": true}}"#).unwrap_err();
        assert!(error.starts_with("the option failByDrop is true"), "{error}");
        let spec = read(r#"{"url": "ws://127.0.0.1:9001", "webport": 8080}"#).unwrap();
        assert_eq!(spec.notes().count(), 1);
    }
}
