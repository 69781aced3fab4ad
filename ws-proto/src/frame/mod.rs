//! The frame, the unit on the wire ([RFC 6455 §5.2]): for those who need it without the rest of the protocol.
//!
//! ```text
//!  byte 0                 byte 1             0, 2 or 8 bytes     0 or 4 bytes   payload
//! +-----+----------+----+ +------+--------+ +-----------------+ +-------------+ +---------
//! | FIN | RSV1,2,3 | op | | MASK | length | | extended length | | masking key | | ...
//! +-----+----------+----+ +------+--------+ +-----------------+ +-------------+ +---------
//!   1        3       4       1       7        when 126 or 127     when MASK
//! ```
//!
//! [`Header`] is one header, [`Decoder`] finds headers in bytes that come in pieces, [`MaskingKey`] masks and unmasks.
//! None of them knows about roles, extensions or messages: rules that need those are the connection's.
//!
//! [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

mod decoder;
mod header;
mod mask;
mod opcode;

pub use decoder::{Decoder, is_complete};
pub use header::{EncodedHeader, Header};
pub use mask::MaskingKey;
pub use opcode::Opcode;
