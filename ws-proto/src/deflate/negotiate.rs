//! The negotiation of permessage-deflate ([RFC 7692 §5, §7.1]) as functions of what stands in
//! `Sec-WebSocket-Extensions` and of our settings.
//!
//! | | a client of ours | a server of ours |
//! |---|---|---|
//! | `server_no_context_takeover` | asked for when set; then the answer must have it | answered unless set to false, or when asked for |
//! | `client_no_context_takeover` | hinted when set, and kept whatever the answer is | answered unless set to false, or when hinted |
//! | `server_max_window_bits` | demanded when set below 15, then to be kept to | the smaller of both, answered when demanded or below 15 |
//! | `client_max_window_bits` | offered, with a value when set below 15 | the smaller of both, answered when offered and below 15 |
//!
//! [RFC 7692 §5, §7.1]: https://www.rfc-editor.org/rfc/rfc7692#section-7.1

use super::{DeflateConfig, DeflateParams, WindowBits};
use crate::extension::{Extension, Param, ResponseFault};
use bytes::Bytes;
use http::HeaderValue;

impl DeflateConfig {
    /// The extension's token (§7).
    pub(crate) const EXTENSION: &[u8] = b"permessage-deflate";

    /// The server's decision: the first offer that can be accepted (§5.1), with the value of
    /// `Sec-WebSocket-Extensions` that says so. `None` goes on without compression.
    pub(crate) fn accept(&self, offers: &[Extension<'_>]) -> Option<(DeflateParams, HeaderValue)> {
        let mut offers = offers.iter().filter(|offer| offer.name == Self::EXTENSION);
        let answer = offers.find_map(|offer| answer(&Params::read(&offer.params)?, self))?;
        Some((answer.settled(), answer.write()))
    }

    /// The client's offer: the value of `Sec-WebSocket-Extensions` in the request.
    pub(crate) fn offer(&self) -> HeaderValue {
        Params {
            server_no_context_takeover: self.server_no_context_takeover == Some(true),
            client_no_context_takeover: self.client_no_context_takeover == Some(true),
            server_max_window_bits: demanded(self),
            client_max_window_bits: Some(below_max(self.client_max_window_bits)),
        }
        .write()
    }

    /// The client's check of the response to [`offer`](Self::offer).
    pub(crate) fn confirm(&self, response: &Extension<'_>) -> Result<DeflateParams, ResponseFault> {
        let response = Params::read(&response.params).ok_or(ResponseFault::InvalidParameter)?;
        // §7.1.1.1, §7.1.2.1: a server accepts these two by repeating them; else it would have had to decline the offer.
        if self.server_no_context_takeover == Some(true) && !response.server_no_context_takeover {
            return Err(ResponseFault::ParameterNotOffered);
        }
        if demanded(self).is_some_and(|most| response.server_max_window_bits.is_none_or(|bits| bits > most)) {
            return Err(ResponseFault::ParameterNotOffered);
        }
        match response.client_max_window_bits {
            // §7.1.2.2: the value is optional in offers only.
            Some(None) => return Err(ResponseFault::InvalidParameter),
            Some(Some(bits)) if bits > self.client_max_window_bits => {
                return Err(ResponseFault::ParameterNotOffered);
            }
            None | Some(Some(_)) => {}
        }
        let settled = response.settled();
        // §7.1.1.2, §7.1.2.2: what we hinted for our own side holds even where the response says nothing of it.
        Ok(DeflateParams {
            client_no_context_takeover: settled.client_no_context_takeover
                || self.client_no_context_takeover == Some(true),
            client_max_window_bits: settled.client_max_window_bits.min(self.client_max_window_bits),
            ..settled
        })
    }
}

/// What a client demands of the server's window; nothing is said where any window will do.
fn demanded(config: &DeflateConfig) -> Option<WindowBits> {
    below_max(config.server_max_window_bits)
}

fn below_max(bits: WindowBits) -> Option<WindowBits> {
    Some(bits).filter(|bits| *bits < WindowBits::MAX)
}

/// The server's answer to one offer; `None` declines it.
fn answer(offer: &Params, config: &DeflateConfig) -> Option<Params> {
    let own = config.server_max_window_bits.max(SMALLEST_TO_SEND);
    let server_max_window_bits = match offer.server_max_window_bits {
        Some(bits) if bits < SMALLEST_TO_SEND => return None,
        Some(bits) => Some(own.min(bits)),
        // §7.1.2.1 allows the answer without the demand.
        None => below_max(own),
    };
    // §7.1.2.2: not to be answered where it was not offered: such a client cannot use a smaller window.
    let client_max_window_bits = offer
        .client_max_window_bits
        .and_then(|bits| below_max(config.client_max_window_bits.min(bits.unwrap_or_default())));
    Some(Params {
        server_no_context_takeover: config.server_no_context_takeover.unwrap_or(true)
            || offer.server_no_context_takeover,
        client_no_context_takeover: config.client_no_context_takeover.unwrap_or(true)
            || offer.client_no_context_takeover,
        server_max_window_bits,
        client_max_window_bits: client_max_window_bits.map(Some),
    })
}

/// The parameters of one element, as they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<WindowBits>,
    /// The inner `None` is the parameter without a value, which only offers may have.
    client_max_window_bits: Option<Option<WindowBits>>,
}

