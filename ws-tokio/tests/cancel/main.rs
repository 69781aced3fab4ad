//! Futures dropped after every number of polls, over a stream that is short, not ready, ended or broken at every byte: nothing is lost,
//! doubled or reordered.

mod handshake;

use bytes::BytesMut;
use ws_proto::{CloseCode, Message, Negotiated, Role};
use ws_testkit::cancel::{Fault, Interruption, insist};
use ws_testkit::raw::RawFrame;
use ws_testkit::{Probe, ScriptedIo, ScriptedPeer, config};
use ws_tokio::{Error, WebSocket};

/// What a client sends: messages whole and in fragments, a ping in between, and a Close frame.
fn conversation(large: usize) -> Vec<RawFrame> {
    vec![
        RawFrame::text("κόσμε"),
        RawFrame::binary("frag").unfinished(),
        RawFrame::ping("ping"),
        RawFrame::continuation("ment"),
        RawFrame::binary(vec![7; large]),
        RawFrame::text(""),
        RawFrame::close(1000, ""),
    ]
}

fn client_bytes(large: usize) -> Vec<u8> {
    conversation(large).into_iter().flat_map(|frame| frame.sent_by(Role::Client).to_bytes()).collect()
}

/// What an echo answers.
fn server_bytes(large: usize) -> Vec<u8> {
    let frames = [
        RawFrame::text("κόσμε"),
        RawFrame::pong("ping"),
        RawFrame::binary("fragment"),
        RawFrame::binary(vec![7; large]),
        RawFrame::text(""),
        RawFrame::close(1000, ""),
    ];
    frames.iter().flat_map(RawFrame::to_bytes).collect()
}

/// The messages that are in the part of the input that arrives.
fn messages(arrived: &[u8]) -> Vec<Message> {
    let mut probe = Probe::new(Role::Server);
    probe.receive(arrived);
    let message =
        |event| if let ws_testkit::Observed::Message(message) = event { Some(message) } else { None };
    probe.events.into_iter().filter_map(message).collect()
}

fn socket(interruption: &Interruption, input: &[u8]) -> (WebSocket<ScriptedIo>, ScriptedPeer) {
    let (io, peer) = interruption.io(input);
    let negotiated = Negotiated::new(Role::Server);
    (WebSocket::from_parts(io, BytesMut::new(), negotiated, config().build().unwrap()), peer)
}

/// What an echo received and wrote, and how it ended.
struct Ran {
    received: Vec<Message>,
    written: Vec<u8>,
    ended: Result<(), Error>,
}

