//! Both roles against each other, and any split of the bytes.

use super::*;

/// Drives one role against the other with both streams cut at `cut`, and tells what each agreed to.
fn drive(cut: usize) -> (Negotiated, Negotiated) {
    let request =
        Request::get("ws://example.com/chat?a=b").header("sec-websocket-protocol", "chat, superchat");
    let mut client = client(request.body(()).unwrap());
    let mut server = server();

    let wire = written(client.transmit()) + "early";
    let (first, second) = wire.as_bytes().split_at(cut.min(wire.len()));
    let mut requests = Vec::new();
    let mut rest = Vec::new();
    for mut input in [first, second] {
        requests.extend(server.poll_event(&mut input, start()));
        rest.extend_from_slice(input);
    }
    assert!(matches!(requests[..], [ServerHandshakeEvent::Request(_)]));
    assert_eq!(rest, b"early");
    server.accept(Acceptance::default().subprotocol("chat".parse().unwrap())).unwrap();

    let wire = written(server.transmit()) + "early";
    let (first, second) = wire.as_bytes().split_at(cut.min(wire.len()));
    let mut responses = Vec::new();
    rest.clear();
    for mut input in [first, second] {
        responses.extend(client.poll_event(&mut input, start()));
        rest.extend_from_slice(input);
    }
    assert!(matches!(responses[..], [ClientHandshakeEvent::Response(_)]));
    assert_eq!(rest, b"early");
    (client.finish().unwrap(), server.finish().unwrap())
}

#[test]
fn they_agree_at_every_cut() {
    for cut in 0..600 {
        let (client, server) = drive(cut);
        assert_eq!(client.subprotocol().unwrap(), "chat");
        assert_eq!(client.subprotocol(), server.subprotocol());
        #[cfg(feature = "deflate")]
        {
            assert!(client.deflate().is_some());
            assert_eq!(client.deflate(), server.deflate());
        }
    }
}

/// All events and all bytes of a server that is fed these pieces.
fn serve_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, String, usize) {
    let mut server = server();
    let mut events = Vec::new();
    let mut left = 0;
    for mut piece in pieces {
        events.extend(server.poll_event(&mut piece, start()).map(|event| match event {
            ServerHandshakeEvent::Request(upgrade) => format!("{:?}", upgrade.request()),
            ServerHandshakeEvent::Failed(error) => error.to_string(),
            _ => unreachable!(),
        }));
        left += piece.len();
    }
    (events, written(server.transmit()), left)
}

fn answer_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, usize) {
    let mut client = client(get("ws://example.com/"));
    let mut events = Vec::new();
    let mut left = 0;
    for mut piece in pieces {
        events.extend(client.poll_event(&mut piece, start()).map(|event| match event {
            ClientHandshakeEvent::Response(response) => format!("{response:?}"),
            ClientHandshakeEvent::Failed(error) => error.to_string(),
            _ => unreachable!(),
        }));
        left += piece.len();
    }
    (events, left)
}

/// Heads that are nearly right, and bytes that are nothing at all.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![Just(REQUEST.to_owned()), Just(RESPONSE.to_owned())];
    let mutated = (head, prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)).prop_map(
        |(head, changes)| {
            let mut wire = head.into_bytes();
            for (at, byte) in changes {
                let at = at.index(wire.len());
                wire[at] = byte;
            }
            wire
        },
    );
    prop_oneof![4 => mutated, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_split_has_the_same_outcome_and_garbage_never_panics(
        wire in wire(),
        behind in prop::collection::vec(any::<u8>(), 0..20),
        piece in 1..50usize,
    ) {
        let wire = [wire, behind].concat();
        prop_assert_eq!(serve_pieces([&wire[..]]), serve_pieces(wire.chunks(piece)));
        prop_assert_eq!(serve_pieces([&wire[..]]), serve_pieces(wire.chunks(1)));
        let (events, _) = answer_pieces([&wire[..]]);
        prop_assert!(events.len() <= 1);
        prop_assert_eq!(&events, &answer_pieces(wire.chunks(piece)).0);
        prop_assert_eq!(&events, &answer_pieces(wire.chunks(1)).0);
    }
}
