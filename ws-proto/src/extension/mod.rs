//! Extensions of the protocol ([RFC 6455 §9]): how they are written in `Sec-WebSocket-Extensions`, and how their
//! negotiation fails.
//!
//! [RFC 6455 §9]: https://www.rfc-editor.org/rfc/rfc6455#section-9

mod header;

#[cfg(feature = "deflate")]
pub(crate) use header::{Extension, Param};
pub(crate) use header::{Malformed, is_token, parse};

/// Why the extensions in a response fail the client's handshake (RFC 6455 §4.1, §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "deflate"),
    expect(dead_code, reason = "an extension that nobody offers has no parameters")
)]
pub(crate) enum ResponseFault {
    /// The header does not follow the grammar (RFC 6455 §9.1).
    Malformed,
    /// An extension that the client did not offer (RFC 6455 §4.1).
    NotOffered,
    /// An extension that was accepted before (RFC 7692 §5.1).
    Repeated,
    /// A parameter is unknown, stands twice or has an invalid value (RFC 7692 §7.1).
    InvalidParameter,
    /// The parameters are no answer to the offer (RFC 7692 §5.1).
    ParameterNotOffered,
}