/// An echo whose every future is dropped. Without a runtime each send writes through: dropped behind the queueing, it leaves with the next
/// call.
fn echo(interruption: &Interruption, input: &[u8]) -> Ran {
    let (mut socket, peer) = socket(interruption, input);
    let mut received = Vec::new();
    let ended = loop {
        match interruption.insist(async || socket.recv().await) {
            Ok(Some(message)) => {
                received.push(message.clone());
                if interruption.within(socket.send(message)).is_none() {
                    let _told_by_recv = interruption.insist(async || socket.flush().await);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    for _ in 0..2 {
        let again = interruption.insist(async || socket.recv().await);
        assert_eq!(again.is_ok(), ended.is_ok(), "{interruption:?}: the end goes on being told");
    }
    drop(socket);
    Ran { received, written: peer.written(), ended }
}

/// The same, with two halves, which are dropped in turns.
fn echo_by_halves(interruption: &Interruption, input: &[u8]) -> Ran {
    let (socket, peer) = socket(interruption, input);
    let (mut receiver, mut sender) = socket.split();
    let mut received = Vec::new();
    let ended = loop {
        // The receiving half writes what the sending half left, and the other way round.
        let _told_by_recv = interruption.within(sender.flush());
        match interruption.within(receiver.recv()) {
            None => {}
            Some(Ok(Some(message))) => {
                received.push(message.clone());
                if interruption.within(sender.send(message)).is_none() {
                    let _told_by_recv = interruption.insist(async || sender.flush().await);
                }
            }
            Some(Ok(None)) => break Ok(()),
            Some(Err(error)) => break Err(error),
        }
    };
    drop((receiver, sender));
    Ran { received, written: peer.written(), ended }
}

fn check(interruption: &Interruption, input: &[u8], output: &[u8], ran: &Ran) {
    let expected = messages(interruption.arrives(input));
    if interruption.is_lossless() {
        assert!(ran.ended.is_ok(), "{interruption:?}: {:?}", ran.ended);
        assert_eq!(ran.written, output, "{interruption:?}");
    } else {
        // Where the input ended early, or writing failed, it may say more than the echoes: a Close frame of its own.
        let echoes = ran.written.iter().zip(output).take_while(|(a, b)| a == b).count();
        let rest = &ran.written[echoes..];
        assert!(rest.is_empty() || rest[0] == 0x88, "{interruption:?}: {rest:?} behind {echoes} bytes");
    }
    if !matches!(interruption.fault, Fault::BrokenOutput(_)) {
        assert_eq!(ran.received, expected, "{interruption:?}");
        assert_eq!(ran.ended.is_ok(), interruption.arrives(input) == input, "{interruption:?}");
    } else {
        assert!(expected.starts_with(&ran.received), "{interruption:?}: {:?}", ran.received);
    }
}

const LARGE: usize = 130;

#[test]
fn an_echo_of_dropped_futures_is_right_wherever_its_stream_is_disturbed() {
    let (input, output) = (client_bytes(LARGE), server_bytes(LARGE));
    for interruption in Interruption::every(input.len(), output.len()) {
        check(&interruption, &input, &output, &echo(&interruption, &input));
    }
}

#[test]
fn an_echo_by_halves_is_right_wherever_its_stream_is_disturbed() {
    let (input, output) = (client_bytes(LARGE), server_bytes(LARGE));
    for interruption in Interruption::every(input.len(), output.len()) {
        check(&interruption, &input, &output, &echo_by_halves(&interruption, &input));
    }
}

#[test]
fn a_large_message_read_straight_to_its_place_loses_nothing_byte_by_byte() {
    // Long enough to be read straight into the message's own memory.
    let (input, output) = (client_bytes(40_000), server_bytes(40_000));
    for polls in 1..=2 {
        let interruption = Interruption { polls, fault: Fault::ByteByByte };
        check(&interruption, &input, &output, &echo(&interruption, &input));
    }
}

#[test]
fn a_close_that_is_dropped_again_and_again_sends_one_close_frame() {
    let input = RawFrame::close(1000, "").sent_by(Role::Client).to_bytes();
    let output = [RawFrame::text("last words").to_bytes(), RawFrame::close(1001, "bye").to_bytes()].concat();
    for interruption in Interruption::every(input.len(), output.len()).filter(Interruption::is_lossless) {
        let (mut socket, peer) = socket(&interruption, &input);
        if interruption.within(socket.send("last words")).is_none() {
            interruption.insist(async || socket.flush().await).unwrap();
        }
        let info = interruption.insist(async || socket.close(CloseCode::GOING_AWAY, "bye").await).unwrap();
        assert_eq!(info.received.code, CloseCode::NORMAL, "{interruption:?}");
        drop(socket);
        assert_eq!(peer.written(), output, "{interruption:?}");
    }
}

#[tokio::test]
async fn with_a_runtime_too_dropped_futures_lose_nothing() {
    for polls in 1..=4 {
        let (near, far) = tokio::io::duplex(7);
        let end = |stream, role| {
            WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), config().build().unwrap())
        };
        let (mut server, mut client) = (end(near, Role::Server), end(far, Role::Client));
        let client = async {
            for i in 0..60_u8 {
                client.send(vec![i; usize::from(i)]).await?;
                let echoed = insist(polls, async || client.recv().await).await?;
                assert_eq!(echoed, Some(Message::from(vec![i; usize::from(i)])));
            }
            insist(polls, async || client.close(CloseCode::NORMAL, "").await).await.map(|_| ())
        };
        let echo = async {
            while let Some(message) = insist(polls, async || server.recv().await).await? {
                server.send(message).await?;
            }
            Ok::<_, Error>(())
        };
        tokio::try_join!(client, echo).unwrap();
        assert!(matches!(server.send("more").await, Err(Error::Refused { .. })));
    }
}
