//! Which end of the connection this is.

/// The end of a connection: it decides who masks (RFC 6455 §5.3) and who closes TCP first (§7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sent the opening handshake; masks every frame; waits for the server to close TCP.
    Client,
    /// Answered the opening handshake; never masks; closes TCP first.
    Server,
}

impl Role {
    /// The role of the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
