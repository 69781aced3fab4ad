//! The header of a frame, by itself and in pieces.

use crate::raw::{self, Fault};
use ws_proto::frame::{Decoder, Header, MaskingKey, is_complete};

/// The first header in `data`: the parser, the strict reader of this crate and the decoder in pieces agree, no prefix is judged otherwise
/// than the whole, and what was read is written back as the same bytes.
///
/// # Panics
/// Where one of these does not hold.
pub fn frame_header(data: &[u8]) {
    let whole = Header::decode(data);
    let judged = raw::read(data);
    match &whole {
        Ok(Some((header, len))) => {
            let (front, rest) = data.split_at(*len);
            assert_eq!(header.encode().as_slice(), front, "what was read is written back");
            assert!(*len <= Header::MAX_BYTES && header.payload_len >> 63 == 0);
            let complete = rest.len() as u64 >= header.payload_len;
            assert_eq!(is_complete(data), complete);
            match judged {
                Ok((frame, behind)) => {
                    assert!(complete);
                    assert_eq!((frame.payload.len() as u64, frame.fin), (header.payload_len, header.fin));
                    assert_eq!((frame.opcode, frame.rsv), (header.opcode.number(), header.reserved_bits()));
                    assert_eq!(frame.mask, header.masking_key.map(MaskingKey::bytes));
                    assert_eq!(behind.len() as u64, rest.len() as u64 - header.payload_len);
                }
                Err(fault) => assert!(!complete && matches!(fault, Fault::Truncated | Fault::Length)),
            }
        }
        Ok(None) => {
            assert!(data.len() < Header::MAX_BYTES && !is_complete(data));
            assert_eq!(judged, Err(Fault::Truncated));
        }
        Err(_) => {
            assert!(judged.is_err() && is_complete(data));
        }
    }
    for cut in 0..data.len().min(Header::MAX_BYTES) {
        let prefix = Header::decode(data.get(..cut).unwrap_or_default());
        assert!(prefix == Ok(None) || prefix == whole, "a prefix is judged otherwise");
        let mut bytes = data.to_vec();
        let (mut front, mut back) = bytes.split_at_mut(cut);
        let mut decoder = Decoder::new();
        let pieces = match decoder.decode(&mut front) {
            Ok(None) => decoder.decode(&mut back),
            told => told,
        };
        match (&whole, pieces) {
            (Ok(Some((header, _))), Ok(Some(found))) => assert_eq!(*header, found),
            (Ok(None), Ok(None)) => {}
            (Err(fault), Err(found)) => assert_eq!(*fault, found),
            (whole, pieces) => panic!("cut at {cut}: {pieces:?} is not {whole:?}"),
        }
    }
}
