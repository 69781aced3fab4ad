//! Pieces of messages as they arrive (`Delivery::Streaming`).

use super::*;

fn probe(role: Role) -> Probe {
    let config = config().delivery(Delivery::Streaming).max_message_bytes(1_000).build().unwrap();
    Probe::with(Negotiated::new(role), config)
}

#[test]
fn fragments_and_pieces_of_frames_come_as_they_arrive() {
    for role in ROLES {
        let mut probe = probe(role);
        let bytes = bytes_for(
            role,
            [RawFrame::text("Hello").unfinished(), RawFrame::ping(""), RawFrame::continuation(" World")],
        );
        let mut seen = Vec::new();
        for byte in bytes {
            probe.receive([byte]);
            seen.append(&mut probe.events);
        }
        let pieces: Vec<_> = seen
            .iter()
            .filter_map(|event| match event {
                Observed::Fragment(piece) => Some((piece.payload.len(), piece.first, piece.fin)),
                _ => None,
            })
            .collect();
        let mut expected = vec![(1, false, false); 11];
        (expected[0].1, expected[10].2) = (true, true);
        assert_eq!(pieces, expected);
        assert!(matches!(seen[5], Observed::Ping(_)), "between its fragments");
    }
}

#[test]
fn a_message_that_arrived_whole_is_one_piece_and_an_empty_one_too() {
    let mut probe = probe(Role::Client);
    probe.receive_frames([RawFrame::text("whole"), RawFrame::binary("")]);
    let Some(Observed::Fragment(whole)) = probe.events.first() else { panic!("a piece") };
    assert_eq!(
        (&whole.payload[..], whole.first, whole.fin, whole.kind),
        (&b"whole"[..], true, true, MessageKind::Text)
    );
    let Some(Observed::Fragment(empty)) = probe.events.get(1) else { panic!("a piece") };
    assert_eq!(
        (&empty.payload[..], empty.first, empty.fin, empty.kind),
        (&b""[..], true, true, MessageKind::Binary)
    );
}

#[test]
fn empty_fragments_are_told_only_where_they_end_a_message() {
    let mut probe = probe(Role::Server);
    let frames = [
        RawFrame::text("").unfinished(),
        RawFrame::continuation("a").unfinished(),
        RawFrame::continuation(""),
    ];
    probe.receive_frames(frames);
    assert_eq!(probe.events.len(), 2);
    assert_eq!(put_together(probe.events), [Observed::from("a")]);
}

#[test]
fn a_text_that_becomes_invalid_fails_at_once() {
    let mut probe = probe(Role::Server);
    probe.receive_frames([RawFrame::text(b"good \xED").unfinished()]);
    assert!(matches!(&probe.events[..], [Observed::Fragment(_)]), "it may become right");
    probe.receive_frames([RawFrame::continuation(b"\xA0")]);
    assert_failed(&mut probe, ProtocolError::InvalidUtf8);
}

#[test]
fn the_limit_of_the_message_holds() {
    let mut at_limit = probe(Role::Server);
    at_limit.receive_frames([RawFrame::binary([7; 500]).unfinished(), RawFrame::continuation([7; 500])]);
    assert_eq!(put_together(at_limit.events), [Observed::Message(vec![7; 1_000].into())]);
    let mut above = probe(Role::Server);
    above.receive_frames([RawFrame::binary([7; 500]).unfinished(), RawFrame::continuation([7; 501])]);
    assert_failed(&mut above, LimitError::MessageTooBig { limit: 1_000, actual: 1_001 });
}

#[test]
fn nothing_is_kept_so_there_is_no_memory_to_read_into() {
    let mut probe = probe(Role::Server);
    probe.receive(&bytes_for(Role::Server, [RawFrame::binary([7; 1_000])])[..500]);
    assert!(probe.connection.recv_buf().is_none());
}
