//! Why an opening handshake fails: one variant for each rule that the peer broke, and the HTTP status that answers it.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, Response, StatusCode};
use std::error::Error;
use std::fmt;

/// Why an opening handshake fails. First what both roles meet, then what is wrong with a request, then what is wrong
/// with a response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A carriage return without a line feed behind it (RFC 9112 §2.2).
    BareCarriageReturn,
    /// A line feed without a carriage return before it (RFC 9112 §2.2).
    BareLineFeed,
    /// NUL or another control character in the head (RFC 9110 §5.5); the usual sign of TLS on a port without.
    ControlCharacter,
    /// A header line that begins with a space or tab (RFC 9112 §5.2).
    ObsoleteLineFolding,
    /// A header line without a colon, or with a name that is no token (RFC 9112 §5.1).
    MalformedHeader,
    /// The head has more bytes than `max_head_bytes` (RFC 6585 §5).
    HeadTooLarge {
        /// The setting `max_head_bytes`.
        limit: usize,
    },
    /// The head has more lines than `max_headers` (RFC 6585 §5).
    TooManyHeaders {
        /// The setting `max_headers`.
        limit: usize,
    },
    /// `Sec-WebSocket-Extensions` does not follow its grammar (RFC 6455 §9.1).
    MalformedExtensions,
    /// The peer ended the stream before the end of its head (RFC 9112 §8).
    EndOfStream,
    /// The peer did not send its head within `handshake_timeout` (RFC 9110 §15.5.9).
    Timeout,
    /// The first line is not a method, a target and a version with one space between (RFC 9112 §3).
    MalformedRequestLine,
    /// The target is neither a path nor an absolute `http` or `https` URI (RFC 6455 §4.2.1).
    MalformedRequestTarget,
    /// The request line alone has more bytes than may be (RFC 9110 §15.5.15).
    UriTooLong {
        /// How many bytes there may be.
        limit: usize,
    },
    /// The version is not HTTP/1.1 (RFC 6455 §4.2.1); also the preface of HTTP/2.
    UnsupportedHttpVersion,
    /// The method is not GET (RFC 6455 §4.2.1).
    MethodNotGet,
    /// The request has a body: a `Content-Length` other than 0, or any `Transfer-Encoding`. Its bytes would be taken
    /// for frames (RFC 9112 §6).
    RequestWithBody,
    /// There is no `Host` (RFC 6455 §4.2.1).
    MissingHost,
    /// There is more than one `Host` (RFC 9112 §3.2).
    RepeatedHost,
    /// `Host` is empty, or no host with an optional port (RFC 9112 §3.2).
    MalformedHost,
    /// `Upgrade` does not ask for `websocket` (RFC 6455 §4.2.1): a plain HTTP request, or one for another protocol.
    MissingUpgrade,
    /// `Upgrade` asks for `websocket`, but `Connection` does not name `Upgrade` (RFC 6455 §4.2.1): as a rule, a proxy
    /// on the way dropped it.
    MissingConnectionUpgrade,
    /// There is no `Sec-WebSocket-Version` (RFC 6455 §4.2.1).
    MissingVersion,
    /// There is more than one `Sec-WebSocket-Version` (RFC 6455 §11.3.5).
    RepeatedVersion,
    /// `Sec-WebSocket-Version` is not 13 (RFC 6455 §4.4).
    UnsupportedVersion,
    /// There is no `Sec-WebSocket-Key` (RFC 6455 §4.2.1).
    MissingKey,
    /// There is more than one `Sec-WebSocket-Key` (RFC 6455 §11.3.1).
    RepeatedKey,
    /// `Sec-WebSocket-Key` is not base64 of 16 bytes (RFC 6455 §4.2.1).
    MalformedKey,
    /// `Sec-WebSocket-Protocol` is no list of tokens, or empty (RFC 6455 §4.1).
    MalformedSubprotocols,
    /// `Sec-WebSocket-Protocol` offers a subprotocol twice (RFC 6455 §4.1).
    RepeatedSubprotocol,
    /// The first line is not a version and a status (RFC 9112 §4).
    MalformedStatusLine,
    /// The server answered with another status than 101 (RFC 6455 §4.1): its response, with the beginning of its body: at
    /// most 16 KiB, and what arrived of it within a second and within `handshake_timeout`.
    Refused(Box<Response<Bytes>>),
    /// `Upgrade` in the response is not `websocket` and nothing else (RFC 6455 §4.1).
    ResponseWithoutUpgrade,
    /// `Connection` in the response does not name `Upgrade` (RFC 6455 §4.1).
    ResponseWithoutConnectionUpgrade,
    /// There is no `Sec-WebSocket-Accept` (RFC 6455 §4.1).
    MissingAccept,
    /// There is more than one `Sec-WebSocket-Accept` (RFC 6455 §11.3.3).
    RepeatedAccept,
    /// `Sec-WebSocket-Accept` does not answer our key (RFC 6455 §4.1).
    WrongAccept,
    /// The server chose a subprotocol that was not offered (RFC 6455 §4.1).
    SubprotocolNotOffered,
    /// There is more than one `Sec-WebSocket-Protocol` in the response (RFC 6455 §11.3.4).
    RepeatedSubprotocolChoice,
    /// The server uses an extension that was not offered (RFC 6455 §4.1).
    ExtensionNotOffered,
    /// The server accepted permessage-deflate more than once (RFC 7692 §5.1).
    RepeatedExtension,
    /// A parameter of permessage-deflate is unknown, stands twice or has an invalid value (RFC 7692 §7.1).
    InvalidDeflateParameter,
    /// The parameters of permessage-deflate are no answer to what was offered (RFC 7692 §5.1).
    DeflateParameterNotOffered,
}

