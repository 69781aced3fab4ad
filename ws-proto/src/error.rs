//! Errors by whose fault they are: the peer broke a rule, a limit of ours was reached, a timer ran out, or the caller misused the API.
//! The opening handshake has its own, [`HandshakeError`](crate::handshake::HandshakeError), which knows its HTTP status.

use crate::CloseCode;
use std::error::Error;
use std::fmt;

/// Why a connection failed (RFC 6455 §7.1.7). It is reported once as an event, and told by
/// [`Connection::failure`](crate::Connection::failure) from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The peer broke a rule of RFC 6455 or RFC 7692.
    Protocol(ProtocolError),
    /// What the peer sent passes a limit of ours.
    Limit(LimitError),
    /// The peer kept silent for too long.
    Timeout(Timer),
    /// The peer ended the stream without a Close frame (§7.1.5).
    EndOfStream,
}

impl Failure {
    /// The code of the Close frame that we sent for it; [`CloseCode::ABNORMAL`] where none could be of use.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Protocol(error) => error.close_code(),
            Self::Limit(error) => error.close_code(),
            Self::Timeout(Timer::Pong) => CloseCode::INTERNAL_ERROR,
            Self::Timeout(Timer::Close) | Self::EndOfStream => CloseCode::ABNORMAL,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => error.fmt(f),
            Self::Limit(error) => error.fmt(f),
            Self::Timeout(Timer::Pong) => f.write_str("the peer answered no ping in time"),
            Self::Timeout(Timer::Close) => {
                f.write_str("the peer sent no Close frame in time (RFC 6455 §7.1.1)")
            }
            Self::EndOfStream => {
                f.write_str("the peer ended the stream without a Close frame (RFC 6455 §7.1.5)")
            }
        }
    }
}

/// Its `Display` tells all there is, so it has no source.
impl Error for Failure {}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<LimitError> for Failure {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// Which timer ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// A keepalive ping was not answered within `pong_timeout`.
    Pong,
    /// Our Close frame was not answered within `close_timeout`.
    Close,
}

/// The peer broke a rule: one variant for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A client must mask all its frames (RFC 6455 §5.1).
    UnmaskedClientFrame,
    /// A server must not mask (RFC 6455 §5.1).
    MaskedServerFrame,
    /// A reserved bit was set that no negotiated extension gave a meaning for this frame (RFC 6455 §5.2, RFC 7692 §6.1).
    ReservedBits {
        /// RSV1, RSV2 and RSV3 as the bits 4, 2 and 1.
        bits: u8,
    },
    /// An opcode that RFC 6455 reserves (§5.2).
    ReservedOpcode {
        /// Its number, 3 to 7 or 11 to 15.
        opcode: u8,
    },
    /// A payload length was not written in its shortest form (RFC 6455 §5.2).
    NonMinimalLength,
    /// The most significant bit of a 64-bit length was set (RFC 6455 §5.2).
    LengthOutOfRange,
    /// A continuation frame where no message was begun (RFC 6455 §5.4).
    ContinuationWithoutStart,
    /// A text or binary frame before the last message was finished (RFC 6455 §5.4).
    DataFrameInsideMessage,
    /// A control frame without FIN (RFC 6455 §5.5).
    FragmentedControlFrame,
    /// A control frame with more than 125 bytes of payload (RFC 6455 §5.5).
    ControlFrameTooLong,
    /// A Close frame with half a status code (RFC 6455 §5.5.1).
    CloseFrameOfOneByte,
    /// A status code that must not be in a Close frame (RFC 6455 §7.4).
    InvalidCloseCode {
        /// The number.
        code: u16,
    },
    /// The reason of a Close frame is not UTF-8 (RFC 6455 §5.5.1).
    InvalidCloseReason,
    /// A text message is not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A compressed message is no DEFLATE stream (RFC 7692 §7.2.2).
    InvalidDeflate,
}

