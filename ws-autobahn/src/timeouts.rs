//! How long the suite waits.

use std::time::Duration;

/// How long the suite waits for the endpoint where the case itself does not say it. The defaults are those of the original suite, and the
/// verdicts depend on them; longer ones are for machines that are slower than the cases' authors thought of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the opening handshake. Default: 5 s.
    pub opening: Duration,
    /// For the answer to a Close frame. Default: 1 s.
    pub closing: Duration,
    /// For a server's end of the TCP connection after both Close frames. Default: 1 s.
    pub server_drop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            opening: Duration::from_secs(5),
            closing: Duration::from_secs(1),
            server_drop: Duration::from_secs(1),
        }
    }
}
