//! Limits, timers and choices of a connection, each with its default and the reason for it.

#[cfg(feature = "deflate")]
use crate::deflate::DeflateConfig;
use crate::{ConfigError, Entropy};
use std::time::Duration;

/// The checked settings of connections and handshakes. Share one `Arc<Config>` among all connections that want the same.
///
/// | setting | default | at the limit |
/// |---|---|---|
/// | [`max_message_bytes`](ConfigBuilder::max_message_bytes) | 16 MiB | 1009 |
/// | [`max_frame_bytes`](ConfigBuilder::max_frame_bytes) | 16 MiB | 1009 |
/// | [`max_fragments`](ConfigBuilder::max_fragments) | 65,536 | 1008 |
/// | [`max_control_frames`](ConfigBuilder::max_control_frames) | 1,000 a second | 1008 |
/// | [`max_head_bytes`](ConfigBuilder::max_head_bytes) | 16 KiB | 431 or 414; the client fails |
/// | [`max_headers`](ConfigBuilder::max_headers) | 100 | 431; the client fails |
/// | [`max_send_queue_bytes`](ConfigBuilder::max_send_queue_bytes) | 1 MiB | a send gives its message back |
/// | [`fragment_bytes`](ConfigBuilder::fragment_bytes) | none | |
/// | [`delivery`](ConfigBuilder::delivery) | whole messages | |
/// | [`handshake_timeout`](ConfigBuilder::handshake_timeout) | 10 s | 408; the client fails |
/// | [`close_timeout`](ConfigBuilder::close_timeout) | 5 s | TCP is closed |
/// | [`ping_interval`](ConfigBuilder::ping_interval) | 20 s | a ping is sent |
/// | [`pong_timeout`](ConfigBuilder::pong_timeout) | 20 s | fails, 1011 |
/// | [`idle_timeout`](ConfigBuilder::idle_timeout) | none | closes with 1001 |
/// | [`deflate`](ConfigBuilder::deflate) | on | see `DeflateConfig` |
/// | [`entropy`](ConfigBuilder::entropy) | the operating system | |
///
/// ```
/// use std::time::Duration;
/// use ws_proto::Config;
///
/// # fn main() -> Result<(), ws_proto::ConfigError> {
/// let config = Config::builder()
///     .max_message_bytes(1 << 20)
///     .ping_interval(Some(Duration::from_secs(30)))
///     .idle_timeout(Some(Duration::from_secs(600)))
///     .build()?;
/// assert_eq!(config.max_message_bytes(), 1 << 20);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config(ConfigBuilder);

impl Config {
    /// Starts from the defaults.
    #[cfg(feature = "getrandom")]
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Entropy::os())
    }
}

#[cfg(feature = "getrandom")]
impl Default for Config {
    fn default() -> Self {
        Self(ConfigBuilder::new(Entropy::os()))
    }
}

/// Settings before they were checked; each setter replaces the default that [`Config`] lists.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConfigBuilder {
    max_message_bytes: usize,
    max_frame_bytes: usize,
    max_fragments: usize,
    max_control_frames: u32,
    max_head_bytes: usize,
    max_headers: usize,
    max_send_queue_bytes: usize,
    fragment_bytes: Option<usize>,
    delivery: Delivery,
    handshake_timeout: Duration,
    close_timeout: Duration,
    ping_interval: Option<Duration>,
    pong_timeout: Duration,
    idle_timeout: Option<Duration>,
    #[cfg(feature = "deflate")]
    deflate: Option<DeflateConfig>,
    entropy: Entropy,
}

impl ConfigBuilder {
    /// The defaults, with a source of randomness of your own: for builds without the feature `getrandom`, and for simulations.
    pub fn new(entropy: Entropy) -> Self {
        Self {
            max_message_bytes: 16 << 20,
            max_frame_bytes: 16 << 20,
            max_fragments: 65_536,
            max_control_frames: 1_000,
            max_head_bytes: 16 << 10,
            max_headers: 100,
            max_send_queue_bytes: 1 << 20,
            fragment_bytes: None,
            delivery: Delivery::Whole,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            ping_interval: Some(Duration::from_secs(20)),
            pong_timeout: Duration::from_secs(20),
            idle_timeout: None,
            #[cfg(feature = "deflate")]
            deflate: Some(DeflateConfig::default()),
            entropy,
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot work.
    pub fn build(self) -> Result<Config, ConfigError> {
        let positive = |value: usize, setting| {
            if value == 0 { Err(ConfigError::Zero { setting }) } else { Ok(()) }
        };
        positive(self.max_fragments, "max_fragments")?;
        positive(self.max_head_bytes, "max_head_bytes")?;
        positive(self.max_headers, "max_headers")?;
        positive(self.max_send_queue_bytes, "max_send_queue_bytes")?;
        positive(self.fragment_bytes.unwrap_or(1), "fragment_bytes")?;
        let lasting = |value: Duration, setting| {
            if value.is_zero() { Err(ConfigError::Zero { setting }) } else { Ok(()) }
        };
        lasting(self.handshake_timeout, "handshake_timeout")?;
        lasting(self.close_timeout, "close_timeout")?;
        lasting(self.ping_interval.unwrap_or(Duration::MAX), "ping_interval")?;
        lasting(self.pong_timeout, "pong_timeout")?;
        lasting(self.idle_timeout.unwrap_or(Duration::MAX), "idle_timeout")?;
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.deflate {
            deflate.check()?;
        }
        Ok(Config(self))
    }
}

/// How received messages are handed to the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// One event for a message, after its last byte.
    #[default]
    Whole,
    /// Fragments, and pieces of large frames, as they arrive: for messages that should not be held in memory. `max_message_bytes`
    /// still holds for the message as a whole.
    Streaming,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty),* $(,)?) => {
        impl ConfigBuilder {
            $($(#[$doc])* pub fn $name(mut self, value: $type) -> Self {
                self.$name = value;
                self
            })*
        }

        impl Config {
            $(#[doc = concat!("What [`ConfigBuilder::", stringify!($name), "`] set.")]
            #[must_use]
            pub const fn $name(&self) -> $type {
                self.0.$name
            })*
        }
    };
}