impl ProtocolError {
    /// The code of the Close frame that answers it (§7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::UnmaskedClientFrame
            | Self::MaskedServerFrame
            | Self::ReservedBits { .. }
            | Self::ReservedOpcode { .. }
            | Self::NonMinimalLength
            | Self::LengthOutOfRange
            | Self::ContinuationWithoutStart
            | Self::DataFrameInsideMessage
            | Self::FragmentedControlFrame
            | Self::ControlFrameTooLong
            | Self::CloseFrameOfOneByte
            | Self::InvalidCloseCode { .. } => CloseCode::PROTOCOL_ERROR,
            Self::InvalidCloseReason | Self::InvalidUtf8 | Self::InvalidDeflate => CloseCode::INVALID_PAYLOAD,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmaskedClientFrame => f.write_str("the client's frame is not masked (RFC 6455 §5.1)"),
            Self::MaskedServerFrame => f.write_str("the server's frame is masked (RFC 6455 §5.1)"),
            Self::ReservedBits { bits } => write!(f, "reserved bits {bits:03b} are set (RFC 6455 §5.2)"),
            Self::ReservedOpcode { opcode } => write!(f, "opcode {opcode} is reserved (RFC 6455 §5.2)"),
            Self::NonMinimalLength => {
                f.write_str("the payload length is not in its shortest form (RFC 6455 §5.2)")
            }
            Self::LengthOutOfRange => {
                f.write_str("the payload length has its highest bit set (RFC 6455 §5.2)")
            }
            Self::ContinuationWithoutStart => {
                f.write_str("a continuation frame continues nothing (RFC 6455 §5.4)")
            }
            Self::DataFrameInsideMessage => {
                f.write_str("a new message begins inside another (RFC 6455 §5.4)")
            }
            Self::FragmentedControlFrame => f.write_str("a control frame is fragmented (RFC 6455 §5.5)"),
            Self::ControlFrameTooLong => {
                f.write_str("a control frame is longer than 125 bytes (RFC 6455 §5.5)")
            }
            Self::CloseFrameOfOneByte => {
                f.write_str("a Close frame holds half a status code (RFC 6455 §5.5.1)")
            }
            Self::InvalidCloseCode { code } => {
                write!(f, "status code {code} must not be sent (RFC 6455 §7.4)")
            }
            Self::InvalidCloseReason => {
                f.write_str("the reason of a Close frame is not UTF-8 (RFC 6455 §5.5.1)")
            }
            Self::InvalidUtf8 => f.write_str("a text message is not UTF-8 (RFC 6455 §8.1)"),
            Self::InvalidDeflate => f.write_str("a compressed message cannot be inflated (RFC 7692 §7.2.2)"),
        }
    }
}

impl Error for ProtocolError {}

/// What the peer sent passes a limit of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// A frame declares more than `max_frame_bytes`.
    FrameTooBig {
        /// The setting, in bytes.
        limit: u64,
        /// What the header declared, in bytes.
        actual: u64,
    },
    /// A message has, or will have by its headers, more than `max_message_bytes`.
    MessageTooBig {
        /// The setting, in bytes.
        limit: u64,
        /// What it would be at least, in bytes.
        actual: u64,
    },
    /// A message inflates by more than `DeflateConfig::max_ratio`.
    InflationRatio {
        /// The setting, bytes of output for each of input.
        limit: u64,
        /// What it reached.
        actual: u64,
    },
    /// A message has more than `max_fragments`.
    TooManyFragments {
        /// The setting.
        limit: u64,
        /// The number of the fragment that was one too many.
        actual: u64,
    },
    /// More than `max_control_frames` came within a second.
    TooManyControlFrames {
        /// The setting.
        limit: u64,
        /// The number of the frame that was one too many.
        actual: u64,
    },
    /// All connections of the process together hold their memory budget, and this one made room; see
    /// [`Connection::give_up_memory`](crate::Connection::give_up_memory).
    MemoryBudget {
        /// The budget, in bytes.
        limit: u64,
        /// What was held by all of them, in bytes.
        actual: u64,
    },
}

impl LimitError {
    /// The code of the Close frame that answers it: 1009 for too many bytes, 1008 for too many pieces, 1013 for too much memory of all.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::FrameTooBig { .. } | Self::MessageTooBig { .. } | Self::InflationRatio { .. } => {
                CloseCode::MESSAGE_TOO_BIG
            }
            Self::TooManyFragments { .. } | Self::TooManyControlFrames { .. } => CloseCode::POLICY_VIOLATION,
            Self::MemoryBudget { .. } => CloseCode::TRY_AGAIN_LATER,
        }
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameTooBig { limit, actual } => {
                write!(f, "a frame of {actual} bytes passes the limit of {limit}")
            }
            Self::MessageTooBig { limit, .. } => write!(f, "a message passes the limit of {limit} bytes"),
            Self::InflationRatio { limit, actual } => {
                write!(f, "a message inflates to {actual} times its size, the limit is {limit}")
            }
            Self::TooManyFragments { limit, .. } => write!(f, "a message has more than {limit} fragments"),
            Self::TooManyControlFrames { limit, .. } => {
                write!(f, "more than {limit} control frames came within a second")
            }
            // The peer reads this: how much memory there is does not concern it.
            Self::MemoryBudget { .. } => f.write_str("there is no memory left for this connection"),
        }
    }
}

impl Error for LimitError {}

