//! Limits from the command line.

use clap::Args;
use std::time::Duration;
use ws_server::proto::ConfigBuilder;

/// What a server puts up with; by default what [`Config`](ws_server::Config) says.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Most bytes of a message, and of a frame
    #[arg(long, value_name = "BYTES")]
    max_message_bytes: Option<usize>,
    /// Most fragments of a message
    #[arg(long, value_name = "N")]
    max_fragments: Option<usize>,
    /// Bytes from which on a connection that does not read is sent nothing more
    #[arg(long, value_name = "BYTES")]
    max_send_queue_bytes: Option<usize>,
    /// Seconds for the opening handshake
    #[arg(long, value_name = "SECONDS")]
    handshake_timeout: Option<u64>,
    /// Seconds of silence before a ping
    #[arg(long, value_name = "SECONDS")]
    ping_interval: Option<u64>,
    /// Seconds for its pong
    #[arg(long, value_name = "SECONDS")]
    pong_timeout: Option<u64>,
}

impl Limits {
    /// Sets what was asked for.
    pub fn apply(&self, mut config: ConfigBuilder) -> ConfigBuilder {
        if let Some(bytes) = self.max_message_bytes {
            config = config.max_message_bytes(bytes).max_frame_bytes(bytes);
        }
        if let Some(fragments) = self.max_fragments {
            config = config.max_fragments(fragments);
        }
        if let Some(bytes) = self.max_send_queue_bytes {
            config = config.max_send_queue_bytes(bytes);
        }
        if let Some(seconds) = self.handshake_timeout {
            config = config.handshake_timeout(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.ping_interval {
            config = config.ping_interval(Some(Duration::from_secs(seconds)));
        }
        if let Some(seconds) = self.pong_timeout {
            config = config.pong_timeout(Duration::from_secs(seconds));
        }
        config
    }
}
