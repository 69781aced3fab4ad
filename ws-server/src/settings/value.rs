//! Values as people write them.

use serde::de::{Deserialize, Deserializer, Error};
use std::time::Duration;
use toml::{Table, Value};

/// An interval, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Every(pub(super) Option<Duration>);

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "expected a list of strings, or one string with commas between")]
enum List {
    Items(Vec<String>),
    Joined(String),
}

/// A list, or one string with commas between, as variables have it.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match List::deserialize(deserializer)? {
        List::Items(items) => items,
        List::Joined(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
    })
}

pub(super) fn some_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    list(deserializer).map(Some)
}

/// `"1m 30s"`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(|error| {
        D::Error::custom(format_args!(
            "{text:?} is no time ({error}); write it as \"30s\", \"5m\" or \"1h 30m\""
        ))
    })
}

/// The same, or `"never"`.
pub(super) fn every<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Every>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.as_str() == Some("never") {
        return Ok(Some(Every(None)));
    }
    duration(value).map(|interval| Some(Every(interval))).map_err(|error| D::Error::custom(error.message()))
}

/// What stands in a field, as it is written; `None` for a table, or where nothing does.
pub(super) fn shown(table: &Table, field: &str) -> Option<String> {
    match field.split_once('.') {
        Some((outer, inner)) => shown(table.get(outer)?.as_table()?, inner),
        None => table.get(field).and_then(written),
    }
}

fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Datetime(datetime) => datetime.to_string(),
        Value::Array(items) => {
            format!("[{}]", items.iter().filter_map(written).collect::<Vec<_>>().join(", "))
        }
        Value::Table(_) => return None,
    })
}

/// Puts what a variable says in its place; `__` leads into a table.
pub(super) fn set(table: &mut Table, field: &str, text: String) {
    match field.split_once("__") {
        None => {
            let value = match (text.parse(), text.parse()) {
                (Ok(number), _) => Value::Integer(number),
                (_, Ok(boolean)) => Value::Boolean(boolean),
                _ => Value::String(text),
            };
            table.insert(field.to_owned(), value);
        }
        Some((outer, inner)) => {
            let entry = table.entry(outer).or_insert_with(|| Value::Table(Table::new()));
            if !entry.is_table() {
                *entry = Value::Table(Table::new());
            }
            if let Value::Table(table) = entry {
                set(table, inner, text);
            }
        }
    }
}
