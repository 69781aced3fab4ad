//! Text that is not UTF-8 (§8.1).

use super::*;

#[test]
fn invalid_utf8_at_the_end_of_a_message_fails_with_1007() {
    both_roles_fail([RawFrame::text(b"abc\xE2\x82")], ProtocolError::InvalidUtf8);
    let fragments = [RawFrame::text(b"abc\xE2").unfinished(), RawFrame::continuation(b"\x82")];
    both_roles_fail(fragments, ProtocolError::InvalidUtf8);
    let fragments = [RawFrame::text(b"abc\xE2").unfinished(), RawFrame::continuation("")];
    both_roles_fail(fragments, ProtocolError::InvalidUtf8);
}

#[test]
fn invalid_utf8_inside_an_unfinished_frame_fails_with_1007_at_once() {
    for role in ROLES {
        let frame = RawFrame::text([b"abc\xED\xA0".as_slice(), &[b'x'; 1000]].concat());
        let bytes = bytes_for(role, [frame]);
        let head = bytes.len() - 1005;
        let mut probe = Probe::new(role);
        probe.receive(&bytes[..head + 4]);
        assert!(probe.events.is_empty(), "{role:?}: 0xED alone may become a character");
        probe.receive(&bytes[head + 4..head + 5]);
        assert_failed(&mut probe, ProtocolError::InvalidUtf8);
    }
}

#[test]
fn invalid_utf8_read_straight_into_the_message_fails_with_1007_at_once() {
    for role in ROLES {
        let mut payload = vec![b'x'; 200_000];
        payload[150_000] = 0xFF;
        let bytes = bytes_for(role, [RawFrame::text(payload)]);
        let mut probe = Probe::new(role);
        probe.receive_in(&bytes[..160_000], Feed::Direct, Chunks::of(20_000));
        assert_failed(&mut probe, ProtocolError::InvalidUtf8);
    }
}
