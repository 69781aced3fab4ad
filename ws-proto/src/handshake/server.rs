//! The server's opening handshake ([RFC 6455 §4.2]), from the first byte to the last of the response.
//!
//! [RFC 6455 §4.2]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2

use super::head::{HeadReader, StartLine, parse_request, write_response};
use super::upgrade::{Terms, is_plain};
use super::{Acceptance, HandshakeError, Upgrade};
use crate::{ApiMisuse, Config, Negotiated, Transmit, Transport};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Instant;

/// The opening handshake of a server on one connection. It answers faults by itself; whether a good request is
/// accepted is up to you.
///
/// After a refusal, ours or yours, the write side is shut down once the response is written, and what the client
/// still sends is discarded until it ends or `close_timeout` is over: closing at once could make the kernel reset the
/// connection before the client has read the response (RFC 9112 §9.6).
#[derive(Debug)]
pub struct ServerHandshake {
    config: Arc<Config>,
    tells_plain_requests: bool,
    state: State,
    transmit: Transmit,
}

/// What a [`ServerHandshake`] has to tell. Each handshake tells one of these at most once.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerHandshakeEvent {
    /// A request for WebSocket came in. [`accept`](ServerHandshake::accept) or [`reject`](ServerHandshake::reject)
    /// it, whenever you like.
    Request(Upgrade),
    /// A plain request came in, GET or HEAD without a body, and [`tell_plain_requests`](ServerHandshake::tell_plain_requests) was asked
    /// for. [`reject`](ServerHandshake::reject) answers it; [`HandshakeError::MissingUpgrade`] has the response for those that you do not
    /// know.
    PlainRequest(Request<()>),
    /// The handshake failed. The response is queued already, where one can be of use.
    Failed(HandshakeError),
}

#[derive(Debug)]
enum State {
    /// `deadline` is none where the timeout is too long for the clock.
    Reading {
        head: HeadReader,
        deadline: Option<Instant>,
    },
    /// The event was given; the application decides in its own time.
    /// There are no terms for a plain request, which cannot be accepted.
    Deciding {
        terms: Option<Terms>,
        answer_has_body: bool,
        peer_ended: bool,
    },
    Accepted(Negotiated),
    /// A response that ends the exchange is queued or written. While it `lingers`, the client has not ended its side yet.
    Refusing {
        unreported: Option<HandshakeError>,
        deadline: Option<Instant>,
        lingers: bool,
    },
}

impl ServerHandshake {
    /// Waits for a request, from `now` on. Then read and hand over bytes, and arm a timer for
    /// [`poll_timeout`](Self::poll_timeout).
    pub fn new(config: impl Into<Arc<Config>>, now: Instant) -> Self {
        let config = config.into();
        let head = HeadReader::new(StartLine::Request, config.max_head_bytes(), config.max_headers());
        let deadline = now.checked_add(config.handshake_timeout());
        Self {
            config,
            tells_plain_requests: false,
            state: State::Reading { head, deadline },
            transmit: Transmit::default(),
        }
    }

    /// Tells plain requests as [`ServerHandshakeEvent::PlainRequest`], so that a health check or a page can be answered on the same port.
    /// Default: they are answered with 426, and told as a failure.
    #[must_use]
    pub const fn tell_plain_requests(mut self) -> Self {
        self.tells_plain_requests = true;
        self
    }

    /// Takes bytes off the front of `input` and tells what happened, if anything did. Bytes behind the head of a
    /// request stay in `input`, and this takes none from then on: they are the connection's. After a failure all
    /// bytes are taken and dropped.
    ///
    /// Then write what [`transmit`](Self::transmit) holds and obey [`transport`](Self::transport).
    pub fn poll_event(&mut self, input: &mut &[u8], now: Instant) -> Option<ServerHandshakeEvent> {
        match &mut self.state {
            State::Reading { head, .. } => {
                let head = match head.read(input) {
                    Ok(head) => head?,
                    Err(error) => return Some(self.refuse(error, true, input, now)),
                };
                let request = match parse_request(head) {
                    Ok(request) => request,
                    Err(error) => return Some(self.refuse(error, true, input, now)),
                };
                match Terms::of(&request, &self.config) {
                    Ok(terms) => {
                        let terms_for_us = Some(terms.clone());
                        self.state =
                            State::Deciding { terms: terms_for_us, answer_has_body: true, peer_ended: false };
                        Some(ServerHandshakeEvent::Request(Upgrade::new(request, terms)))
                    }
                    Err(_) if self.tells_plain_requests && is_plain(&request) => {
                        let answer_has_body = request.method() != Method::HEAD;
                        self.state = State::Deciding { terms: None, answer_has_body, peer_ended: false };
                        Some(ServerHandshakeEvent::PlainRequest(request))
                    }
                    // RFC 9110 §9.3.2: the answer to HEAD has no body.
                    Err(error) => Some(self.refuse(error, request.method() != Method::HEAD, input, now)),
                }
            }
            State::Deciding { .. } | State::Accepted(_) => None,
            State::Refusing { unreported, .. } => {
                *input = &[];
                unreported.take().map(ServerHandshakeEvent::Failed)
            }
        }
    }

    /// The client ended its side. In the middle of a request that is a failure, which
    /// [`poll_event`](Self::poll_event) tells next; behind one it is not: the answer can still be sent. Tell the
    /// connection that follows as well. Then go on as after a read.
    pub fn handle_eof(&mut self, now: Instant) {
        match &mut self.state {
            State::Reading { head, .. } => {
                // To whoever connects and leaves without a word, as health checks do, nothing is said.
                if head.has_begun() {
                    self.queue_error(&HandshakeError::EndOfStream, true);
                }
                self.state = self.refusing(Some(HandshakeError::EndOfStream), false, now);
            }
            State::Deciding { peer_ended, .. } => *peer_ended = true,
            State::Refusing { lingers, .. } => *lingers = false,
            State::Accepted(_) => {}
        }
    }

