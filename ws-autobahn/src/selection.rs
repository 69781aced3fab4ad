//! Which cases to run.

use std::fmt;
use std::sync::Arc;

use crate::case::{Case, CaseId};
use crate::catalogue;

/// Patterns of cases to run, and of cases to leave out.
///
/// A pattern is the number of a case (`6.4.1`), or has stars for anything (`6.*`, `*`). A pattern with stars holds for all cases that begin like it,
/// as in the original suite.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What to run.
    pub cases: Vec<String>,
    /// What of it to leave out.
    pub exclude: Vec<String>,
    /// Are the cases that the original suite does not have to be run too? Patterns select among them as among the others.
    pub beyond: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self { cases: vec!["*".to_owned()], exclude: Vec::new(), beyond: false }
    }
}

impl Selection {
    /// The cases, in order.
    ///
    /// # Errors
    /// [`UnknownCase`] for a pattern without a star that is the number of no case, or a selection that is empty.
    pub fn resolve(&self) -> Result<Vec<Arc<Case>>, UnknownCase> {
        let known: Vec<&Arc<Case>> = match self.beyond {
            true => catalogue::original().iter().chain(catalogue::beyond()).collect(),
            false => catalogue::original().iter().collect(),
        };
        for pattern in self.cases.iter().chain(&self.exclude) {
            let all = || catalogue::original().iter().chain(catalogue::beyond());
            if !pattern.contains('*') && !all().any(|case| case.id.to_string() == *pattern) {
                return Err(UnknownCase(pattern.clone()));
            }
        }
        let matches = |patterns: &[String], id: CaseId| {
            patterns.iter().any(|pattern| matches(pattern, &id.to_string()))
        };
        let selected = known
            .into_iter()
            .filter(|case| matches(&self.cases, case.id) && !matches(&self.exclude, case.id));
        let selected: Vec<_> = selected.cloned().collect();
        if selected.is_empty() { Err(UnknownCase(self.cases.join(","))) } else { Ok(selected) }
    }
}

/// Does the pattern hold for the number of a case, or for what an agent calls itself?
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// A pattern that holds for no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCase(pub String);

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no case is selected by {:?}", self.0)
    }
}

impl std::error::Error for UnknownCase {}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(cases: &[&str], exclude: &[&str]) -> Result<Vec<String>, UnknownCase> {
        let own = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let selection = Selection { cases: own(cases), exclude: own(exclude), beyond: false };
        Ok(selection.resolve()?.iter().map(|case| case.id.to_string()).collect())
    }

    #[test]
    fn patterns_select_as_in_the_original_suite() {
        assert_eq!(select(&["*"], &[]).unwrap().len(), 517);
        assert_eq!(select(&["1.*"], &["1.2.*"]).unwrap().len(), 8, "1.* is not 10.* nor 12.*");
        assert_eq!(select(&["6.4.1", "2.10", "2.9"], &[]).unwrap(), ["2.9", "2.10", "6.4.1"]);
        assert_eq!(select(&["*"], &["12.*", "13.*"]).unwrap().len(), 301);
        assert_eq!(
            select(&["6.*.1"], &[]).unwrap().iter().filter(|id| id.starts_with("6.22.")).count(),
            11,
            "not anchored at the end"
        );
        assert_eq!(select(&["7.2.1"], &[]), Err(UnknownCase("7.2.1".to_owned())));
        assert!(select(&["99.*"], &[]).is_err());
    }
}