impl HandshakeError {
    /// The status with which a server answers this fault of a request; `None` for the faults of a response, which
    /// nothing answers.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        Some(match self {
            Self::BareCarriageReturn
            | Self::BareLineFeed
            | Self::ControlCharacter
            | Self::ObsoleteLineFolding
            | Self::MalformedHeader
            | Self::MalformedExtensions
            | Self::EndOfStream
            | Self::MalformedRequestLine
            | Self::MalformedRequestTarget
            | Self::RequestWithBody
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::MalformedHost
            | Self::MissingConnectionUpgrade
            | Self::RepeatedVersion
            | Self::MissingKey
            | Self::RepeatedKey
            | Self::MalformedKey
            | Self::MalformedSubprotocols
            | Self::RepeatedSubprotocol => StatusCode::BAD_REQUEST,
            Self::MethodNotGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::MissingUpgrade | Self::MissingVersion | Self::UnsupportedVersion => {
                StatusCode::UPGRADE_REQUIRED
            }
            Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::UnsupportedHttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::MalformedStatusLine
            | Self::Refused(_)
            | Self::ResponseWithoutUpgrade
            | Self::ResponseWithoutConnectionUpgrade
            | Self::MissingAccept
            | Self::RepeatedAccept
            | Self::WrongAccept
            | Self::SubprotocolNotOffered
            | Self::RepeatedSubprotocolChoice
            | Self::ExtensionNotOffered
            | Self::RepeatedExtension
            | Self::InvalidDeflateParameter
            | Self::DeflateParameterNotOffered => return None,
        })
    }

    /// The response of a server to this fault: a one-line reason as `text/plain`, `Connection: close`, and what the
    /// status asks for: `Allow` with 405 (RFC 9110 §15.5.6), `Upgrade` with 426 (§15.5.22), `Sec-WebSocket-Version`
    /// where that was the fault (RFC 6455 §4.4). `None` where [`status`](Self::status) is.
    ///
    /// [`ServerHandshake`](super::ServerHandshake) sends it by itself; this is for those who use
    /// [`Upgrade`](super::Upgrade) alone.
    #[must_use]
    pub fn response(&self) -> Option<Response<Bytes>> {
        let status = self.status()?;
        let body = Bytes::from(format!("{self}\n"));
        let len = HeaderValue::from(body.len());
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            // RFC 9110 §7.8: a sender of `Upgrade` must name it in `Connection` too.
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade, close"));
        } else {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if matches!(self, Self::MissingVersion | Self::RepeatedVersion | Self::UnsupportedVersion) {
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, len);
        Some(response)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareCarriageReturn => f.write_str("a carriage return without a line feed (RFC 9112 §2.2)"),
            Self::BareLineFeed => f.write_str("a line feed without a carriage return (RFC 9112 §2.2)"),
            Self::ControlCharacter => f.write_str("a control character in the head (RFC 9110 §5.5)"),
            Self::ObsoleteLineFolding => f.write_str("a header line is folded (RFC 9112 §5.2)"),
            Self::MalformedHeader => f.write_str("a malformed header line (RFC 9112 §5.1)"),
            Self::HeadTooLarge { limit } => write!(f, "the head has more than {limit} bytes (RFC 6585 §5)"),
            Self::TooManyHeaders { limit } => {
                write!(f, "the head has more than {limit} headers (RFC 6585 §5)")
            }
            Self::MalformedExtensions => f.write_str("Sec-WebSocket-Extensions is malformed (RFC 6455 §9.1)"),
            Self::EndOfStream => f.write_str("the stream ended before the end of the head (RFC 9112 §8)"),
            Self::Timeout => f.write_str("the head did not arrive in time (RFC 9110 §15.5.9)"),
            Self::MalformedRequestLine => f.write_str("a malformed request line (RFC 9112 §3)"),
            Self::MalformedRequestTarget => f.write_str("a malformed request target (RFC 6455 §4.2.1)"),
            Self::UriTooLong { limit } => {
                write!(f, "the request line has more than {limit} bytes (RFC 9110 §15.5.15)")
            }
            Self::UnsupportedHttpVersion => f.write_str("the HTTP version is not 1.1 (RFC 6455 §4.2.1)"),
            Self::MethodNotGet => f.write_str("the method is not GET (RFC 6455 §4.2.1)"),
            Self::RequestWithBody => f.write_str("an opening request has no body (RFC 9112 §6)"),
            Self::MissingHost => f.write_str("there is no Host (RFC 6455 §4.2.1)"),
            Self::RepeatedHost => f.write_str("there is more than one Host (RFC 9112 §3.2)"),
            Self::MalformedHost => f.write_str("Host is malformed (RFC 9112 §3.2)"),
            Self::MissingUpgrade => f.write_str("Upgrade does not ask for websocket (RFC 6455 §4.2.1)"),
            Self::MissingConnectionUpgrade => {
                f.write_str("Connection does not name Upgrade (RFC 6455 §4.2.1)")
            }
            Self::MissingVersion => f.write_str("there is no Sec-WebSocket-Version (RFC 6455 §4.2.1)"),
            Self::RepeatedVersion => {
                f.write_str("there is more than one Sec-WebSocket-Version (RFC 6455 §11.3.5)")
            }
            Self::UnsupportedVersion => f.write_str("Sec-WebSocket-Version is not 13 (RFC 6455 §4.4)"),
            Self::MissingKey => f.write_str("there is no Sec-WebSocket-Key (RFC 6455 §4.2.1)"),
            Self::RepeatedKey => f.write_str("there is more than one Sec-WebSocket-Key (RFC 6455 §11.3.1)"),
            Self::MalformedKey => {
                f.write_str("Sec-WebSocket-Key is not base64 of 16 bytes (RFC 6455 §4.2.1)")
            }
            Self::MalformedSubprotocols => {
                f.write_str("Sec-WebSocket-Protocol is no list of tokens (RFC 6455 §4.1)")
            }
            Self::RepeatedSubprotocol => {
                f.write_str("Sec-WebSocket-Protocol offers a subprotocol twice (RFC 6455 §4.1)")
            }
            Self::MalformedStatusLine => f.write_str("a malformed status line (RFC 9112 §4)"),
            Self::Refused(response) => write!(f, "the server answered {} (RFC 6455 §4.1)", response.status()),
            Self::ResponseWithoutUpgrade => {
                f.write_str("Upgrade in the response is not websocket (RFC 6455 §4.1)")
            }
            Self::ResponseWithoutConnectionUpgrade => {
                f.write_str("Connection in the response does not name Upgrade (RFC 6455 §4.1)")
            }
            Self::MissingAccept => f.write_str("there is no Sec-WebSocket-Accept (RFC 6455 §4.1)"),
            Self::RepeatedAccept => {
                f.write_str("there is more than one Sec-WebSocket-Accept (RFC 6455 §11.3.3)")
            }
            Self::WrongAccept => f.write_str("Sec-WebSocket-Accept does not answer the key (RFC 6455 §4.1)"),
            Self::SubprotocolNotOffered => {
                f.write_str("the server chose a subprotocol that was not offered (RFC 6455 §4.1)")
            }
            Self::RepeatedSubprotocolChoice => {
                f.write_str("the server chose more than one subprotocol (RFC 6455 §11.3.4)")
            }
            Self::ExtensionNotOffered => {
                f.write_str("the server uses an extension that was not offered (RFC 6455 §4.1)")
            }
            Self::RepeatedExtension => {
                f.write_str("the server accepted permessage-deflate twice (RFC 7692 §5.1)")
            }
            Self::InvalidDeflateParameter => {
                f.write_str("a parameter of permessage-deflate is invalid (RFC 7692 §7.1)")
            }
            Self::DeflateParameterNotOffered => {
                f.write_str("the parameters of permessage-deflate are no answer to the offer (RFC 7692 §5.1)")
            }
        }
    }
}

impl Error for HandshakeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<HandshakeError>() <= 32);
    }

    #[test]
    fn a_fault_of_the_version_is_answered_with_ours() {
        let response = HandshakeError::UnsupportedVersion.response().unwrap();
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(response.headers()[SEC_WEBSOCKET_VERSION], "13");
        assert_eq!(response.headers()[UPGRADE], "websocket");
        assert_eq!(response.headers()[CONNECTION], "Upgrade, close");
        assert_eq!(response.body(), "Sec-WebSocket-Version is not 13 (RFC 6455 §4.4)\n");
        assert_eq!(response.headers()[CONTENT_LENGTH], response.body().len().to_string());
    }

    #[test]
    fn a_fault_of_a_response_is_not_answered() {
        assert!(HandshakeError::WrongAccept.response().is_none());
        assert!(HandshakeError::Refused(Box::default()).response().is_none());
    }
}
