//! The headers that belong to the handshake alone.

use http::HeaderName;
use http::header;

/// May this header be set by nobody but the handshake itself? `Content-Length` and `Transfer-Encoding` are among
/// them, for neither the request nor a 101 has a body: what follows are frames. `Sec-WebSocket-Protocol` is, because
/// what it says is handed over as [`Subprotocol`](super::Subprotocol)s.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(name)
}

const RESERVED: [HeaderName; 9] = [
    header::UPGRADE,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_EXTENSIONS,
];
