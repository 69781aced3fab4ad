//! Why there is no connection.

use super::verdict::Verdict;
use crate::Error;
use std::fmt;
use std::time::SystemTime;
use ws_proto::{CloseCode, CloseInfo};

/// An error of the application's own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a [`Session`](super::Session) has no connection: an attempt failed, or what there was is gone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Why {
    /// What gives the headers for an attempt failed.
    Headers(BoxError),
    /// An attempt to connect failed.
    Connect(Error),
    /// The connection was closed with a closing handshake; `received` tells the peer's code.
    Closed(CloseInfo),
    /// The connection failed: the peer kept silent, ended the stream, or broke a rule; or the stream failed.
    Lost(ws_tokio::Error),
}

impl Why {
    /// What a session does about it by itself; see the table at [`Session`](super::Session#what-is-final). A
    /// [classifier](super::SessionBuilder::classify) of your own asks this for what it does not decide.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self, SystemTime::now())
    }

    /// The status code of the Close frame that ended the connection, ours where the peer broke a rule; [`CloseCode::ABNORMAL`] where it
    /// ended without one. `None` where there was no connection.
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Headers(_) | Self::Connect(_) => None,
            Self::Closed(info) => Some(info.received.code),
            Self::Lost(ws_tokio::Error::Failed(failure)) => Some(failure.close_code()),
            Self::Lost(_) => Some(CloseCode::ABNORMAL),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers(error) => write!(f, "there are no headers to connect with: {error}"),
            Self::Connect(error) => error.fmt(f),
            // The reason is the peer's, and not to be shown unescaped.
            Self::Closed(info) => {
                write!(f, "closed with {} {:?}", info.received.code, &*info.received.reason)
            }
            Self::Lost(error) => error.fmt(f),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Why {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Headers(error) => error.source(),
            Self::Connect(error) => error.source(),
            Self::Closed(_) => None,
            Self::Lost(error) => error.source(),
        }
    }
}
