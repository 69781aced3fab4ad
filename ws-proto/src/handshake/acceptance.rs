//! What a server says when it accepts.

use super::Subprotocol;
use http::{HeaderName, HeaderValue};

/// What the response to an accepted opening request says beyond what it must: the subprotocol, and headers of your
/// own. The default says nothing.
///
/// ```
/// use ws_proto::handshake::{Acceptance, Subprotocol};
/// use ws_proto::http::{HeaderValue, header};
///
/// # fn main() -> Result<(), ws_proto::handshake::InvalidSubprotocol> {
/// let acceptance = Acceptance::default()
///     .subprotocol(Subprotocol::new("chat.v2")?)
///     .header(header::SET_COOKIE, HeaderValue::from_static("seen=1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Acceptance {
    pub(super) subprotocol: Option<Subprotocol>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Acceptance {
    /// Chooses one of the subprotocols that the client offered (RFC 6455 §4.2.2). Any other is refused by `accept`.
    pub fn subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocol = Some(subprotocol);
        self
    }

    /// Adds a header, such as `Set-Cookie`; repeated names stay several lines. One that the handshake sets itself is
    /// refused by `accept`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
