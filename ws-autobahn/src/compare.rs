//! Where two runs differ, by their `index.json`; either may be one of the original suite.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::CaseId;

/// The verdicts of one agent, by case: behavior, and how the connection ended.
pub type Verdicts = BTreeMap<CaseId, (String, String)>;

/// The verdicts of an `index.json`, by agent.
///
/// # Errors
/// [`IndexError`] for a file that cannot be read or is no such file.
pub fn read_index(path: &Path) -> Result<BTreeMap<String, Verdicts>, IndexError> {
    let wrong = |why: String| IndexError { path: path.to_owned(), why };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let index: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let verdict = |(id, entry): (String, Value)| {
        let id = id.parse().map_err(|error| wrong(format!("{id:?}: {error}")))?;
        let word = |key: &str| {
            let word = entry.get(key).and_then(Value::as_str).map(str::to_owned);
            word.ok_or_else(|| wrong(format!("case {id} has no {key}")))
        };
        Ok((id, (word("behavior")?, word("behaviorClose")?)))
    };
    index
        .into_iter()
        .map(|(agent, cases)| Ok((agent, cases.into_iter().map(verdict).collect::<Result<_, _>>()?)))
        .collect()
}

/// One case in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub case: CaseId,
    /// The verdict in the one run; `None` where it has none.
    pub left: Option<(String, String)>,
    /// The verdict in the other.
    pub right: Option<(String, String)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |verdict: &Option<(String, String)>| match verdict {
            Some((behavior, close)) => format!("{behavior} / {close}"),
            None => "not run".to_owned(),
        };
        write!(f, "{:<8} {:<28} {}", self.case.to_string(), words(&self.left), words(&self.right))
    }
}

/// Where the verdicts differ, in the order of the cases.
#[must_use]
pub fn differences(left: &Verdicts, right: &Verdicts) -> Vec<Difference> {
    let cases: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).copied().collect();
    let difference = |case: CaseId| {
        let (left, right) = (left.get(&case).cloned(), right.get(&case).cloned());
        (left != right).then_some(Difference { case, left, right })
    };
    cases.into_iter().filter_map(difference).collect()
}

/// Pairs the agents of two runs: by name; or, where each run has only one, those.
#[must_use]
pub fn pairs<'a>(
    left: &'a BTreeMap<String, Verdicts>,
    right: &'a BTreeMap<String, Verdicts>,
) -> Vec<(&'a str, &'a str, Vec<Difference>)> {
    if let (1, 1, Some((name, left)), Some((other, right))) =
        (left.len(), right.len(), left.iter().next(), right.iter().next())
    {
        return vec![(name, other, differences(left, right))];
    }
    let empty = const { &Verdicts::new() };
    let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let pair = |name: &'a String| {
        let verdicts = |run: &'a BTreeMap<String, Verdicts>| run.get(name).unwrap_or(empty);
        (name.as_str(), name.as_str(), differences(verdicts(left), verdicts(right)))
    };
    names.into_iter().map(pair).collect()
}

/// A file that is no `index.json`.
#[derive(Debug)]
pub struct IndexError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no index.json of a run: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for IndexError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_or_was_not_run_is_told() {
        let verdicts = |entries: &[(u16, &str)]| {
            entries
                .iter()
                .map(|(case, word)| (CaseId::two(2, *case), ((*word).to_owned(), "OK".to_owned())))
                .collect()
        };
        let left: Verdicts = verdicts(&[(1, "OK"), (2, "OK"), (10, "FAILED")]);
        let right: Verdicts = verdicts(&[(1, "OK"), (2, "NON-STRICT")]);
        let found: Vec<String> =
            differences(&left, &right).iter().map(|difference| difference.case.to_string()).collect();
        assert_eq!(found, ["2.2", "2.10"]);
        let run = |name: &str, verdicts: &Verdicts| BTreeMap::from([(name.to_owned(), verdicts.clone())]);
        assert_eq!(pairs(&run("a", &left), &run("b", &left)), [("a", "b", vec![])], "one of each is a pair");
    }
}
