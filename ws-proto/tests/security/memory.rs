//! Memory by a declared length.

use super::*;

#[test]
fn a_declared_length_of_2_to_the_62_reserves_nothing() {
    for role in ROLES {
        let config =
            ws_testkit::config().max_message_bytes(usize::MAX).max_frame_bytes(usize::MAX).build().unwrap();
        let mut probe = Probe::with(ws_proto::Negotiated::new(role), config);
        probe.receive(bytes_for(role, [RawFrame::binary("begin").length(Length::Declared(1 << 62))]));
        assert!(
            probe.events.is_empty() && probe.connection.recv_buf().is_none(),
            "five bytes deserve no buffer"
        );
        let mut arrived = 5;
        while arrived < 1 << 20 {
            // What is lent is never more than the rule of the capacity allows: max(64 KiB, twice what arrived), all in all.
            let n = match probe.connection.recv_buf() {
                Some(room) => {
                    assert!(
                        arrived + room.len() <= (64 << 10).max(2 * arrived),
                        "{} after {arrived}",
                        room.len()
                    );
                    room.len().min(9_000)
                }
                None => 1_000,
            };
            probe.receive_in(vec![0; n], Feed::Direct, Chunks::of(n));
            arrived += n;
        }
        assert!(probe.events.is_empty(), "{role:?}");
    }
}

#[test]
fn by_default_a_declared_length_of_2_to_the_62_fails_with_1009() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive(bytes_for(role, [RawFrame::binary("").length(Length::Declared(1 << 62))]));
        let failure = probe.connection.failure().cloned().unwrap();
        assert_eq!(failure.close_code().get(), 1009);
        assert_failed(&mut probe, failure);
    }
}

#[test]
fn a_close_frame_is_exactly_its_code_and_reason() {
    let mut probe = Probe::new(Role::Server);
    probe.connection.close(ws_proto::CloseCode::NORMAL, "bye", probe.clock.now()).unwrap();
    assert_eq!(probe.wire(), [0x88, 5, 0x03, 0xE8, b'b', b'y', b'e']);
}
