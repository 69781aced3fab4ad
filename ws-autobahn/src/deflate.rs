//! permessage-deflate ([RFC 7692]) as the suite offers and accepts it, and what undoes it.
//!
//! [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692

use flate2::{Decompress, FlushDecompress, Status};
use std::fmt::Write as _;

/// What one end asks of the other's compressor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) no_context_takeover: bool,
    pub(crate) max_window_bits: Option<u8>,
}

impl Offer {
    pub(crate) const fn new(no_context_takeover: bool, max_window_bits: Option<u8>) -> Self {
        Self { no_context_takeover, max_window_bits }
    }

    /// The offer of a client that asks this of the server, and would itself do whatever the server asks of it.
    pub(crate) fn to_header(self) -> String {
        let mut header =
            String::from("permessage-deflate; client_no_context_takeover; client_max_window_bits");
        if self.no_context_takeover {
            header.push_str("; server_no_context_takeover");
        }
        if let Some(bits) = self.max_window_bits {
            let _ = write!(header, "; server_max_window_bits={bits}");
        }
        header
    }
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    pub(crate) server_window_bits: u8,
    pub(crate) client_window_bits: u8,
}

impl Params {
    /// Reads a server's response. `Ok(None)` where it has no extensions.
    pub(crate) fn from_response(header: &str, offered: bool) -> Result<Option<Self>, String> {
        let mut found = None;
        for extension in extensions(header) {
            if !offered || !extension.name.eq_ignore_ascii_case("permessage-deflate") {
                return Err(format!(
                    "the server chose the extension {:?}, which was not offered",
                    extension.name
                ));
            }
            if found.is_some() {
                return Err("the server chose permessage-deflate twice".to_owned());
            }
            let raw = RawParams::read(&extension)?;
            if raw.client_bits_without_value {
                return Err("client_max_window_bits in a response has no value".to_owned());
            }
            found = Some(Self {
                server_no_context_takeover: raw.server_no_context_takeover,
                client_no_context_takeover: raw.client_no_context_takeover,
                server_window_bits: raw.server_window_bits.unwrap_or(15),
                client_window_bits: raw.client_window_bits.unwrap_or(15),
            });
        }
        Ok(found)
    }

    /// Chooses among a client's offers: the first of `accepts` that one of them allows. Gives the response with it.
    ///
    /// An offer that breaks the rules is an error.
    pub(crate) fn from_offers(header: &str, accepts: &[Offer]) -> Result<Option<(Self, String)>, String> {
        let mut offers = Vec::new();
        for extension in extensions(header) {
            if extension.name.eq_ignore_ascii_case("permessage-deflate") {
                offers.push(RawParams::read(&extension)?);
            }
        }
        for accept in accepts {
            let allowed = |offer: &&RawParams| accept.max_window_bits.is_none() || offer.offers_client_bits();
            if let Some(offer) = offers.iter().find(allowed) {
                return Ok(Some(Self::accept(*accept, offer)));
            }
        }
        Ok(None)
    }

    fn accept(accept: Offer, offer: &RawParams) -> (Self, String) {
        let mut response = String::from("permessage-deflate");
        if offer.server_no_context_takeover {
            response.push_str("; server_no_context_takeover");
        }
        if let Some(bits) = offer.server_window_bits {
            let _ = write!(response, "; server_max_window_bits={bits}");
        }
        if accept.no_context_takeover {
            response.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = accept.max_window_bits {
            let _ = write!(response, "; client_max_window_bits={bits}");
        }
        let params = Self {
            server_no_context_takeover: offer.server_no_context_takeover,
            client_no_context_takeover: accept.no_context_takeover,
            server_window_bits: offer.server_window_bits.unwrap_or(15),
            client_window_bits: accept.max_window_bits.unwrap_or(15),
        };
        (params, response)
    }
}

/// The parameters as they stand in the header.
#[derive(Clone, Debug, Default)]
struct RawParams {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_window_bits: Option<u8>,
    client_window_bits: Option<u8>,
    client_bits_without_value: bool,
}

impl RawParams {
    fn read(extension: &Extension<'_>) -> Result<Self, String> {
        let mut raw = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in &extension.params {
            let name = name.to_ascii_lowercase();
            if seen.contains(&name) {
                return Err(format!("{name} stands twice"));
            }
            match (name.as_str(), value) {
                ("server_no_context_takeover", None) => raw.server_no_context_takeover = true,
                ("client_no_context_takeover", None) => raw.client_no_context_takeover = true,
                ("server_max_window_bits", Some(bits)) => raw.server_window_bits = Some(window_bits(bits)?),
                ("client_max_window_bits", Some(bits)) => raw.client_window_bits = Some(window_bits(bits)?),
                ("client_max_window_bits", None) => raw.client_bits_without_value = true,
                _ => return Err(format!("{name} is unknown, or its value is wrong")),
            }
            seen.push(name);
        }
        Ok(raw)
    }

