//! The `options` of a spec file.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

use crate::timeouts::Timeouts;

/// Settings of the original's own implementation, as far as they have a meaning here: the timers are obeyed, and all others may only have the
/// value that the original suite uses for its cases, because the verdicts would not be those of the suite with another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct ProtocolOptions {
    opening: Option<Duration>,
    closing: Option<Duration>,
    server_drop: Option<Duration>,
}

impl ProtocolOptions {
    /// The timeouts with what the options say of them.
    #[must_use]
    pub fn change(&self, timeouts: Timeouts) -> Timeouts {
        Timeouts {
            opening: self.opening.unwrap_or(timeouts.opening),
            closing: self.closing.unwrap_or(timeouts.closing),
            server_drop: self.server_drop.unwrap_or(timeouts.server_drop),
        }
    }
}

impl TryFrom<Map<String, Value>> for ProtocolOptions {
    type Error = String;

    fn try_from(options: Map<String, Value>) -> Result<Self, String> {
        let mut read = Self::default();
        for (name, value) in &options {
            match name.as_str() {
                "openHandshakeTimeout" => read.opening = Some(seconds(name, value)?),
                "closeHandshakeTimeout" => read.closing = Some(seconds(name, value)?),
                "serverConnectionDropTimeout" => read.server_drop = Some(seconds(name, value)?),
                // The numbers of the drafts from which on the protocol on the wire is that of RFC 6455.
                "version" if value.as_u64().is_some_and(|version| (13..=18).contains(&version)) => {}
                "version" => return Err(format!("version is {value}; only 18 is spoken, which is RFC 6455")),
                "versions" if value.as_array().is_some_and(|all| all.contains(&json!(13))) => {}
                "versions" => {
                    return Err(format!("versions is {value}; only 13 is spoken, which is RFC 6455"));
                }
                _ => fixed(name, value)?,
            }
        }
        Ok(read)
    }
}

fn seconds(name: &str, value: &Value) -> Result<Duration, String> {
    let seconds = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds {
        Some(Duration::ZERO) => Ok(FOR_EVER),
        Some(seconds) if seconds <= FOR_EVER => Ok(seconds),
        _ => Err(format!("{name} is {value}; it is a number of seconds, or 0 for no limit")),
    }
}

/// Checks an option that cannot be changed.
fn fixed(name: &str, value: &Value) -> Result<(), String> {
    let Some((_, only)) = FIXED.iter().find(|(known, _)| *known == name) else {
        return Err(format!("the option {name} is not known"));
    };
    let only: Value = serde_json::from_str(only).map_err(|error| error.to_string())?;
    if same(value, &only) {
        return Ok(());
    }
    Err(format!(
        "the option {name} is {value}; only {only} is supported, with which the suite's verdicts are defined"
    ))
}

/// JSON has 0 and 0.0.
fn same(value: &Value, only: &Value) -> bool {
    value == only || value.as_f64().is_some_and(|value| Some(value) == only.as_f64())
}

/// What each may only be, in JSON.
const FIXED: [(&str, &str); 17] = [
    ("acceptMaskedServerFrames", "false"),
    ("allowHixie76", "false"),
    ("allowedOrigins", "[\"*\"]"),
    ("applyMask", "true"),
    ("autoFragmentSize", "0"),
    ("autoPingInterval", "0"),
    ("autoPingTimeout", "0"),
    ("echoCloseCodeReason", "false"),
    ("failByDrop", "false"),
    ("maskClientFrames", "true"),
    ("maskServerFrames", "false"),
    ("maxConnections", "0"),
    ("maxFramePayloadSize", "0"),
    ("maxMessagePayloadSize", "0"),
    ("requireMaskedClientFrames", "true"),
    ("tcpNoDelay", "true"),
    ("utf8validateIncoming", "true"),
];

/// No limit, as far as a run is concerned.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<ProtocolOptions, String> {
        serde_json::from_str(options).map_err(|error| error.to_string())
    }

    #[test]
    fn timers_are_obeyed() {
        let options =
            read(r#"{"version": 18, "openHandshakeTimeout": 0, "closeHandshakeTimeout": 2.5}"#).unwrap();
        let changed = options.change(Timeouts::default());
        assert_eq!(changed.closing, Duration::from_millis(2500));
        assert_eq!(changed.server_drop, Timeouts::default().server_drop);
        assert!(changed.opening > Duration::from_secs(100_000), "no limit");
    }

    #[test]
    fn what_would_change_the_verdicts_is_answered_with_a_sentence() {
        assert_eq!(
            read(r#"{"failByDrop": false, "tcpNoDelay": true, "versions": [8, 13]}"#),
            Ok(ProtocolOptions::default())
        );
        for (options, sentence) in [
            (r#"{"failByDrop": true}"#, "the option failByDrop is true; only false is supported"),
            (r#"{"version": 8}"#, "version is 8; only 18 is spoken"),
            (r#"{"closeHandshakeTimeout": -1}"#, "closeHandshakeTimeout is -1; it is a number of seconds"),
            (r#"{"failbydrop": false}"#, "the option failbydrop is not known"),
        ] {
            let error = read(options).unwrap_err();
            assert!(error.starts_with(sentence), "{error}");
        }
    }
}
