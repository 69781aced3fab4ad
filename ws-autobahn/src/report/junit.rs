//! The report as JUnit XML, which CI systems read.

use std::fmt::Write as _;
use std::path::Path;

use super::{Report, Severity, WriteError, write_file};
use crate::case::Behavior;
use crate::run::CaseResult;

pub(super) fn write(report: &Report, folder: &Path, fails_from: Severity) -> Result<(), WriteError> {
    write_file(folder, "junit.xml", to_xml(report, fails_from).as_bytes())
}

fn to_xml(report: &Report, fails_from: Severity) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for agent in report.agents() {
        let results: Vec<&CaseResult> = report.results(agent).collect();
        let failures = results.iter().filter(|result| result.severity() >= fails_from).count();
        let skipped = results.iter().filter(|result| is_skipped(result, fails_from)).count();
        let time: f64 = results.iter().map(|result| result.duration.as_secs_f64()).sum();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\">",
            escape(agent),
            results.len()
        );
        for result in results {
            test_case(&mut xml, agent, result, fails_from);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn test_case(xml: &mut String, agent: &str, result: &CaseResult, fails_from: Severity) {
    let verdict = &result.verdict;
    let _ = write!(
        xml,
        "    <testcase classname=\"{}.{}\" name=\"{}: {}\" time=\"{:.3}\"",
        escape(agent),
        result.case.id.section(),
        result.case.id,
        escape(&result.case.description),
        result.duration.as_secs_f64()
    );
    if result.severity() >= fails_from {
        let _ = write!(
            xml,
            "><failure type=\"{} / {}\" message=\"{}\">{}\n{}\nWanted: {}</failure></testcase>\n",
            verdict.behavior,
            verdict.behavior_close,
            escape(&verdict.result),
            escape(&verdict.result),
            escape(&verdict.result_close),
            escape(&result.case.expectation)
        );
    } else if is_skipped(result, fails_from) {
        xml.push_str("><skipped/></testcase>\n");
    } else {
        xml.push_str("/>\n");
    }
}

fn is_skipped(result: &CaseResult, fails_from: Severity) -> bool {
    result.verdict.behavior == Behavior::Unimplemented && result.severity() < fails_from
}

/// Text for XML 1.0, without the characters that it cannot hold.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | ' '.. if !matches!(character, '\u{FFFE}' | '\u{FFFF}') => escaped.push(character),
            _ => escaped.push('\u{FFFD}'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escape("a<b>&\"\u{0}\u{FFFF}ü"), "a&lt;b&gt;&amp;&quot;\u{FFFD}\u{FFFD}ü");
        assert!(to_xml(&Report::new(), Severity::Failed).contains("<testsuites>"));
    }
}
