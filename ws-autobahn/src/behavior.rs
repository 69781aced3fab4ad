//! The words of a verdict.

use std::fmt;

/// How an endpoint did in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behavior {
    /// As the specification says.
    Ok,
    /// Allowed, but not as a strict reading of the specification has it.
    NonStrict,
    /// The specification leaves it open; the case only tells what the endpoint does.
    Informational,
    /// The endpoint does not offer what the case is about.
    Unimplemented,
    /// Against the specification.
    Failed,
}

impl Behavior {
    /// The word in report files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "NON-STRICT",
            Self::Informational => "INFORMATIONAL",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Failed => "FAILED",
        }
    }
}

impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the connection of a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseBehavior {
    /// As wanted.
    Ok,
    /// The specification leaves it open.
    Informational,
    /// The suite, as client, had to close the TCP connection, which is the server's to do (RFC 6455 §7.1.1).
    FailedByClient,
    /// With another close code than wanted.
    WrongCode,
    /// Without a closing handshake where one was wanted.
    Unclean,
    /// By the wrong end, or it was never open.
    Failed,
}

impl CloseBehavior {
    /// The words in report files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Informational => "INFORMATIONAL",
            Self::FailedByClient => "FAILED BY CLIENT",
            Self::WrongCode => "WRONG CODE",
            Self::Unclean => "UNCLEAN",
            Self::Failed => "FAILED",
        }
    }
}

impl fmt::Display for CloseBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
