//! The server's side of the opening handshake as two pure functions ([RFC 6455 §4.2]): is this request one for
//! WebSocket, and what answers it.
//!
//! The order of the checks decides which fault is told where there are several: the HTTP message, then the upgrade,
//! then WebSocket.
//!
//! Which status answers a fault of the upgrade: 426 tells a client that did not ask for WebSocket that it has to (RFC
//! 9110 §15.5.22), and one that asked for another version, or none, which one there is (RFC 6455 §4.4). A client that
//! did ask, and did it wrong, gets 400 (§4.2.1).
//!
//! [RFC 6455 §4.2]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2

use super::key::{AcceptKey, Key};
use super::list::{Occurrence, has_token, occurrence};
use super::reserved::is_reserved;
use super::{Acceptance, HandshakeError, Subprotocol};
use crate::{ApiMisuse, Config, Negotiated, Role, extension};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use std::sync::Arc;

/// A request that asks for WebSocket as [RFC 6455 §4.2.1] wants it, and what we could agree to.
///
/// [RFC 6455 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
#[derive(Clone, Debug)]
pub struct Upgrade {
    request: Request<()>,
    terms: Terms,
}

/// All that the answer depends on, without the request.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    accept: AcceptKey,
    subprotocols: Arc<[Subprotocol]>,
    /// The offer that will be accepted, and the header that says so.
    #[cfg(feature = "deflate")]
    deflate: Option<(crate::deflate::DeflateParams, HeaderValue)>,
}

impl Upgrade {
    /// Checks a request that was read elsewhere, by an HTTP library for example. Its method, URI and headers are
    /// copied; its body and its extensions are not looked at.
    ///
    /// So far only HTTP/1.1 can be upgraded. The extended CONNECT of HTTP/2 (RFC 8441 §5) has the same headers but
    /// for the ones of the upgrade itself.
    ///
    /// # Errors
    /// [`HandshakeError`] names the first rule that is broken; its [`response`](HandshakeError::response) is what to
    /// answer.
    pub fn from_request<T>(request: &Request<T>, config: &Config) -> Result<Self, HandshakeError> {
        let terms = Terms::of(request, config)?;
        let mut copy = Request::new(());
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        *copy.version_mut() = request.version();
        copy.headers_mut().clone_from(request.headers());
        Ok(Self { request: copy, terms })
    }

    /// For a request that is ours already, and was checked.
    pub(super) const fn new(request: Request<()>, terms: Terms) -> Self {
        Self { request, terms }
    }

    /// The request: path, query and all its headers.
    #[must_use]
    pub const fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Gives the request away, where it is to outlive this.
    #[must_use]
    pub fn into_request(self) -> Request<()> {
        self.request
    }

    /// The subprotocols that the client offers, in its order of preference; none where it offers none.
    #[must_use]
    pub fn subprotocols(&self) -> &[Subprotocol] {
        &self.terms.subprotocols
    }

    /// The response that accepts, status 101, and what is agreed on by it. permessage-deflate is accepted where the
    /// client offers it in a way that the config allows.
    ///
    /// # Errors
    /// [`ApiMisuse::SubprotocolNotOffered`] where a subprotocol is chosen that the client did not offer,
    /// [`ApiMisuse::ReservedHeader`] where a header is added that the handshake sets itself.
    pub fn accept(&self, acceptance: Acceptance) -> Result<(Response<()>, Negotiated), ApiMisuse> {
        self.terms.accept(acceptance)
    }
}

