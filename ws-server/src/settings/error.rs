//! Why settings cannot be used.

use crate::{BoxError, OriginError, StartError};
use std::fmt;
use ws_proto::ConfigError;

/// Why settings cannot be used: one sentence that names the line or the field, its value where it has one, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// The text is no TOML.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        error: Box<str>,
    },
    /// A field is not known, or missing, or its value is of another kind.
    Field {
        /// Its path, as `tls.key`; `.` where the fields of the whole are meant.
        field: Box<str>,
        /// What stands there; `None` where the field is missing.
        value: Option<Box<str>>,
        /// What was found, and what was expected.
        error: Box<str>,
    },
    /// A value cannot be used.
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: Box<str>,
        /// What to write instead.
        advice: Box<str>,
    },
    /// A limit is beyond another one, which would never let it be reached.
    Contradiction {
        /// The one that should be less.
        lesser: &'static str,
        /// Its value.
        value: usize,
        /// The other one.
        greater: &'static str,
        /// Its value.
        limit: usize,
    },
    /// An entry of `origins` is none.
    Origin(OriginError),
    /// A setting of connections cannot work.
    Config(ConfigError),
    /// A setting of the server cannot work, or it cannot listen.
    Start(StartError),
    /// A certificate or its key cannot be used.
    Tls {
        /// The field that names it.
        field: &'static str,
        /// A `TlsError`.
        error: BoxError,
    },
}

impl SettingsError {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        Self::Syntax { line, error: error.message().into() }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The parser's sentences have line ends in some places.
            Self::Syntax { line, error } => {
                write!(f, "line {line} of the settings is no TOML: {}; correct it", error.replace('\n', ", "))
            }
            Self::Field { field, value, error } => {
                match value {
                    Some(value) => write!(f, "the setting {field} cannot be {value}: ")?,
                    None => write!(f, "the setting {field} cannot be used: ")?,
                }
                write!(f, "{}; correct it, or leave it out", error.replace('\n', ", "))
            }
            Self::Value { field, value, advice } => {
                write!(f, "the setting {field} cannot be {value:?}: {advice}")
            }
            Self::Contradiction { lesser, value, greater, limit } => {
                write!(f, "{lesser} is {value} and {greater} is {limit}: lower the first or raise the second")
            }
            Self::Origin(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Start(error @ StartError::Listen { .. }) => write!(f, "listen: {error}"),
            Self::Start(error) => error.fmt(f),
            Self::Tls { field, error } => write!(f, "{field}: {error}"),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Origin(error) => error.source(),
            Self::Config(error) => error.source(),
            Self::Start(error) => error.source(),
            Self::Tls { error, .. } => error.source(),
            Self::Syntax { .. } | Self::Field { .. } | Self::Value { .. } | Self::Contradiction { .. } => {
                None
            }
        }
    }
}

impl From<StartError> for SettingsError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<SettingsError>() <= 64);
    }
}