    const fn offers_client_bits(&self) -> bool {
        self.client_bits_without_value || self.client_window_bits.is_some()
    }
}

fn window_bits(value: &str) -> Result<u8, String> {
    match value.parse() {
        Ok(bits @ 8..=15) => Ok(bits),
        _ => Err(format!("{value:?} is no size of a window")),
    }
}

struct Extension<'a> {
    name: &'a str,
    params: Vec<(&'a str, Option<&'a str>)>,
}

/// The elements of `Sec-WebSocket-Extensions`. Quoted strings are values without commas here: no extension that the suite knows has others.
fn extensions(header: &str) -> impl Iterator<Item = Extension<'_>> {
    header.split(',').map(str::trim).filter(|element| !element.is_empty()).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let params = parts.map(|param| match param.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (param, None),
        });
        Extension { name, params: params.collect() }
    })
}

/// Undoes the compression of what the endpoint sends, no more leniently than was agreed on.
#[derive(Debug)]
pub(crate) struct Inflater {
    raw: Decompress,
    no_context_takeover: bool,
    /// Size of the window in bytes.
    window: usize,
    /// The end of what was sent before, where the window is smaller than the largest: the decompressor itself always keeps 32 KiB.
    history: Vec<u8>,
    /// A message did not end where a block ends. What comes then is no block, and with the smaller windows a reset would hide it.
    derailed: bool,
}

impl Inflater {
    pub(crate) fn new(window_bits: u8, no_context_takeover: bool) -> Self {
        Self {
            raw: Decompress::new_with_window_bits(false, 15),
            no_context_takeover,
            window: 1 << window_bits,
            history: Vec::new(),
            derailed: false,
        }
    }

    /// A message begins.
    pub(crate) fn begin(&mut self) {
        if self.no_context_takeover {
            self.raw.reset(false);
        } else if self.window < LARGEST_WINDOW {
            self.raw.reset(false);
            if !self.history.is_empty() {
                // Cannot fail on a stream that was just reset.
                let _ = self.raw.set_dictionary(&self.history);
            }
        }
    }

    /// Appends what `input` holds to `output`.
    pub(crate) fn inflate(&mut self, mut input: &[u8], output: &mut Vec<u8>) -> Result<(), InflateError> {
        if self.derailed {
            return Err(InflateError);
        }
        loop {
            if output.len() == output.capacity() {
                if output.len() > MAX_MESSAGE {
                    return Err(InflateError);
                }
                output.reserve(output.len().max(8 << 10));
            }
            let (consumed, produced) = (self.raw.total_in(), self.raw.total_out());
            let status =
                self.raw.decompress_vec(input, output, FlushDecompress::Sync).map_err(|_| InflateError)?;
            let consumed = usize::try_from(self.raw.total_in() - consumed).unwrap_or(usize::MAX);
            input = input.get(consumed..).unwrap_or_default();
            let stalled = consumed == 0 && self.raw.total_out() == produced;
            match status {
                // A block with BFINAL ends its stream; what follows begins another (RFC 7692 §7.2.3.4).
                Status::StreamEnd => self.raw.reset(false),
                Status::Ok | Status::BufError if stalled && output.len() < output.capacity() => return Ok(()),
                _ => {}
            }
            if input.is_empty() && output.len() < output.capacity() {
                return Ok(());
            }
        }
    }

    /// The message is over: the bytes that the sender left out (RFC 7692 §7.2.2). `output` is the whole message.
    pub(crate) fn end(&mut self, output: &mut Vec<u8>) -> Result<(), InflateError> {
        self.inflate(&[0x00, 0x00, 0xFF, 0xFF], output)?;
        if !self.no_context_takeover && self.window < LARGEST_WINDOW {
            let new = output.get(output.len().saturating_sub(self.window)..).unwrap_or_default();
            let old = self.history.len().saturating_sub(self.window - new.len());
            self.history.drain(..old);
            self.history.extend_from_slice(new);
            let mut nothing = Vec::with_capacity(16);
            let fitted = self.raw.decompress_vec(&EMPTY_BLOCK, &mut nothing, FlushDecompress::Sync);
            self.derailed = fitted.is_err() || !nothing.is_empty();
        }
        Ok(())
    }
}

