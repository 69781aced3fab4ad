//! What a client asked for, and whether a response answers it ([RFC 6455 §4.1]): the client's side as a pure function.
//!
//! [RFC 6455 §4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1

use super::key::{AcceptKey, Key};
use super::list::{Occurrence, elements, has_token, occurrence};
use super::{HandshakeError, Subprotocol};
use crate::extension::{self, ResponseFault};
use crate::{Config, Negotiated, Role};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, Version};

/// The part of an opening request that its response is held against.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    accept: AcceptKey,
    subprotocols: Vec<Subprotocol>,
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::DeflateConfig>,
}

impl Offer {
    /// Makes an offer with a new nonce, and appends the headers that say so.
    pub(super) fn new(subprotocols: Vec<Subprotocol>, config: &Config, headers: &mut HeaderMap) -> Self {
        let key = Key::generate(config.entropy());
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_KEY, key.to_header_value());
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        if !subprotocols.is_empty() {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, Subprotocol::write_list(&subprotocols));
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = config.deflate() {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, deflate.offer());
        }
        Self {
            accept: key.accept(),
            subprotocols,
            #[cfg(feature = "deflate")]
            deflate: config.deflate().cloned(),
        }
    }

    /// Holds a response with status 101 against the offer, in the order of §4.1.
    pub(super) fn confirm(&self, response: &Response<()>) -> Result<Negotiated, HandshakeError> {
        if response.version() != Version::HTTP_11 {
            return Err(HandshakeError::UnsupportedHttpVersion);
        }
        let headers = response.headers();
        // §4.1 compares the whole value: another protocol beside `websocket` would change the meaning of the bytes
        // that follow.
        let mut upgrades = elements(headers.get_all(UPGRADE));
        match (upgrades.next(), upgrades.next()) {
            (Some(protocol), None) if protocol.eq_ignore_ascii_case(b"websocket") => {}
            _ => return Err(HandshakeError::ResponseWithoutUpgrade),
        }
        if !has_token(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::ResponseWithoutConnectionUpgrade);
        }
        match occurrence(headers, SEC_WEBSOCKET_ACCEPT) {
            Occurrence::Never => return Err(HandshakeError::MissingAccept),
            Occurrence::Once(accept) if self.accept.matches(accept.as_bytes()) => {}
            Occurrence::Once(_) => return Err(HandshakeError::WrongAccept),
            Occurrence::Repeated => return Err(HandshakeError::RepeatedAccept),
        }
        let negotiated = self.confirm_extensions(headers, Negotiated::new(Role::Client))?;
        match occurrence(headers, SEC_WEBSOCKET_PROTOCOL) {
            Occurrence::Never => Ok(negotiated),
            Occurrence::Once(chosen) => {
                let mut offered = self.subprotocols.iter();
                let chosen = offered.find(|offered| offered.as_str().as_bytes() == chosen.as_bytes());
                Ok(negotiated.with_subprotocol(chosen.ok_or(HandshakeError::SubprotocolNotOffered)?.clone()))
            }
            Occurrence::Repeated => Err(HandshakeError::RepeatedSubprotocolChoice),
        }
    }

    fn confirm_extensions(
        &self,
        headers: &HeaderMap,
        negotiated: Negotiated,
    ) -> Result<Negotiated, ResponseFault> {
        if !headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            return Ok(negotiated);
        }
        let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().map(HeaderValue::as_bytes);
        let accepted = extension::parse(lines).map_err(|extension::Malformed| ResponseFault::Malformed)?;
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.deflate {
            let mut negotiated = negotiated;
            for extension in accepted {
                if extension.name != crate::deflate::DeflateConfig::EXTENSION {
                    return Err(ResponseFault::NotOffered);
                }
                if negotiated.deflate().is_some() {
                    return Err(ResponseFault::Repeated);
                }
                negotiated = negotiated.with_deflate(deflate.confirm(&extension)?);
            }
            return Ok(negotiated);
        }
        let _ = accepted;
        Err(ResponseFault::NotOffered)
    }
}

impl From<ResponseFault> for HandshakeError {
    fn from(fault: ResponseFault) -> Self {
        match fault {
            ResponseFault::Malformed => Self::MalformedExtensions,
            ResponseFault::NotOffered => Self::ExtensionNotOffered,
            ResponseFault::Repeated => Self::RepeatedExtension,
            ResponseFault::InvalidParameter => Self::InvalidDeflateParameter,
            ResponseFault::ParameterNotOffered => Self::DeflateParameterNotOffered,
        }
    }
}
