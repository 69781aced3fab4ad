//! The report as one page that needs nothing else.

use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use std::time::SystemTime;

use super::json::{milliseconds, timestamp};
use super::{Report, Severity, WriteError, write_file};
use crate::case::{Behavior, CaseId, CloseBehavior, Received};
use crate::catalogue;
use crate::run::CaseResult;
use crate::wire_log::text_excerpt;

pub(super) fn write(report: &Report, folder: &Path) -> Result<(), WriteError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let failed = |error: minijinja::Error| WriteError {
        path: folder.join("index.html"),
        error: std::io::Error::other(error),
    };
    environment.add_template("report", include_str!("report.html")).map_err(failed)?;
    let template = environment.get_template("report").map_err(failed)?;
    let page = template.render(minijinja::value::Serde(Page::new(report))).map_err(failed)?;
    write_file(folder, "index.html", page.as_bytes())
}

#[derive(Serialize)]
struct Page {
    written: String,
    version: &'static str,
    agents: Vec<Agent>,
    sections: Vec<Section>,
    details: Vec<Detail>,
}

#[derive(Serialize)]
struct Agent {
    name: String,
    counts: Vec<Count>,
    total: usize,
}

#[derive(Serialize)]
struct Count {
    word: &'static str,
    class: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Section {
    number: u16,
    name: &'static str,
    /// How many of its rows are not good.
    bad: usize,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    number: String,
    name: String,
    good: bool,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    anchor: String,
    description: String,
    good: bool,
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    anchor: String,
    class: &'static str,
    word: &'static str,
    close_class: &'static str,
    close: String,
    extra: Option<String>,
}

#[derive(Serialize)]
struct Detail {
    anchor: String,
    id: String,
    /// The row in the matrix.
    row: String,
    good: bool,
    agent: String,
    class: &'static str,
    behavior: &'static str,
    behavior_close: &'static str,
    close_class: &'static str,
    description: String,
    expectation: String,
    reference: Option<&'static str>,
    result: String,
    result_close: String,
    expected: Vec<(String, Vec<String>)>,
    received: Vec<String>,
    facts: Vec<(&'static str, String)>,
    request: String,
    response: String,
    wire: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    class: &'static str,
    what: String,
    payload: Option<String>,
}

impl Page {
    fn new(report: &Report) -> Self {
        let names: Vec<&str> = report.agents().collect();
        let agents = names.iter().map(|name| agent(report, name)).collect();
        let mut ids: Vec<CaseId> =
            names.iter().flat_map(|name| report.results(name).map(|result| result.case.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut sections: Vec<Section> = Vec::new();
        for id in ids {
            let number = id.section();
            if sections.last().is_none_or(|section| section.number != number) {
                let name = catalogue::section_name(number);
                sections.push(Section { number, name, bad: 0, parts: Vec::new() });
            }
            let Some(section) = sections.last_mut() else { continue };
            let (part, name) = match id.part() {
                Some((section, part)) => (format!("{section}.{part}"), catalogue::part_name(section, part)),
                None => (number.to_string(), String::new()),
            };
            if section.parts.last().is_none_or(|last| last.number != part) {
                section.parts.push(Part { number: part, name, good: true, rows: Vec::new() });
            }
            if let (Some(part), Some(row)) = (section.parts.last_mut(), row(report, &names, id)) {
                section.bad += usize::from(!row.good);
                part.good &= row.good;
                part.rows.push(row);
            }
        }
        let details = names
            .iter()
            .enumerate()
            .flat_map(|(index, name)| report.results(name).map(move |result| detail(index, name, result)));
        Self {
            written: minute(&timestamp(SystemTime::now())),
            version: env!("CARGO_PKG_VERSION"),
            agents,
            sections,
            details: details.collect(),
        }
    }
}

fn agent(report: &Report, name: &str) -> Agent {
    let counts = report.counts(name);
    let total = counts.values().sum();
    let counts = counts.into_iter().map(|(behavior, count)| Count {
        word: behavior.as_str(),
        class: class(behavior),
        count,
    });
    Agent { name: name.to_owned(), counts: counts.collect(), total }
}

fn row(report: &Report, names: &[&str], id: CaseId) -> Option<Row> {
    let results: Vec<Option<&CaseResult>> = names.iter().map(|name| report.result(name, id)).collect();
    let description = results.iter().flatten().next()?.case.description.clone();
    let good = results.iter().flatten().all(|result| result.severity() <= Severity::Good);
    let cells = results.iter().enumerate().map(|(index, result)| result.map(|result| cell(index, result)));
    Some(Row { id: id.to_string(), anchor: row_anchor(id), description, good, cells: cells.collect() })
}

fn cell(agent: usize, result: &CaseResult) -> Cell {
    let mut extra = Vec::new();
    if result.case.reports_time() {
        extra.push(format!("{} ms", milliseconds(result)));
    }
    if let Some(traffic) = &result.traffic {
        let ratio = |part: u64, whole: u64| {
            if whole > 0 { format!("{:.3}", part as f64 / whole as f64) } else { "–".to_owned() }
        };
        let (sent, came) = (
            ratio(traffic.outgoing_websocket, traffic.outgoing_app),
            ratio(traffic.incoming_websocket, traffic.incoming_app),
        );
        extra.push(format!("{came} / {sent}"));
    }
    let close = match result.verdict.behavior_close {
        CloseBehavior::Unclean => "unclean".to_owned(),
        CloseBehavior::Failed => "failed".to_owned(),
        _ => result.closing.remote_code.map_or_else(|| "no code".to_owned(), |code| code.to_string()),
    };
    Cell {
        anchor: anchor(agent, result.case.id),
        class: class(result.verdict.behavior),
        word: result.verdict.behavior.as_str(),
        close_class: close_class(result.verdict.behavior_close),
        close,
        extra: (!extra.is_empty()).then(|| extra.join(" · ")),
    }
}

fn detail(agent: usize, name: &str, result: &CaseResult) -> Detail {
    let CaseResult { case, verdict, closing, .. } = result;
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let code = |code: Option<u16>, reason: Option<&str>| match (code, reason) {
        (None, _) => "none".to_owned(),
        (Some(code), None | Some("")) => code.to_string(),
        (Some(code), Some(reason)) => format!("{code}, {reason:?}"),
    };
    let local_reason =
        closing.local_reason.as_ref().map(|reason| String::from_utf8_lossy(reason).into_owned());
    let mut facts = vec![
        ("Closed by", if closing.closed_by_me { "the suite" } else { "the endpoint" }.to_owned()),
        ("Clean", yes(closing.was_clean)),
        ("Close code of the suite", code(closing.local_code, local_reason.as_deref())),
        ("Close code of the endpoint", code(closing.remote_code, closing.remote_reason.as_deref())),
        ("The suite gave up the stream", yes(closing.dropped_by_me)),
    ];
    facts.extend(closing.not_clean_reason.map(|reason| ("Not clean, because", reason.to_owned())));
    facts.push(("Took", format!("{} ms", milliseconds(result))));
    Detail {
        anchor: anchor(agent, case.id),
        id: case.id.to_string(),
        row: row_anchor(case.id),
        good: result.severity() <= Severity::Good,
        agent: name.to_owned(),
        class: class(verdict.behavior),
        behavior: verdict.behavior.as_str(),
        behavior_close: verdict.behavior_close.as_str(),
        close_class: close_class(verdict.behavior_close),
        description: case.description.clone(),
        expectation: case.expectation.clone(),
        reference: case.reference,
        result: verdict.result.clone(),
        result_close: verdict.result_close.clone(),
        expected: case
            .expected
            .iter()
            .map(|(behavior, events)| (behavior.to_string(), events.iter().map(event).collect()))
            .collect(),
        received: result.received.iter().map(event).collect(),
        facts,
        request: result.http_request.trim_end().to_owned(),
        response: result.http_response.trim_end().to_owned(),
        wire: result.wire_log.iter().map(wire_line).collect(),
    }
}

/// Something that was received, in words.
fn event(received: &Received) -> String {
    let (what, payload) = match received {
        Received::Message { payload, binary: false } => ("text", payload),
        Received::Message { payload, binary: true } => ("binary", payload),
        Received::Pong(payload) => ("pong", payload),
        Received::Timeout(tag) => return format!("the wait {tag:?} is over"),
    };
    match payload.len() {
        0 => format!("{what}, empty"),
        len => format!("{what}, {len} bytes: {}", text_excerpt(payload)),
    }
}

/// `2026-11-20 20:56 UTC` of `2026-11-20T20:56:01.675Z`.
fn minute(timestamp: &str) -> String {
    timestamp.get(..16).unwrap_or(timestamp).replace('T', " ") + " UTC"
}

fn anchor(agent: usize, id: CaseId) -> String {
    format!("a{agent}-{}", id.to_string().replace('.', "-"))
}

fn row_anchor(id: CaseId) -> String {
    format!("c{}", id.to_string().replace('.', "-"))
}

const fn class(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Ok => "ok",
        Behavior::NonStrict => "warn",
        Behavior::Informational | Behavior::Unimplemented => "info",
        Behavior::Failed => "bad",
    }
}

const fn close_class(close: CloseBehavior) -> &'static str {
    match close {
        CloseBehavior::Ok => "ok",
        CloseBehavior::FailedByClient | CloseBehavior::WrongCode => "warn",
        CloseBehavior::Informational => "info",
        CloseBehavior::Unclean | CloseBehavior::Failed => "bad",
    }
}

/// An entry of the wire log in words.
fn wire_line(entry: &Value) -> Line {
    let at = |index: usize| entry.get(index).unwrap_or(&Value::Null);
    let (len, payload) = (at(1).get(0).unwrap_or(&Value::Null), at(1).get(1).and_then(Value::as_str));
    let seconds = || at(1).to_string();
    let line = |class, what: String| Line { class, what, payload: None };
    match at(0).as_str().unwrap_or_default() {
        "RO" => {
            Line { class: "rx octets", what: format!("← {len} bytes"), payload: payload.map(str::to_owned) }
        }
        "TO" => {
            Line { class: "tx octets", what: format!("→ {len} bytes"), payload: payload.map(str::to_owned) }
        }
        "RF" => frame("rx", "←", entry, at(6)),
        "TF" => frame("tx", "→", entry, at(5)),
        "WLM" if at(1) == &Value::Bool(true) => line("note", "the log goes on".to_owned()),
        "WLM" => line("note", "the log is off for a while".to_owned()),
        "CT" => line("note", format!("goes on after {} s", seconds())),
        "CTE" => line("note", "goes on".to_owned()),
        "KL" => line("note", format!("fails the connection after {} s", seconds())),
        "KLE" => line("note", "fails the connection".to_owned()),
        "TI" => line("note", format!("closes the connection after {} s", seconds())),
        _ => line("note", "closes the connection".to_owned()),
    }
}

fn frame(class: &'static str, arrow: &str, entry: &Value, key: &Value) -> Line {
    let at = |index: usize| entry.get(index).unwrap_or(&Value::Null);
    let opcode = match at(2).as_u64() {
        Some(0) => "continuation".to_owned(),
        Some(1) => "text".to_owned(),
        Some(2) => "binary".to_owned(),
        Some(8) => "close".to_owned(),
        Some(9) => "ping".to_owned(),
        Some(10) => "pong".to_owned(),
        opcode => format!("reserved opcode {}", opcode.unwrap_or_default()),
    };
    let mut words =
        vec![format!("{arrow} {opcode}"), format!("{} bytes", at(1).get(0).unwrap_or(&Value::Null))];
    if at(3) == &Value::Bool(false) {
        words.push("not the last".to_owned());
    }
    if at(4).as_u64().is_some_and(|rsv| rsv != 0) {
        words.push(format!("reserved bits {}", at(4)));
    }
    if let Some(key) = key.as_str() {
        words.push(format!("masked with {key}"));
    }
    if class == "tx" {
        words.extend(at(6).as_u64().map(|len| format!("repeated to {len} bytes")));
        words.extend(at(7).as_u64().map(|size| format!("in writes of {size} bytes")));
    }
    let payload = at(1).get(1).and_then(Value::as_str).filter(|payload| !payload.is_empty());
    Line { class, what: words.join(", "), payload: payload.map(str::to_owned) }
}
