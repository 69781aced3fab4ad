//! How this end wants to compress.

use super::{DeflateParams, WindowBits};
use crate::ConfigError;

/// What this end asks for and allows in permessage-deflate ([RFC 7692 §7.1]), and how it compresses.
///
/// What each setting costs a connection: a direction *without* context takeover borrows a context for the length of a message and keeps
/// nothing. A direction *with* it has none before its first message, and keeps one while messages go on. When nothing came for
/// `ping_interval` ([`Connection::release_contexts`](crate::Connection::release_contexts)) a sender keeps nothing, because it may begin a
/// fresh window at any time, and a receiver keeps what came last, at most a window. By window bits:
///
/// | KiB | 9 | 10 | 11 | 12 | 13 | 14 | 15 |
/// |---|---|---|---|---|---|---|---|
/// | sending with takeover, while messages go on | 245 | 247 | 251 | 259 | 275 | 307 | 371 |
/// | sending, idle; or without takeover | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
/// | receiving with takeover, while messages go on | 46 | 46 | 46 | 46 | 46 | 46 | 46 |
/// | receiving with takeover, idle: at most | 0.5 | 1 | 2 | 4 | 8 | 16 | 32 |
/// | receiving without takeover | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
///
/// The default lets a server keep nothing, and lets a client accept what the server wants. The memory level of zlib cannot be chosen: the
/// backend does not offer it.
///
/// ```
/// use ws_proto::Config;
/// use ws_proto::deflate::DeflateConfig;
///
/// # fn main() -> Result<(), ws_proto::ConfigError> {
/// // Better compression of messages that resemble each other, for the memory above.
/// let deflate = DeflateConfig {
///     server_no_context_takeover: Some(false),
///     client_no_context_takeover: Some(false),
///     ..DeflateConfig::default()
/// };
/// let config = Config::builder().deflate(deflate).build()?;
/// # Ok(())
/// # }
/// ```
///
/// [RFC 7692 §7.1]: https://www.rfc-editor.org/rfc/rfc7692#section-7.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeflateConfig {
    /// Effort of the compressor, 0 (store) to 9. Default 1: on JSON it saves nearly as much as 6 for half the time.
    pub level: u8,
    /// Messages below so many bytes are sent uncompressed. Default 128: shorter ones rarely shrink.
    pub threshold_bytes: usize,
    /// Most bytes of inflated output for each byte of input, once a message has put out 1 MiB; more fails the connection with 1009.
    /// Default 200: text and JSON stay below 50, a decompression bomb is near 1,000.
    pub max_ratio: u32,
    /// Shall the server forget its window after each message? `Some(true)`: a server says so in its answer, a client asks for it.
    /// Default `None`: a server does, to own no memory while idle; a client does not ask, and takes either.
    pub server_no_context_takeover: Option<bool>,
    /// Shall the client forget its window after each message? `Some(true)`: a server demands it, a client hints that it will.
    /// Default `None`: a server demands it, to own no memory while idle; a client does as the server says.
    pub client_no_context_takeover: Option<bool>,
    /// Largest window of what the server sends. Default 15 (32 KiB); a client that sets less demands it.
    pub server_max_window_bits: WindowBits,
    /// Largest window of what the client sends. Default 15 (32 KiB); a server that sets less demands it of clients that can.
    pub client_max_window_bits: WindowBits,
}

impl DeflateConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.level > 9 {
            return Err(ConfigError::DeflateLevel { level: self.level });
        }
        if self.max_ratio == 0 {
            return Err(ConfigError::Zero { setting: "deflate.max_ratio" });
        }
        Ok(())
    }
}

impl Default for DeflateConfig {
    fn default() -> Self {
        let DeflateParams { server_max_window_bits, client_max_window_bits, .. } = DeflateParams::default();
        Self {
            level: 1,
            threshold_bytes: 128,
            max_ratio: 200,
            server_no_context_takeover: None,
            client_no_context_takeover: None,
            server_max_window_bits,
            client_max_window_bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_above_nine_is_refused() {
        assert!(DeflateConfig { level: 9, ..DeflateConfig::default() }.check().is_ok());
        let error = DeflateConfig { level: 10, ..DeflateConfig::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "deflate.level is 10, but levels go from 0 to 9");
    }
}
