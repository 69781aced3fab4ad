//! Who masks (§5.1, §5.3).

use super::*;

#[test]
fn server_fails_an_unmasked_client_frame_with_1002() {
    for frame in [RawFrame::text("hi"), RawFrame::binary(""), RawFrame::ping(""), RawFrame::close(1000, "")] {
        let mut probe = Probe::new(Role::Server);
        probe.receive(frame.to_bytes());
        assert_failed(&mut probe, ProtocolError::UnmaskedClientFrame);
    }
}

#[test]
fn client_fails_a_masked_server_frame_with_1002() {
    for frame in [RawFrame::text("hi"), RawFrame::binary(""), RawFrame::ping(""), RawFrame::close(1000, "")] {
        let mut probe = Probe::new(Role::Client);
        probe.receive(frame.masked([1, 2, 3, 4]).to_bytes());
        assert_failed(&mut probe, ProtocolError::MaskedServerFrame);
    }
}

#[test]
fn an_unmasked_frame_is_refused_before_any_of_its_payload_is_told() {
    let mut probe = Probe::new(Role::Server);
    probe.receive(&RawFrame::text("a payload").to_bytes()[..2]);
    assert_failed(&mut probe, ProtocolError::UnmaskedClientFrame);
}

#[test]
fn a_key_of_zeros_is_a_mask() {
    let mut probe = Probe::new(Role::Server);
    probe.receive(RawFrame::text("plain").masked([0; 4]).to_bytes());
    assert_eq!(probe.events, [Observed::from("plain")]);
}