/// The caller asked for what cannot be done; the code that called is to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiMisuse {
    /// The code must not stand in a Close frame (RFC 6455 §7.4).
    UnsendableCloseCode {
        /// The number.
        code: u16,
    },
    /// A payload of more than 125 bytes for a control frame (RFC 6455 §5.5).
    ControlPayloadTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// With streaming delivery messages come in pieces; there is no whole one to hand out.
    DeliveryIsStreaming,
    /// A handshake was answered before its request was there, or a second time.
    HandshakeNotWaiting,
    /// A subprotocol was accepted that the client did not offer (RFC 6455 §4.2.2).
    SubprotocolNotOffered,
    /// A header was set that the handshake sets itself (RFC 6455 §4.1, §4.2.2).
    ReservedHeader,
    /// The URI is not absolute, or not of the scheme `ws`, `wss`, `http` or `https` (RFC 6455 §3).
    UnusableUri,
    /// The opening request is not a GET of HTTP/1.1 (RFC 6455 §4.1).
    NotAGetRequest,
    /// The answer to a rejected handshake has a status below 200 (RFC 6455 §4.2.2).
    UnusableStatus,
}

impl fmt::Display for ApiMisuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsendableCloseCode { code } => {
                write!(f, "status code {code} must not be sent (RFC 6455 §7.4)")
            }
            Self::ControlPayloadTooLong { len } => {
                write!(f, "a control frame holds 125 bytes, not {len} (RFC 6455 §5.5)")
            }
            Self::DeliveryIsStreaming => {
                f.write_str("with streaming delivery messages come in pieces, as events")
            }
            Self::HandshakeNotWaiting => f.write_str("no request waits for an answer"),
            Self::SubprotocolNotOffered => {
                f.write_str("the client did not offer this subprotocol (RFC 6455 §4.2.2)")
            }
            Self::ReservedHeader => f.write_str("the handshake sets this header itself (RFC 6455 §4.1)"),
            Self::UnusableUri => {
                f.write_str("the URI must be absolute, with the scheme ws or wss (RFC 6455 §3)")
            }
            Self::NotAGetRequest => {
                f.write_str("the opening request must be a GET of HTTP/1.1 (RFC 6455 §4.1)")
            }
            Self::UnusableStatus => {
                f.write_str("a rejection needs a status of 200 or above (RFC 6455 §4.2.2)")
            }
        }
    }
}

impl Error for ApiMisuse {}

/// A setting that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting must be more than zero.
    Zero {
        /// Its name.
        setting: &'static str,
    },
    /// The level of the compressor is not one of 0 to 9.
    DeflateLevel {
        /// What was given.
        level: u8,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { setting } => write!(f, "{setting} must be more than zero"),
            Self::DeflateLevel { level } => write!(f, "deflate.level is {level}, but levels go from 0 to 9"),
        }
    }
}

impl Error for ConfigError {}

/// Something was not queued for sending; it is given back.
#[derive(Clone, PartialEq, Eq)]
pub struct SendError<T> {
    refusal: SendRefusal,
    rejected: T,
}

/// Why something was not queued for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendRefusal {
    /// A Close frame was sent, or the connection failed: no data may follow (RFC 6455 §5.5.1).
    Closed,
    /// At least `max_send_queue_bytes` wait already: write first.
    QueueFull,
    /// A message is being sent piece by piece; finish it first (RFC 6455 §5.4).
    FragmentedMessageOpen,
    /// This fragment is of another kind than the message that it would continue.
    KindMismatch,
    /// The pieces of a text message are not UTF-8 when put together (RFC 6455 §8.1).
    InvalidUtf8,
}

impl<T> SendError<T> {
    /// For drivers: something was refused for one of the reasons that the core knows.
    pub const fn new(refusal: SendRefusal, rejected: T) -> Self {
        Self { refusal, rejected }
    }

    /// Why it was not queued.
    pub const fn refusal(&self) -> SendRefusal {
        self.refusal
    }

    /// What was not queued.
    pub fn into_rejected(self) -> T {
        self.rejected
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl<T> Error for SendError<T> {}

impl fmt::Display for SendRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closed for sending",
            Self::QueueFull => "too many bytes wait to be written",
            Self::FragmentedMessageOpen => "another message is being sent piece by piece",
            Self::KindMismatch => "the fragment is of another kind than its message",
            Self::InvalidUtf8 => "the fragments of a text message are not UTF-8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Failure>() <= 32);
        assert!(size_of::<ApiMisuse>() <= 32);
        assert!(size_of::<ConfigError>() <= 32);
    }

    #[test]
    fn each_error_of_the_peer_has_its_close_code() {
        assert_eq!(ProtocolError::UnmaskedClientFrame.close_code(), CloseCode::PROTOCOL_ERROR);
        assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
        assert_eq!(LimitError::FrameTooBig { limit: 1, actual: 2 }.close_code(), CloseCode::MESSAGE_TOO_BIG);
        assert_eq!(
            LimitError::TooManyFragments { limit: 1, actual: 2 }.close_code(),
            CloseCode::POLICY_VIOLATION
        );
        assert_eq!(Failure::EndOfStream.close_code(), CloseCode::ABNORMAL);
    }
}
