//! Is what an end wrote legal as a whole?

use super::{Fault, RawFrame, read_all};
use ws_proto::Role;

/// The frames of everything that an end of the role `sender` wrote on one connection, keys kept, payloads unmasked.
///
/// # Errors
/// Besides those of [`read_all`] a [`Fault`] where `sender` masks as it must not (§5.1), reserved bits are set that `deflate` does not explain
/// (RFC 7692 §6), fragments are out of order (§5.4), a text that is not compressed is not UTF-8, a Close frame is not as §5.5.1 wants it, or
/// anything stands behind one. A message may be unfinished at the end, and inside a message before the Close frame.
pub fn read_legal(bytes: &[u8], sender: Role, deflate: bool) -> Result<Vec<RawFrame>, Fault> {
    let frames = read_all(bytes)?;
    let mut open: Option<Vec<u8>> = None;
    let mut is_plain_text = false;
    let mut closed = false;
    for frame in &frames {
        if closed {
            return Err(Fault::BehindClose);
        }
        if frame.mask.is_some() != (sender == Role::Client) {
            return Err(Fault::Mask);
        }
        let begins = matches!(frame.opcode, 1 | 2);
        if frame.rsv != 0 && !(deflate && begins && frame.rsv == 4) {
            return Err(Fault::ReservedBits(frame.rsv));
        }
        match frame.opcode {
            0..=2 => {
                if begins == open.is_some() {
                    return Err(Fault::Order);
                }
                if begins {
                    is_plain_text = frame.opcode == 1 && frame.rsv == 0;
                }
                let message = open.get_or_insert_default();
                if is_plain_text {
                    message.extend_from_slice(&frame.payload);
                }
                if frame.fin && open.take().is_some_and(|text| str::from_utf8(&text).is_err()) {
                    return Err(Fault::Utf8);
                }
            }
            8 => {
                closed = true;
                check_close(&frame.payload)?;
            }
            _ => {}
        }
    }
    Ok(frames)
}

/// The payload of a Close frame that may be sent.
fn check_close(payload: &[u8]) -> Result<(), Fault> {
    match payload {
        [] => Ok(()),
        [_] => Err(Fault::CloseCode(None)),
        [high, low, reason @ ..] => match u16::from_be_bytes([*high, *low]) {
            1000..=1003 | 1007..=1014 | 3000..=4999 if str::from_utf8(reason).is_ok() => Ok(()),
            1000..=1003 | 1007..=1014 | 3000..=4999 => Err(Fault::Utf8),
            code => Err(Fault::CloseCode(Some(code))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(frames: &[RawFrame]) -> Result<usize, Fault> {
        let bytes: Vec<u8> = frames.iter().flat_map(RawFrame::to_bytes).collect();
        read_legal(&bytes, Role::Server, true).map(|frames| frames.len())
    }

    #[test]
    fn a_legal_conversation_is_read() {
        let frames = [
            RawFrame::text("a\u{e9}").rsv(4),
            RawFrame::text(b"a\xC3").unfinished(),
            RawFrame::ping(""),
            RawFrame::continuation(b"\xA9"),
            RawFrame::binary([0xFF]).unfinished(),
            RawFrame::close(1000, "bye"),
        ];
        assert_eq!(read(&frames), Ok(6));
    }

    #[test]
    fn each_rule_has_its_fault() {
        let text = || RawFrame::text("a");
        for (frames, fault) in [
            (vec![text().masked([1; 4])], Fault::Mask),
            (vec![text().rsv(2)], Fault::ReservedBits(2)),
            (vec![RawFrame::ping("").rsv(4)], Fault::ReservedBits(4)),
            (vec![text().unfinished(), RawFrame::continuation("").rsv(4)], Fault::ReservedBits(4)),
            (vec![RawFrame::continuation("")], Fault::Order),
            (vec![text().unfinished(), text()], Fault::Order),
            (vec![RawFrame::text([0xFF])], Fault::Utf8),
            (vec![RawFrame::close(1000, [0xFF])], Fault::Utf8),
            (vec![RawFrame::new(8, [3])], Fault::CloseCode(None)),
            (vec![RawFrame::close(1005, "")], Fault::CloseCode(Some(1005))),
            (vec![RawFrame::close_empty(), RawFrame::pong("")], Fault::BehindClose),
        ] {
            assert_eq!(read(&frames), Err(fault), "{frames:?}");
        }
        assert_eq!(read_legal(&text().rsv(4).to_bytes(), Role::Server, false), Err(Fault::ReservedBits(4)));
    }
}
