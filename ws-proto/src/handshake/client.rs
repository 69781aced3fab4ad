//! The client's opening handshake ([RFC 6455 §4.1]), from the request to the end of the response's head.
//!
//! [RFC 6455 §4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1

use super::body::BodyReader;
use super::head::{HeadReader, StartLine, parse_response, write_request};
use super::list::{Occurrence, occurrence};
use super::offer::Offer;
use super::reserved::is_reserved;
use super::{HandshakeError, Subprotocol};
use crate::{ApiMisuse, Config, Negotiated, Transmit, Transport};
use http::header::{HOST, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The opening handshake of a client on one connection.
#[derive(Debug)]
pub struct ClientHandshake {
    state: State,
    transmit: Transmit,
}

/// What a [`ClientHandshake`] has to tell. Each handshake tells one of these, once.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientHandshakeEvent {
    /// The server accepted: its response, which was checked. [`finish`](ClientHandshake::finish) now.
    Response(Response<()>),
    /// The handshake failed, or the server refused it ([`HandshakeError::Refused`]).
    Failed(HandshakeError),
}

#[derive(Debug)]
enum State {
    /// `deadline` is none where the timeout is too long for the clock.
    Reading {
        head: HeadReader,
        offer: Box<Offer>,
        deadline: Option<Instant>,
    },
    Accepted(Negotiated),
    /// The server does not want it; its body is read, as far as it comes in time.
    Refused {
        response: Box<Response<()>>,
        body: BodyReader,
        deadline: Option<Instant>,
    },
    Failed {
        unreported: Option<HandshakeError>,
    },
}

impl ClientHandshake {
    /// Queues the request. Then connect to its host, write what [`transmit`](Self::transmit) holds, read, and arm a
    /// timer for [`poll_timeout`](Self::poll_timeout).
    ///
    /// The URI of `request` is absolute: `ws`, `wss`, `http` or `https`, without userinfo, for credentials belong
    /// into an `Authorization` that you set (§3 has no place for them). An empty path is written as `/`. Headers are
    /// added in their order (repeated names together) behind those of the handshake; the names in
    /// `Sec-WebSocket-Protocol` are the subprotocols that are offered; a `Host` of yours replaces the one that is
    /// taken from the URI (without the port where it is the scheme's own).
    ///
    /// # Errors
    /// - [`ApiMisuse::NotAGetRequest`] for another method than GET or another version than HTTP/1.1
    /// - [`ApiMisuse::UnusableUri`] for a URI that is none of these
    /// - [`ApiMisuse::ReservedHeader`] for a header that only the handshake may set: `Upgrade`, `Connection`,
    ///   `Content-Length`, `Transfer-Encoding`, `Sec-WebSocket-Key`, `-Version`, `-Accept`, `-Extensions`; for a second
    ///   `Host`; and for a `Sec-WebSocket-Protocol` that is no list of different tokens
    pub fn new(
        request: Request<()>,
        config: impl Into<Arc<Config>>,
        now: Instant,
    ) -> Result<Self, ApiMisuse> {
        let config = config.into();
        if request.method() != Method::GET || request.version() != Version::HTTP_11 {
            return Err(ApiMisuse::NotAGetRequest);
        }
        let (mut parts, ()) = request.into_parts();
        let host = host(&parts.uri).ok_or(ApiMisuse::UnusableUri)?;
        let extra = std::mem::take(&mut parts.headers);
        let subprotocols = Subprotocol::parse_offer(extra.get_all(SEC_WEBSOCKET_PROTOCOL));
        let subprotocols = subprotocols.map_err(|_| ApiMisuse::ReservedHeader)?;
        let host = match occurrence(&extra, HOST) {
            Occurrence::Never => host,
            Occurrence::Once(host) => host.clone(),
            Occurrence::Repeated => return Err(ApiMisuse::ReservedHeader),
        };

        parts.headers = HeaderMap::with_capacity(USUAL_HEADERS);
        parts.headers.insert(HOST, host);
        let offer = Box::new(Offer::new(subprotocols, &config, &mut parts.headers));
        for (name, value) in
            extra.iter().filter(|(name, _)| **name != HOST && **name != SEC_WEBSOCKET_PROTOCOL)
        {
            if is_reserved(name) {
                return Err(ApiMisuse::ReservedHeader);
            }
            // Fails beyond 32,768 names only, of which the handshake needs some for itself.
            parts.headers.try_append(name, value.clone()).map_err(|_| ApiMisuse::ReservedHeader)?;
        }
        let mut transmit = Transmit::default();
        transmit.append(|wire| write_request(&Request::from_parts(parts, ()), wire));

        let head = HeadReader::new(StartLine::Response, config.max_head_bytes(), config.max_headers());
        let deadline = now.checked_add(config.handshake_timeout());
        Ok(Self { state: State::Reading { head, offer, deadline }, transmit })
    }