    /// The timer fired. When the request was not whole by its deadline, 408 is queued and
    /// [`poll_event`](Self::poll_event) tells so next. When the client did not end its side in time after a refusal,
    /// it is time to close. Then go on as after a read. Early calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.state {
            State::Reading { .. } => {
                self.queue_error(&HandshakeError::Timeout, true);
                self.state = self.refusing(Some(HandshakeError::Timeout), true, now);
            }
            State::Refusing { deadline, lingers, .. } => {
                *deadline = None;
                *lingers = false;
                self.transmit = Transmit::default();
            }
            State::Deciding { .. } | State::Accepted(_) => {}
        }
    }

    /// Accepts the request: queues the 101. Then write what [`transmit`](Self::transmit) holds, and
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`ApiMisuse::HandshakeNotWaiting`] where no request for WebSocket waits; the others as [`Upgrade::accept`]. After an error
    /// the request still waits for its answer.
    pub fn accept(&mut self, acceptance: Acceptance) -> Result<(), ApiMisuse> {
        let State::Deciding { terms: Some(terms), .. } = &self.state else {
            return Err(ApiMisuse::HandshakeNotWaiting);
        };
        let (response, negotiated) = terms.accept(acceptance)?;
        self.queue(&response, &[]);
        self.state = State::Accepted(negotiated);
        Ok(())
    }

    /// Answers the request with any other response: queues it with `Content-Length` and `Connection: close`, which
    /// replace yours. Then write what [`transmit`](Self::transmit) holds and obey [`transport`](Self::transport).
    ///
    /// # Errors
    /// [`ApiMisuse::HandshakeNotWaiting`] where no request waits, [`ApiMisuse::UnusableStatus`] for a status below
    /// 200, and [`ApiMisuse::ReservedHeader`] for `Transfer-Encoding`. After an error the request still waits for its
    /// answer.
    pub fn reject(&mut self, mut response: Response<Bytes>, now: Instant) -> Result<(), ApiMisuse> {
        let State::Deciding { peer_ended, answer_has_body, .. } = self.state else {
            return Err(ApiMisuse::HandshakeNotWaiting);
        };
        let status = response.status();
        if status.is_informational() {
            return Err(ApiMisuse::UnusableStatus);
        }
        let len = HeaderValue::from(response.body().len());
        let headers = response.headers_mut();
        if headers.contains_key(TRANSFER_ENCODING) {
            return Err(ApiMisuse::ReservedHeader);
        }
        let closes = if headers.contains_key(UPGRADE) { "Upgrade, close" } else { "close" };
        headers.insert(CONNECTION, HeaderValue::from_static(closes));
        // RFC 9110 §8.6, §15.4.5: these two have no body, and nothing to say about its length.
        if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
            headers.remove(CONTENT_LENGTH);
            self.queue(&response, &[]);
        } else {
            headers.insert(CONTENT_LENGTH, len);
            self.queue(&response, if answer_has_body { response.body() } else { &[] });
        }
        self.state = self.refusing(None, !peer_ended, now);
        Ok(())
    }

    /// The bytes to write, in order. Write and advance it until it is empty; then look at
    /// [`transport`](Self::transport) again.
    pub const fn transmit(&mut self) -> &mut Transmit {
        &mut self.transmit
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); ask again after each other call. The time that the
    /// application takes to decide is not measured.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Reading { deadline, .. } | State::Refusing { deadline, .. } => deadline,
            State::Deciding { .. } | State::Accepted(_) => None,
        }
    }

    /// What to do with the transport once [`transmit`](Self::transmit) is empty: after a refusal shut down the write
    /// side and go on reading until this says [`Transport::Close`]; else keep it open.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self.state {
            _ if !self.transmit.is_empty() => Transport::KeepOpen,
            State::Reading { .. } | State::Deciding { .. } | State::Accepted(_) => Transport::KeepOpen,
            State::Refusing { lingers: true, .. } => Transport::ShutdownWrite,
            State::Refusing { lingers: false, .. } => Transport::Close,
        }
    }

    /// What was agreed on, after [`accept`](Self::accept); `None` at any other time. Have everything in
    /// [`transmit`](Self::transmit) written before: what is left in it is lost.
    #[must_use]
    pub fn finish(self) -> Option<Negotiated> {
        match self.state {
            State::Accepted(negotiated) => Some(negotiated),
            State::Reading { .. } | State::Deciding { .. } | State::Refusing { .. } => None,
        }
    }

    fn refuse(
        &mut self,
        error: HandshakeError,
        with_body: bool,
        input: &mut &[u8],
        now: Instant,
    ) -> ServerHandshakeEvent {
        self.queue_error(&error, with_body);
        self.state = self.refusing(None, true, now);
        *input = &[];
        ServerHandshakeEvent::Failed(error)
    }

    fn refusing(&self, unreported: Option<HandshakeError>, lingers: bool, now: Instant) -> State {
        State::Refusing { unreported, deadline: now.checked_add(self.config.close_timeout()), lingers }
    }

    fn queue_error(&mut self, error: &HandshakeError, with_body: bool) {
        if let Some(response) = error.response() {
            self.queue(&response, if with_body { response.body() } else { &[] });
        }
    }

    fn queue<T>(&mut self, response: &Response<T>, body: &[u8]) {
        self.transmit.append(|wire| {
            write_response(response, wire);
            wire.extend_from_slice(body);
        });
    }
}
