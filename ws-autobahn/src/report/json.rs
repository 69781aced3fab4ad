//! The report files of the original suite: `index.json`, and a file for each case.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Report, WriteError, write_file};
use crate::case::{CaseId, Received};
use crate::catalogue;
use crate::run::CaseResult;
use crate::wire_log::{hex, text_excerpt};

pub(super) fn write(report: &Report, folder: &Path) -> Result<(), WriteError> {
    let mut index = Map::new();
    for agent in report.agents() {
        let mut cases = Map::new();
        for result in report.results(agent) {
            let file = file_name(agent, result.case.id);
            write_file(folder, &file, &pretty(&case(agent, result)))?;
            let entry = json!({
                "behavior": result.verdict.behavior.as_str(),
                "behaviorClose": result.verdict.behavior_close.as_str(),
                "remoteCloseCode": result.closing.remote_code,
                "duration": milliseconds(result),
                "reportfile": file,
            });
            cases.insert(result.case.id.to_string(), entry);
        }
        index.insert(agent.to_owned(), Value::Object(cases));
    }
    write_file(folder, "index.json", &pretty(&Value::Object(index)))
}

/// The name of a case's file: of the agent's name only lower-case letters and digits are left.
pub(super) fn file_name(agent: &str, case: CaseId) -> String {
    let agent = agent.trim().to_lowercase();
    let clean: String =
        agent.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { ' ' }).collect();
    format!("{}_case_{}.json", clean.trim().replace(' ', "_"), case.to_string().replace('.', "_"))
}

fn case(agent: &str, result: &CaseResult) -> Value {
    let CaseResult { case, verdict, closing, .. } = result;
    let mut expected = Map::new();
    for (behavior, events) in &case.expected {
        expected.insert(behavior.as_str().to_owned(), events.iter().map(event).collect());
    }
    let mut close = json!({
        "closedByMe": case.close.closed_by_me,
        "closeCode": case.close.codes,
        "requireClean": case.close.require_clean,
    });
    if let (true, Some(close)) = (case.close.wrong_end_is_fatal, close.as_object_mut()) {
        close.insert("closedByWrongEndpointIsFatal".to_owned(), Value::Bool(true));
    }
    json!({
        "agent": agent,
        "behavior": verdict.behavior.as_str(),
        "behaviorClose": verdict.behavior_close.as_str(),
        "case": catalogue::index(case.id),
        "closedByMe": closing.closed_by_me,
        "createStats": true,
        "createWirelog": result.wire_log_enabled,
        "description": case.description,
        "droppedByMe": closing.dropped_by_me,
        "duration": milliseconds(result),
        "expectation": case.expectation,
        "expected": expected,
        "expectedClose": close,
        "failedByMe": closing.failed_by_me,
        "httpRequest": result.http_request,
        "httpResponse": result.http_response,
        "id": case.id.to_string(),
        "isServer": result.is_server,
        "localCloseCode": closing.local_code,
        "localCloseReason": closing.local_reason.as_ref().map(|reason| match std::str::from_utf8(reason) {
            Ok(text) => text.to_owned(),
            Err(_) => hex(reason),
        }),
        "received": result.received.iter().map(event).collect::<Vec<_>>(),
        "remoteCloseCode": closing.remote_code,
        "remoteCloseReason": closing.remote_reason,
        "reportCompressionRatio": case.reports_ratio(),
        "reportTime": case.reports_time(),
        "result": verdict.result,
        "resultClose": verdict.result_close,
        "rxFrameStats": counts(result.frames.rx.iter()),
        "rxOctetStats": counts(result.octets.rx.iter()),
        "started": timestamp(result.started),
        "trafficStats": result.traffic.as_ref().map(|traffic| traffic.to_json()),
        "txFrameStats": counts(result.frames.tx.iter()),
        "txOctetStats": counts(result.octets.tx.iter()),
        "wasClean": closing.was_clean,
        "wasCloseHandshakeTimeout": closing.close_handshake_timeout,
        "wasNotCleanReason": closing.not_clean_reason,
        "wasOpenHandshakeTimeout": closing.open_handshake_timeout,
        "wasServerConnectionDropTimeout": closing.server_drop_timeout,
        "wirelog": result.wire_log,
    })
}

pub(super) fn event(event: &Received) -> Value {
    match event {
        Received::Message { payload, binary } => json!(["message", text_excerpt(payload), binary]),
        Received::Pong(payload) => json!(["pong", text_excerpt(payload)]),
        Received::Timeout(tag) => json!(["timeout", tag]),
    }
}

pub(super) fn milliseconds(result: &CaseResult) -> u64 {
    let micros = u64::try_from(result.duration.as_micros()).unwrap_or(u64::MAX);
    micros.saturating_add(500) / 1000
}

fn counts<'a, K: ToString + 'a>(counts: impl Iterator<Item = (&'a K, &'a u64)>) -> Value {
    Value::Object(counts.map(|(key, count)| (key.to_string(), json!(count))).collect())
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail, and a `Value` holds nothing that has no JSON.
    let _ =
        value.serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"   ")));
    bytes
}

/// A moment as the reports write it: UTC, with milliseconds.
pub(super) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Counted in years that begin in March, so that the day that some years have more is the last of a year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        since.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_and_files_are_named_as_in_the_original_suite() {
        let at = |secs: u64, millis: u64| timestamp(UNIX_EPOCH + Duration::from_millis(secs * 1000 + millis));
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_827_696, 7), "2000-02-29T12:34:56.007Z");
        assert_eq!(at(1_795_199_625, 940), "2026-11-20T18:33:45.940Z");
        assert_eq!(
            file_name("AutobahnPython/0.6.0", CaseId::three(1, 1, 1)),
            "autobahnpython_0_6_0_case_1_1_1.json"
        );
        assert_eq!(file_name(" A?", CaseId::two(2, 10)), "a_case_2_10.json");
    }
}
