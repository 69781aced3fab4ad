//! Any partial write gives the same bytes, any fragmentation the same message.

use super::*;
use crate::support::{ROLES, bytes_for, cases};
use bytes::Buf;
use proptest::prelude::*;
use ws_proto::{Failure, LimitError, Message, MessageKind};
use ws_testkit::raw::RawFrame;
use ws_testkit::strategies;

/// What an application and its peer do, with writes in between.
#[derive(Clone, Debug)]
enum Act {
    Send(Message),
    Fragment(Vec<u8>),
    Ping,
    Pinged,
    /// The transport takes so many bytes.
    Write(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let large = (any::<u8>(), 4_000..20_000usize).prop_map(|(byte, len)| Message::from(vec![byte; len]));
    prop_oneof![
        3 => strategies::message(200).prop_map(Act::Send),
        1 => large.prop_map(Act::Send),
        1 => strategies::payload(200).prop_map(Act::Fragment),
        1 => Just(Act::Ping),
        1 => Just(Act::Pinged),
        5 => prop_oneof![0..20usize, 0..30_000usize].prop_map(Act::Write),
    ]
}

/// All bytes that leave; `writes` says whether any leave before the end.
fn written(role: Role, acts: &[Act], writes: bool, mut chunks: Chunks) -> Vec<u8> {
    let config = config().max_send_queue_bytes(usize::MAX).fragment_bytes(Some(5_000)).build().unwrap();
    let mut probe = Probe::with(Negotiated::new(role), config);
    let mut wire = Vec::new();
    for act in acts {
        match act {
            Act::Send(message) => probe.connection.send(message.clone()).unwrap(),
            Act::Fragment(bytes) => {
                probe.connection.send_fragment(MessageKind::Binary, bytes.clone().into(), false).unwrap();
                probe.connection.send_fragment(MessageKind::Binary, bytes.clone().into(), true).unwrap();
            }
            Act::Ping => probe.connection.ping("ours".try_into().unwrap(), probe.clock.now()).unwrap(),
            Act::Pinged => probe.receive_frames([RawFrame::ping("theirs")]),
            Act::Write(n) if writes => {
                let mut left = *n;
                while left > 0 && !probe.connection.transmit().is_empty() {
                    let transmit = probe.connection.transmit();
                    let taken = chunks.size(left.min(transmit.chunk().len()));
                    wire.extend_from_slice(&transmit.chunk()[..taken]);
                    transmit.advance(taken);
                    left -= taken;
                }
            }
            Act::Write(_) => {}
        }
    }
    wire.extend(ws_testkit::wire(&mut probe.connection, &mut chunks));
    wire
}

/// The outcome of a message whose payload comes in frames of these sizes.
fn fragmented(role: Role, opcode: u8, payload: &[u8], sizes: &[usize]) -> Outcome {
    let bytes = bytes_for(role, strategies::fragmented(opcode, payload, sizes));
    let mut outcome = whole(&Negotiated::new(role), config().max_message_bytes(300), &bytes);
    for event in &mut outcome.events {
        // How large a message would become is told as far as its headers have come; that it is too large is the same.
        if let Observed::Failed(Failure::Limit(LimitError::MessageTooBig { actual, .. })) = event {
            *actual = 0;
        }
    }
    outcome
}

#[test]
fn eighty_mib_fail_with_the_same_close_frame_in_one_frame_and_in_many() {
    for role in ROLES {
        let mut wires = [80 << 20, 20 << 20, 1 << 20].map(|frame_bytes| {
            let first = RawFrame::binary(vec![0; frame_bytes.min(1 << 20)]).unfinished();
            let first = first.length(ws_testkit::raw::Length::Declared(frame_bytes as u64));
            let next = bytes_for(role, [RawFrame::continuation(vec![0; 1 << 20]).unfinished()]);
            let mut probe = Probe::new(role);
            probe.receive(bytes_for(role, [first]));
            while probe.connection.is_open() {
                probe.receive(&next);
            }
            probe.frames()
        });
        let [one, some, many] = &mut wires;
        assert_eq!((&*one, &*some), (&*many, &*many), "{role:?}");
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_partial_writes_give_the_same_bytes(
        is_client in any::<bool>(),
        // At most 16 pings at once: beyond that only the newest is answered, which does depend on what was written.
        acts in prop::collection::vec(act(), 1..16),
        chunks in strategies::chunks(6_000),
    ) {
        let role = role_of(is_client);
        let expected = written(role, &acts, false, Chunks::whole());
        prop_assert!(written(role, &acts, true, chunks.clone()) == expected, "writes in between");
        prop_assert!(written(role, &acts, false, chunks) == expected, "partial writes at the end");
    }

    #[test]
    fn a_message_is_the_same_however_our_end_fragments_it(
        is_client in any::<bool>(),
        message in strategies::message(500),
        fragment_bytes in 1..600usize,
    ) {
        let role = role_of(is_client);
        let config = config().fragment_bytes(Some(fragment_bytes)).build().unwrap();
        let mut from = Probe::with(Negotiated::new(role), config);
        from.connection.send(message.clone()).unwrap();
        let mut to = Probe::new(role.peer());
        to.receive(from.wire());
        prop_assert_eq!(to.events, [Observed::Message(message)]);
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn any_fragmentation_gives_the_same_event_or_the_same_error_and_close_frame(
        is_client in any::<bool>(),
        message in prop_oneof![
            strategies::text(400).prop_map(|text| (1, text.into_bytes())),
            strategies::nearly_text(200).prop_map(|text| (1, text)),
            strategies::payload(400).prop_map(|bytes| (2, bytes)),
        ],
        sizes in prop::collection::vec(0..200usize, 0..10),
    ) {
        let role = role_of(is_client);
        let (opcode, payload) = message;
        let (one, many) = (fragmented(role, opcode, &payload, &[]), fragmented(role, opcode, &payload, &sizes));
        let too_big = payload.len() > 300;
        let wrong = opcode == 1 && str::from_utf8(&payload).is_err();
        if too_big && wrong {
            // Both rules are broken: which is met first is the sender's choice.
            prop_assert_eq!(many.events.len(), 1);
        } else {
            prop_assert_eq!(many, one);
        }
    }
}
