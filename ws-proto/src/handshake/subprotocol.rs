//! The names of subprotocols ([RFC 6455 §1.9], §11.5).
//!
//! [RFC 6455 §1.9]: https://www.rfc-editor.org/rfc/rfc6455#section-1.9

use super::HandshakeError;
use super::list::elements;
use crate::extension::is_token;
use bytes::Bytes;
use http::HeaderValue;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a subprotocol, such as `mqtt` or `graphql-transport-ws`: a token of HTTP (RFC 9110 §5.6.2). Names are
/// compared with their case. Clones share the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subprotocol(
    /// Invariant: a token.
    Arc<str>,
);

impl Subprotocol {
    /// Checks and copies the name.
    ///
    /// # Errors
    /// [`InvalidSubprotocol`] where the name is empty or holds anything but visible ASCII without the delimiters
    /// `( ) < > @ , ; : \ " / [ ] ? = { }`.
    pub fn new(name: &str) -> Result<Self, InvalidSubprotocol> {
        if is_token(name.as_bytes()) { Ok(Self(name.into())) } else { Err(InvalidSubprotocol) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what a client offers, in its order of preference; several header lines are one list (§11.3.4). No header
    /// is no offer, but an empty one is "not a legal value" (§4.2.2).
    pub(super) fn parse_offer<'a>(
        lines: impl IntoIterator<Item = &'a HeaderValue>,
    ) -> Result<Vec<Self>, HandshakeError> {
        let mut offered = Vec::new();
        let mut lines = lines.into_iter().peekable();
        if lines.peek().is_none() {
            return Ok(offered);
        }
        for element in elements(lines) {
            let name = std::str::from_utf8(element).map_err(|_| HandshakeError::MalformedSubprotocols)?;
            offered.push(Self::new(name).map_err(|_| HandshakeError::MalformedSubprotocols)?);
        }
        if offered.is_empty() {
            return Err(HandshakeError::MalformedSubprotocols);
        }
        // §4.1: "The elements that comprise this value MUST … all be unique strings". Sorted, so that a long list
        // costs little.
        let mut sorted: Vec<&Self> = offered.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(HandshakeError::RepeatedSubprotocol);
        }
        Ok(offered)
    }

    /// The value of `Sec-WebSocket-Protocol` that names all of them.
    pub(super) fn write_list(list: &[Self]) -> HeaderValue {
        let names: Vec<&str> = list.iter().map(Self::as_str).collect();
        #[expect(clippy::expect_used, reason = "by the invariant of the type")]
        HeaderValue::from_maybe_shared(Bytes::from(names.join(", ")))
            .expect("tokens and commas are visible ASCII")
    }
}

impl fmt::Debug for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AsRef<str> for Subprotocol {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for Subprotocol {
    type Err = InvalidSubprotocol;
    fn from_str(name: &str) -> Result<Self, InvalidSubprotocol> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Subprotocol {
    type Error = InvalidSubprotocol;
    fn try_from(name: &str) -> Result<Self, InvalidSubprotocol> {
        Self::new(name)
    }
}

impl PartialEq<str> for Subprotocol {
    fn eq(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl PartialEq<&str> for Subprotocol {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

/// The name of a subprotocol is no token (RFC 6455 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSubprotocol;

impl fmt::Display for InvalidSubprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a subprotocol must be a token (RFC 6455 §4.1)")
    }
}

impl Error for InvalidSubprotocol {}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&[u8]]) -> Result<Vec<Subprotocol>, HandshakeError> {
        let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_bytes(line).unwrap()).collect();
        Subprotocol::parse_offer(&lines)
    }

    #[test]
    fn a_name_is_a_token() {
        assert_eq!(Subprotocol::new("v12.stomp").unwrap(), "v12.stomp");
        for name in ["", "a b", "a,b", "a/b", "é", "a\r\nb", "\"a\"", "\u{7f}"] {
            assert_eq!(Subprotocol::new(name), Err(InvalidSubprotocol), "{name:?}");
        }
    }

    #[test]
    fn several_lines_are_one_list_in_order() {
        assert_eq!(offer(&[b"b, a", b",c ,"]).unwrap(), ["b", "a", "c"]);
        assert!(offer(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_list_without_a_name_or_with_no_token_is_refused() {
        for line in [&b""[..], b" , ", b"a b", b"a;b", b"\"a\"", b"\xff", b"caf\xc3\xa9"] {
            assert!(matches!(offer(&[line]), Err(HandshakeError::MalformedSubprotocols)), "{line:?}");
        }
    }

    #[test]
    fn a_name_is_offered_once() {
        assert!(matches!(offer(&[b"a, b", b"a"]), Err(HandshakeError::RepeatedSubprotocol)));
        assert!(offer(&[b"a, A"]).is_ok(), "names are compared with their case");
    }
}