    /// Takes bytes off the front of `input` and tells what happened, if anything did. Bytes behind the head of the
    /// response stay in `input`, for they are the connection's, and this takes none from then on; those of the body of a
    /// refusal are taken.
    ///
    /// Interim responses (status 100, 102 to 199) are passed over (RFC 9110 §15.2). Then write what
    /// [`transmit`](Self::transmit) holds and obey [`transport`](Self::transport).
    pub fn poll_event(&mut self, input: &mut &[u8], now: Instant) -> Option<ClientHandshakeEvent> {
        if let State::Reading { head, offer, deadline } = &mut self.state {
            match read_response(head, input).transpose()? {
                Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    return Some(match offer.confirm(&response) {
                        Ok(negotiated) => {
                            self.state = State::Accepted(negotiated);
                            ClientHandshakeEvent::Response(response)
                        }
                        Err(error) => self.failed(error),
                    });
                }
                Ok(response) => {
                    let deadline = deadline.iter().copied().chain(now.checked_add(BODY_TIMEOUT)).min();
                    let body = BodyReader::new(&response);
                    // What was not written of the request is of no use any more.
                    self.transmit = Transmit::default();
                    self.state = State::Refused { response: Box::new(response), body, deadline };
                }
                Err(error) => return Some(self.failed(error)),
            }
        }
        if let State::Refused { body, .. } = &mut self.state
            && body.read(input)
        {
            self.end_body();
        }
        match &mut self.state {
            State::Failed { unreported } => unreported.take().map(ClientHandshakeEvent::Failed),
            State::Reading { .. } | State::Accepted(_) | State::Refused { .. } => None,
        }
    }

    /// The server ended its side. Before the end of its response's head that is a failure, behind it the end of a
    /// refusal's body, which [`poll_event`](Self::poll_event) tells next. Then go on as after a read.
    pub fn handle_eof(&mut self, _now: Instant) {
        match self.state {
            State::Reading { .. } => self.fail(Some(HandshakeError::EndOfStream)),
            State::Refused { .. } => self.end_body(),
            State::Accepted(_) | State::Failed { .. } => {}
        }
    }

    /// The timer fired. When the head of the response was not whole by the deadline, the handshake failed, as
    /// [`poll_event`](Self::poll_event) tells next; the body of a refusal is not waited for any longer. Then go on as
    /// after a read. Early calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|deadline| now >= deadline) {
            match self.state {
                State::Refused { .. } => self.end_body(),
                _ => self.fail(Some(HandshakeError::Timeout)),
            }
        }
    }

    /// The bytes to write, in order. Write and advance it until it is empty.
    pub const fn transmit(&mut self) -> &mut Transmit {
        &mut self.transmit
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); ask again after each other call.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Reading { deadline, .. } | State::Refused { deadline, .. } => deadline,
            State::Accepted(_) | State::Failed { .. } => None,
        }
    }

    /// What to do with the transport: keep it open, or close it after a failure (§7.1.7).
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self.state {
            State::Reading { .. } | State::Refused { .. } | State::Accepted(_) => Transport::KeepOpen,
            State::Failed { .. } => Transport::Close,
        }
    }

    /// What was agreed on, after [`ClientHandshakeEvent::Response`]; `None` at any other time.
    #[must_use]
    pub fn finish(self) -> Option<Negotiated> {
        match self.state {
            State::Accepted(negotiated) => Some(negotiated),
            State::Reading { .. } | State::Refused { .. } | State::Failed { .. } => None,
        }
    }

    fn failed(&mut self, error: HandshakeError) -> ClientHandshakeEvent {
        self.fail(None);
        ClientHandshakeEvent::Failed(error)
    }

    /// The body of a refusal is here, as far as it will be.
    fn end_body(&mut self) {
        let refused = std::mem::replace(&mut self.state, State::Failed { unreported: None });
        if let State::Refused { response, body, .. } = refused {
            let refused = HandshakeError::Refused(Box::new(response.map(|()| body.finish())));
            self.fail(Some(refused));
        }
    }

    /// What was not written of the request is of no use any more.
    fn fail(&mut self, unreported: Option<HandshakeError>) {
        self.transmit = Transmit::default();
        self.state = State::Failed { unreported };
    }
}

/// Reads up to the final response.
fn read_response(head: &mut HeadReader, input: &mut &[u8]) -> Result<Option<Response<()>>, HandshakeError> {
    while let Some(head) = head.read(input)? {
        let response = parse_response(head)?;
        if !response.status().is_informational() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(response));
        }
    }
    Ok(None)
}

/// The value of `Host` for this URI (§4.1), `None` where it is not one to connect to.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let default_port = match uri.scheme_str()? {
        scheme if ["ws", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => 80,
        scheme if ["wss", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => 443,
        _ => return None,
    };
    let authority = uri.authority()?;
    let host = authority.host();
    if host.is_empty() || !uri.path().starts_with('/') {
        return None;
    }
    // What is neither the host nor a port that was understood is userinfo or a port that is none.
    let port = match authority.as_str().strip_prefix(host)? {
        "" | ":" => None,
        _ => Some(authority.port_u16()?),
    };
    match port.filter(|&port| port != default_port) {
        None => HeaderValue::from_str(host).ok(),
        Some(port) => HeaderValue::from_str(&format!("{host}:{port}")).ok(),
    }
}

/// How long the body of a refusal is waited for: it is no more than an explanation.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The seven of the handshake, and a few of the caller's.
const USUAL_HEADERS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_leaves_out_the_port_of_the_scheme() {
        for (uri, expected) in [
            ("ws://example.com", "example.com"),
            ("ws://example.com:80/chat", "example.com"),
            ("ws://example.com:443/", "example.com:443"),
            ("wss://example.com:443/", "example.com"),
            ("wss://example.com:80/", "example.com:80"),
            ("WSS://Example.com:8443/", "Example.com:8443"),
            ("http://example.com:/", "example.com"),
            ("ws://[2001:db8::1]/", "[2001:db8::1]"),
            ("ws://[::1]:9001/", "[::1]:9001"),
            ("ws://127.0.0.1:09001/", "127.0.0.1:9001"),
        ] {
            assert_eq!(host(&uri.parse().unwrap()).unwrap(), expected, "{uri}");
        }
    }

    #[test]
    fn a_uri_without_a_place_to_connect_to_is_refused() {
        for uri in [
            "/chat",
            "example.com",
            "example.com:80",
            "ftp://example.com/",
            "ws://user:secret@example.com/",
            "ws://example.com:99999/",
            "*",
        ] {
            assert_eq!(host(&uri.parse().unwrap()), None, "{uri}");
        }
    }
}
