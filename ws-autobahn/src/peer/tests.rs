//! The raw endpoint by itself: bytes in, bytes out.

use super::*;
use crate::case::{Frame, Length, Masking};
use ws_proto::frame::{Header, MaskingKey};

fn peer(role: Role) -> Peer {
    Peer::new(role, None, Entropy::os(), WireLog::new(), Traffic::default(), Timeouts::default())
}

/// What it has to write, in the pieces in which it writes.
fn written(peer: &mut Peer) -> Vec<Vec<u8>> {
    peer.out.drain(..).map(|chunk| chunk.bytes.to_vec()).collect()
}

fn reads(peer: &mut Peer, bytes: &[u8]) -> Vec<PeerEvent> {
    peer.input().extend_from_slice(bytes);
    peer.read(bytes.len());
    std::iter::from_fn(|| peer.next_event(Instant::now())).collect()
}

/// A frame of the other end.
fn frame(first: u8, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut header = Header::new(ws_proto::frame::Opcode::Text, payload.len() as u64);
    header.masking_key = masking_key.map(MaskingKey::new);
    let mut bytes = header.encode().as_slice().to_vec();
    bytes[0] = first;
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    if let Some(key) = header.masking_key {
        key.apply(0, &mut bytes[start..]);
    }
    bytes
}

const KEY: Option<[u8; 4]> = Some([1, 2, 3, 4]);

#[test]
fn header_bytes_are_written_as_told() {
    let mut server = peer(Role::Server);
    let mut bytes = |frame: Frame| {
        server.send_frame(&frame);
        written(&mut server).concat()
    };
    assert_eq!(bytes(Frame::new(1, "Hello")), b"\x81\x05Hello", "RFC 6455 §5.7");
    assert_eq!(bytes(Frame::new(1, "Hel").unfinished()), b"\x01\x03Hel");
    assert_eq!(bytes(Frame::new(9, "").rsv(7)), b"\xf9\x00", "all reserved bits");
    assert_eq!(bytes(Frame::new(15, "").rsv(4)), b"\xcf\x00", "a reserved opcode");
    assert_eq!(bytes(Frame::new(8, b"\x03")), b"\x88\x01\x03", "half a close code");
    assert_eq!(bytes(Frame::new(1, "a").length(Length::Bits16)), b"\x81\x7e\x00\x01a");
    assert_eq!(bytes(Frame::new(1, "a").length(Length::Bits64)), b"\x81\x7f\0\0\0\0\0\0\0\x01a");
    assert_eq!(bytes(Frame::new(1, "a").length(Length::Claimed(1 << 63))), b"\x81\x7f\x80\0\0\0\0\0\0\0a");
    assert_eq!(bytes(Frame::new(9, vec![0; 126]))[..4], *b"\x89\x7e\x00\x7e", "a ping that is too long");
    assert_eq!(bytes(Frame::new(2, vec![0; 65_536]))[..10], *b"\x82\x7f\0\0\0\0\0\x01\0\0");
}

#[test]
fn frames_are_masked_as_the_role_or_the_case_wants_and_each_with_another_key() {
    let masked = |role, masking| {
        let mut peer = peer(role);
        peer.send_frame(&Frame::new(1, "Hello").masking(masking));
        let mut bytes = written(&mut peer).concat();
        let (header, len) = Header::decode(&bytes).unwrap().unwrap();
        if let Some(key) = header.masking_key {
            key.apply(0, &mut bytes[len..]);
        }
        assert_eq!(bytes[len..], *b"Hello");
        header.masking_key.map(MaskingKey::bytes)
    };
    assert!(
        masked(Role::Client, Masking::AsRole).is_some() && masked(Role::Server, Masking::AsRole).is_none()
    );
    assert!(masked(Role::Client, Masking::Wrong).is_none() && masked(Role::Server, Masking::Wrong).is_some());
    assert_ne!(masked(Role::Client, Masking::AsRole), masked(Role::Client, Masking::AsRole));
}

#[test]
fn writes_are_cut_and_kept_apart_as_told() {
    let mut server = peer(Role::Server);
    server.send_frame(&Frame::new(1, "Hello").chop(3));
    assert_eq!(written(&mut server), [&b"\x81\x05H"[..], b"ell", b"o"]);
    server.send_frame(&Frame::new(1, "a"));
    server.send_frame(&Frame::new(1, "b"));
    assert_eq!(written(&mut server), [b"\x81\x01a\x81\x01b"], "together in one write");
    server.send_frame(&Frame::new(1, "a").sync());
    server.send_frame(&Frame::new(1, "b"));
    assert_eq!(written(&mut server).len(), 2, "behind a write of its own nothing is joined");
}