settings! {
    /// Most bytes of a received message, inclusive, after inflation. Default 16 MiB, the largest that the conformance suite sends.
    /// One byte more fails the connection with 1009, as soon as a header declares it or inflation reaches it.
    max_message_bytes: usize,
    /// Most payload bytes of one received data frame, inclusive, as it is on the wire. Default 16 MiB. One byte more fails the
    /// connection with 1009 when the header arrived.
    max_frame_bytes: usize,
    /// Most fragments of one received message, inclusive; an empty last one does not count. Default 65,536: the conformance suite sends
    /// as many. One more fails the connection with 1008.
    max_fragments: usize,
    /// Most control frames received within one second, inclusive. Default 1,000. One more fails the connection with 1008.
    max_control_frames: u32,
    /// Most bytes of the head of an opening handshake, inclusive. Default 16 KiB. A server answers 431 (414 where the request line
    /// alone is longer), a client fails.
    max_head_bytes: usize,
    /// Most headers in the head of an opening handshake, inclusive. Default 100. A server answers 431, a client fails.
    max_headers: usize,
    /// Mark of the queue of unsent bytes: a send is refused while at least so many wait. The queue is thereby bounded by this mark
    /// plus one message. Default 1 MiB.
    max_send_queue_bytes: usize,
    /// Most payload bytes of a frame that we send: longer messages are fragmented (§5.4). Default `None`: one frame for a message.
    fragment_bytes: Option<usize>,
    /// Whole messages (default), or pieces as they arrive.
    delivery: Delivery,
    /// How long the opening handshake may take, from the first byte that could have come. Default 10 s.
    handshake_timeout: Duration,
    /// How long to wait for the peer's Close frame after ours, and for the peer to close TCP after that. Default 5 s each.
    close_timeout: Duration,
    /// A ping is sent after so long without any input from the peer; `None` sends none. Default 20 s, below the idle timeouts of
    /// common proxies.
    ping_interval: Option<Duration>,
    /// How long the peer may take to answer such a ping; any input counts as an answer. Then the connection fails. It is counted
    /// from when the ping was written, and the connection fails only after a read found nothing. Default 20 s.
    pong_timeout: Duration,
    /// Closes with 1001 after so long without a data frame in either direction; `None` (default) never. Sending is not told the time,
    /// so after data was sent it may take up to twice as long.
    idle_timeout: Option<Duration>,
}

impl ConfigBuilder {
    /// permessage-deflate (RFC 7692): `None` neither offers nor accepts it. Default on, with [`DeflateConfig::default`].
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, value: impl Into<Option<DeflateConfig>>) -> Self {
        self.deflate = value.into();
        self
    }

    /// The source of masking keys and nonces. Default: the operating system.
    pub fn entropy(mut self, value: Entropy) -> Self {
        self.entropy = value;
        self
    }
}

impl Config {
    /// What [`ConfigBuilder::deflate`] set.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(&self) -> Option<&DeflateConfig> {
        self.0.deflate.as_ref()
    }

    /// What [`ConfigBuilder::entropy`] set.
    #[must_use]
    pub const fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }
}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_build() {
        let config = Config::builder().build().unwrap();
        assert_eq!(config.max_message_bytes(), 16 << 20);
        assert_eq!(config.delivery(), Delivery::Whole);
    }

    #[test]
    fn a_setting_that_cannot_work_is_named() {
        let error = Config::builder().fragment_bytes(Some(0)).build().unwrap_err();
        assert_eq!(error.to_string(), "fragment_bytes must be more than zero");
        let error = Config::builder().close_timeout(Duration::ZERO).build().unwrap_err();
        assert_eq!(error.to_string(), "close_timeout must be more than zero");
    }
}