/// What came cannot be decompressed within what was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InflateError;

/// A stored block of no bytes, as it is where a byte begins.
const EMPTY_BLOCK: [u8; 5] = [0x00, 0x00, 0x00, 0xFF, 0xFF];
const LARGEST_WINDOW: usize = 32 << 10;
/// Longer messages than any case sends are not collected.
const MAX_MESSAGE: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_written_and_read_again() {
        let header = Offer::new(true, Some(9)).to_header();
        assert_eq!(
            header,
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; \
             server_no_context_takeover; server_max_window_bits=9"
        );
        let (params, response) =
            Params::from_offers(&header, &[Offer::new(true, Some(10))]).unwrap().unwrap();
        assert_eq!(
            response,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; \
             client_no_context_takeover; client_max_window_bits=10"
        );
        assert_eq!(Params::from_response(&response, true), Ok(Some(params)));
    }

    #[test]
    fn the_first_acceptance_that_an_offer_allows_is_taken() {
        let accepts = [Offer::new(true, Some(9)), Offer::new(true, None), Offer::default()];
        let (params, _) = Params::from_offers("permessage-deflate", &accepts).unwrap().unwrap();
        assert_eq!((params.client_no_context_takeover, params.client_window_bits), (true, 15));
        assert_eq!(Params::from_offers("x-other", &accepts), Ok(None));
        assert_eq!(Params::from_offers("permessage-deflate", &[Offer::new(false, Some(9))]), Ok(None));
        assert!(Params::from_offers("permessage-deflate; server_max_window_bits=7", &accepts).is_err());
    }

    #[test]
    fn a_response_to_no_offer_or_with_wrong_parameters_is_refused() {
        assert_eq!(Params::from_response("", false), Ok(None));
        for wrong in [
            "x-other",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate, permessage-deflate",
        ] {
            assert!(Params::from_response(wrong, true).is_err(), "{wrong}");
        }
        assert!(Params::from_response("permessage-deflate", false).is_err());
    }

    #[test]
    fn an_end_that_was_not_cut_off_derails_what_follows() {
        let mut compressor = flate2::Compress::new(flate2::Compression::best(), false);
        let mut message = |data: &[u8]| {
            let mut message = Vec::with_capacity(4096);
            compressor.compress_vec(data, &mut message, flate2::FlushCompress::Sync).unwrap();
            message
        };
        let messages = [message(b"Hello, world!"), message(b"Hello, again!")];
        for (bits, cut, second) in
            [(9, 4, Ok(())), (15, 4, Ok(())), (9, 0, Err(InflateError)), (15, 0, Err(InflateError))]
        {
            let mut inflater = Inflater::new(bits, false);
            let results = messages.each_ref().map(|message| {
                let mut output = Vec::new();
                inflater.begin();
                inflater.inflate(&message[..message.len() - cut], &mut output)?;
                inflater.end(&mut output)
            });
            assert_eq!(results, [Ok(()), second], "{bits} bits, {cut} bytes cut off");
        }
    }

    #[test]
    fn a_distance_beyond_the_window_is_an_error() {
        // No sequence of bytes occurs twice in it.
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let data: Vec<u8> = (0..700).map(|_| random()).collect();
        let mut compressor = flate2::Compress::new(flate2::Compression::best(), false);
        let mut messages = [(); 2].map(|()| {
            let mut message = Vec::with_capacity(4096);
            compressor.compress_vec(&data, &mut message, flate2::FlushCompress::Sync).unwrap();
            message
        });
        for message in &mut messages {
            message.truncate(message.len() - 4);
        }
        let inflate = |bits, reset| {
            let mut inflater = Inflater::new(bits, reset);
            messages.each_ref().map(|message| {
                let mut output = Vec::new();
                inflater.begin();
                inflater.inflate(message, &mut output)?;
                inflater.end(&mut output)
            })
        };
        assert_eq!(inflate(15, false), [Ok(()), Ok(())]);
        assert_eq!(inflate(9, false), [Ok(()), Err(InflateError)], "the window is too small");
        assert_eq!(inflate(15, true), [Ok(()), Err(InflateError)], "the context is gone");
    }
}