#[test]
fn messages_are_read_at_any_split_and_pings_are_answered() {
    let input = [
        frame(0x01, KEY, "κόσ".as_bytes()),
        frame(0x89, KEY, b"ping"),
        frame(0x80, KEY, "με".as_bytes()),
        frame(0x82, KEY, b"\xff"),
        frame(0x8A, KEY, b"pong"),
    ]
    .concat();
    let wanted = || {
        [
            PeerEvent::Message { payload: "κόσμε".into(), binary: false },
            PeerEvent::Message { payload: vec![0xff], binary: true },
            PeerEvent::Pong(Bytes::from_static(b"pong")),
        ]
    };
    for cut in 0..=input.len() {
        let mut server = peer(Role::Server);
        let mut events = reads(&mut server, &input[..cut]);
        events.extend(reads(&mut server, &input[cut..]));
        assert_eq!(events, wanted(), "cut at {cut}");
        assert_eq!(written(&mut server).concat(), b"\x8a\x04ping");
        assert_eq!(server.state, State::Open);
    }
}

#[test]
fn what_breaks_a_rule_fails_the_connection_once() {
    let wrong: [(Role, Vec<u8>, u16); 10] = [
        (Role::Server, frame(0x81, None, b"not masked"), 1002),
        (Role::Client, frame(0x81, KEY, b"masked"), 1002),
        (Role::Server, frame(0xC1, KEY, b"reserved bit"), 1002),
        (Role::Server, frame(0x83, KEY, b"reserved opcode"), 1002),
        (Role::Server, frame(0x8B, KEY, b"reserved opcode"), 1002),
        (Role::Server, frame(0x09, KEY, b"fragmented ping"), 1002),
        (Role::Server, frame(0x80, KEY, b"continuation"), 1002),
        (Role::Server, [frame(0x01, KEY, b"a"), frame(0x81, KEY, b"b")].concat(), 1002),
        (Role::Server, frame(0x81, KEY, b"\xff"), 1007),
        (Role::Server, frame(0x88, KEY, b"\x03"), 1002),
    ];
    for (role, bytes, code) in wrong {
        let mut peer = peer(role);
        assert_eq!(reads(&mut peer, &bytes), [], "{bytes:?}");
        assert!(peer.closing.failed_by_me, "{bytes:?}");
        assert_eq!(peer.closing.local_code, Some(code), "{bytes:?}");
        let close_frames = written(&mut peer).concat();
        let (header, len) = Header::decode(&close_frames).unwrap().unwrap();
        assert_eq!(
            close_frames.len() as u64,
            len as u64 + header.payload_len,
            "one Close frame for {bytes:?}"
        );
    }
}

#[test]
fn both_ways_of_closing_are_told_apart() {
    let mut server = peer(Role::Server);
    assert_eq!(reads(&mut server, &frame(0x88, KEY, b"\x03\xe8bye")), []);
    let closing = &server.closing;
    assert!(closing.was_clean && !closing.closed_by_me);
    assert_eq!((closing.remote_code, closing.remote_reason.as_deref()), (Some(1000), Some("bye")));
    assert_eq!(written(&mut server).concat(), b"\x88\x02\x03\xe8", "answered");
    assert_eq!(server.state, State::Closed, "the server ends the TCP connection");

    let mut client = peer(Role::Client);
    let now = Instant::now();
    client.send_close(Some(1001), None, false, now);
    assert_eq!(client.next_deadline(), Some(now + Timeouts::default().closing));
    assert_eq!(reads(&mut client, &frame(0x88, None, b"\x03\xe9")), []);
    assert!(client.closing.was_clean && client.closing.closed_by_me);
    assert_eq!(client.state, State::Closing, "the client waits for the server's end of the TCP connection");
    let timer = client.due(now + Timeouts::default().server_drop + Duration::from_secs(60));
    assert_eq!(timer, Some(Timer::ServerDrop));
    client.timed_out(Timer::ServerDrop);
    assert!(client.closing.dropped_by_me && client.closing.server_drop_timeout && client.abort);
}
