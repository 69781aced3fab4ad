//! Whatever an application and its peer do, and whenever: what leaves is legal by a reader that shares nothing with ours, is what was sent,
//! and has one Close frame at most, with nothing behind it.

use super::*;
use crate::support::{bytes_for, cases};
use bytes::{Buf, Bytes};
use proptest::prelude::*;
use std::time::Duration;
use ws_proto::{CloseCode, Message, MessageKind, Prepared};
use ws_testkit::raw::{self, RawFrame};
use ws_testkit::strategies;

#[derive(Clone, Debug)]
enum Act {
    Send(Message),
    SendPrepared(Message),
    Fragment(MessageKind, Vec<u8>, bool),
    Ping(Vec<u8>),
    Close(u16, String),
    /// The peer sends a frame, legal or not.
    Receive(RawFrame),
    EndOfStream,
    Wait(Duration),
    TimeOut,
    /// The transport takes so many bytes.
    Write(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)];
    let frame = prop_oneof![
        6 => strategies::ping_or_pong(),
        1 => strategies::close(),
        1 => strategies::hostile_frame(50),
    ];
    prop_oneof![
        6 => strategies::message(300).prop_map(Act::Send),
        2 => strategies::message(300).prop_map(Act::SendPrepared),
        6 => (kind, strategies::nearly_text(60), any::<bool>())
            .prop_map(|(kind, bytes, fin)| Act::Fragment(kind, bytes, fin)),
        3 => strategies::payload(125).prop_map(Act::Ping),
        1 => (any::<u16>(), strategies::text(130)).prop_map(|(code, reason)| Act::Close(code, reason)),
        4 => frame.prop_map(Act::Receive),
        1 => Just(Act::EndOfStream),
        2 => (0..30_000u64).prop_map(|ms| Act::Wait(Duration::from_millis(ms))),
        2 => Just(Act::TimeOut),
        8 => prop_oneof![0..20usize, 0..2_000usize].prop_map(Act::Write),
    ]
}

fn act_on(probe: &mut Probe, act: Act, wire: &mut Vec<u8>) {
    let now = probe.clock.now();
    match act {
        // A refusal gives back what was to be sent, and is no fault.
        Act::Send(message) => drop(probe.connection.send(message)),
        Act::SendPrepared(message) => drop(probe.connection.send_prepared(&Prepared::new(message))),
        Act::Fragment(kind, bytes, fin) => {
            drop(probe.connection.send_fragment(kind, Bytes::from(bytes), fin));
        }
        Act::Ping(payload) => drop(probe.connection.ping(payload.as_slice().try_into().unwrap(), now)),
        Act::Close(code, reason) => {
            let code = CloseCode::new(code).unwrap_or(CloseCode::NO_STATUS);
            probe.connection.close(code, &reason, now).unwrap();
        }
        Act::Receive(frame) => probe.receive(bytes_for(probe.connection.role(), [frame])),
        Act::EndOfStream => probe.end_of_stream(),
        Act::Wait(time) => {
            probe.clock.advance(time);
            probe.connection.handle_timeout(probe.clock.now());
            probe.poll();
        }
        Act::TimeOut => drop(probe.time_out()),
        Act::Write(n) => {
            let transmit = probe.connection.transmit();
            let n = n.min(transmit.remaining());
            wire.extend_from_slice(&transmit.copy_to_bytes(n));
        }
    }
}

fn negotiated(role: Role, deflate: bool) -> Negotiated {
    #[cfg(feature = "deflate")]
    if deflate {
        return Negotiated::new(role).with_deflate(ws_proto::deflate::DeflateParams::default());
    }
    let _ = deflate;
    Negotiated::new(role)
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_interleaving_of_sends_pings_closes_timeouts_and_writes_leaves_a_legal_wire(
        is_client in any::<bool>(),
        deflate in any::<bool>(),
        fragment_bytes in prop::option::of(1..100usize),
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let deflate = deflate && cfg!(feature = "deflate");
        let role = role_of(is_client);
        let settings = config().max_send_queue_bytes(1_000).fragment_bytes(fragment_bytes);
        let settings = settings.idle_timeout(Some(Duration::from_secs(90)));
        let mut probe = Probe::with(negotiated(role, deflate), settings.build().unwrap());
        let mut wire = Vec::new();
        for act in acts {
            act_on(&mut probe, act, &mut wire);
        }
        wire.extend(probe.wire());
        let judged = raw::read_legal(&wire, role, deflate);
        prop_assert!(judged.is_ok(), "{:?}", judged);
        let terminal = probe.events.iter().filter(|event| event.is_terminal()).count();
        prop_assert_eq!(terminal, usize::from(probe.connection.is_over()));
    }
}