impl Terms {
    pub(super) fn of<T>(request: &Request<T>, config: &Config) -> Result<Self, HandshakeError> {
        let headers = request.headers();
        check_message(request)?;
        check_host(request.uri(), headers)?;
        check_upgrade(headers)?;
        check_version(headers)?;
        let key = match occurrence(headers, SEC_WEBSOCKET_KEY) {
            Occurrence::Never => return Err(HandshakeError::MissingKey),
            Occurrence::Once(key) => Key::parse(key.as_bytes()).ok_or(HandshakeError::MalformedKey)?,
            Occurrence::Repeated => return Err(HandshakeError::RepeatedKey),
        };
        let subprotocols = Subprotocol::parse_offer(headers.get_all(SEC_WEBSOCKET_PROTOCOL))?;
        let offers = if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().map(HeaderValue::as_bytes);
            extension::parse(lines).map_err(|extension::Malformed| HandshakeError::MalformedExtensions)?
        } else {
            Vec::new()
        };
        #[cfg(not(feature = "deflate"))]
        let _ = (offers, config);
        Ok(Self {
            accept: key.accept(),
            subprotocols: subprotocols.into(),
            #[cfg(feature = "deflate")]
            deflate: config.deflate().and_then(|config| config.accept(&offers)),
        })
    }

    pub(super) fn accept(&self, acceptance: Acceptance) -> Result<(Response<()>, Negotiated), ApiMisuse> {
        let mut negotiated = Negotiated::new(Role::Server);
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.to_header_value());
        if let Some(subprotocol) = acceptance.subprotocol {
            if !self.subprotocols.contains(&subprotocol) {
                return Err(ApiMisuse::SubprotocolNotOffered);
            }
            headers
                .insert(SEC_WEBSOCKET_PROTOCOL, Subprotocol::write_list(std::slice::from_ref(&subprotocol)));
            negotiated = negotiated.with_subprotocol(subprotocol);
        }
        #[cfg(feature = "deflate")]
        if let Some((params, answer)) = &self.deflate {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, answer.clone());
            negotiated = negotiated.with_deflate(*params);
        }
        for (name, value) in acceptance.headers {
            if is_reserved(&name) {
                return Err(ApiMisuse::ReservedHeader);
            }
            // Fails beyond 32,768 names only, of which the handshake needs some for itself.
            headers.try_append(name, value).map_err(|_| ApiMisuse::ReservedHeader)?;
        }
        Ok((response, negotiated))
    }
}

/// The HTTP message itself: version, method, no body.
fn check_message<T>(request: &Request<T>) -> Result<(), HandshakeError> {
    if request.version() != Version::HTTP_11 {
        return Err(HandshakeError::UnsupportedHttpVersion);
    }
    if request.method() != Method::GET {
        return Err(HandshakeError::MethodNotGet);
    }
    if has_body(request.headers()) {
        return Err(HandshakeError::RequestWithBody);
    }
    Ok(())
}

/// Is it a good request for something else than an upgrade, which has no body?
pub(super) fn is_plain(request: &Request<()>) -> bool {
    let is_head = request.method() == Method::HEAD;
    let message = match check_message(request) {
        // A body is looked for behind the method.
        Err(HandshakeError::MethodNotGet) if is_head => !has_body(request.headers()),
        checked => checked.is_ok(),
    };
    message
        && check_host(request.uri(), request.headers()).is_ok()
        && !has_token(request.headers(), UPGRADE, "websocket")
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_LENGTH).iter().any(|len| len != "0") || headers.contains_key(TRANSFER_ENCODING)
}

/// The target and the host (RFC 9112 §3.2). An absolute target needs a `Host` as well, which then means nothing.
fn check_host(target: &Uri, headers: &HeaderMap) -> Result<(), HandshakeError> {
    let is_absolute =
        target.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    let is_path = target.scheme().is_none() && target.authority().is_none();
    if !(is_absolute || is_path)
        || target.authority().is_some_and(has_userinfo)
        || !target.path().starts_with('/')
    {
        return Err(HandshakeError::MalformedRequestTarget);
    }
    match occurrence(headers, HOST) {
        Occurrence::Never => Err(HandshakeError::MissingHost),
        Occurrence::Once(host) => match Authority::try_from(host.as_bytes()) {
            Ok(host) if !host.host().is_empty() && !has_userinfo(&host) => Ok(()),
            Ok(_) | Err(_) => Err(HandshakeError::MalformedHost),
        },
        Occurrence::Repeated => Err(HandshakeError::RepeatedHost),
    }
}

fn has_userinfo(authority: &Authority) -> bool {
    authority.as_str().contains('@')
}

fn check_upgrade(headers: &HeaderMap) -> Result<(), HandshakeError> {
    if !has_token(headers, UPGRADE, "websocket") {
        return Err(HandshakeError::MissingUpgrade);
    }
    if !has_token(headers, CONNECTION, "upgrade") {
        return Err(HandshakeError::MissingConnectionUpgrade);
    }
    Ok(())
}

fn check_version(headers: &HeaderMap) -> Result<(), HandshakeError> {
    match occurrence(headers, SEC_WEBSOCKET_VERSION) {
        Occurrence::Never => Err(HandshakeError::MissingVersion),
        Occurrence::Once(version) if version == "13" => Ok(()),
        Occurrence::Once(_) => Err(HandshakeError::UnsupportedVersion),
        Occurrence::Repeated => Err(HandshakeError::RepeatedVersion),
    }
}