impl Params {
    /// `None` where a parameter is unknown, stands twice or has an invalid value: §7.1 then declines an offer and
    /// fails on a response.
    fn read(params: &[Param<'_>]) -> Option<Self> {
        let mut read = Self::default();
        for Param { name, value } in params {
            let repeated = match (*name, value.as_deref()) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    std::mem::replace(&mut read.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    std::mem::replace(&mut read.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(bits)) => {
                    read.server_max_window_bits.replace(WindowBits::parse(bits)?).is_some()
                }
                (CLIENT_MAX_WINDOW_BITS, None) => read.client_max_window_bits.replace(None).is_some(),
                (CLIENT_MAX_WINDOW_BITS, Some(bits)) => {
                    read.client_max_window_bits.replace(Some(WindowBits::parse(bits)?)).is_some()
                }
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        Some(read)
    }

    /// What they mean as a response: where nothing is said, the window is the largest.
    fn settled(self) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or_default(),
            client_max_window_bits: self.client_max_window_bits.flatten().unwrap_or_default(),
        }
    }

    fn write(self) -> HeaderValue {
        let mut value = DeflateConfig::EXTENSION.to_vec();
        let mut push = |name: &[u8], bits: Option<WindowBits>| {
            value.extend_from_slice(b"; ");
            value.extend_from_slice(name);
            if let Some(bits) = bits {
                value.extend_from_slice(format!("={bits}").as_bytes());
            }
        };
        if self.server_no_context_takeover {
            push(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        if self.client_no_context_takeover {
            push(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }
        if let Some(bits) = self.server_max_window_bits {
            push(SERVER_MAX_WINDOW_BITS, Some(bits));
        }
        if let Some(bits) = self.client_max_window_bits {
            push(CLIENT_MAX_WINDOW_BITS, bits);
        }
        #[expect(clippy::expect_used, reason = "made of the names below and of digits")]
        HeaderValue::from_maybe_shared(Bytes::from(value)).expect("tokens and delimiters are visible ASCII")
    }
}

const SERVER_NO_CONTEXT_TAKEOVER: &[u8] = b"server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &[u8] = b"client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &[u8] = b"server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &[u8] = b"client_max_window_bits";

/// There is no compressor for a raw stream with a window of 8 bits, so an offer that demands one is declined.
const SMALLEST_TO_SEND: WindowBits = match WindowBits::new(9) {
    Some(bits) => bits,
    None => WindowBits::MAX,
};

#[cfg(test)]
mod tests;
