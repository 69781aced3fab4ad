//! Messages as byte streams.

mod support;

use bytes::BytesMut;
use futures_util::FutureExt;
use std::io::ErrorKind;
use std::time::Duration;
use support::{masked_text, server, text};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, DuplexStream};
use ws_proto::{
    CloseCode, Config, ConfigBuilder, Delivery, Failure, LimitError, MessageKind, Negotiated, ProtocolError,
    Role, SendRefusal,
};
use ws_testkit::cancel::Interruption;
use ws_testkit::config;
use ws_testkit::raw::{RawFrame, read_all};
use ws_tokio::{Error, Message, WebSocket};

fn streaming() -> ConfigBuilder {
    config().delivery(Delivery::Streaming)
}

fn of<S>(stream: S, role: Role, config: ConfigBuilder) -> WebSocket<S>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), config.build().unwrap())
}

/// A server that gets these frames of its client, and the other end of the pipe.
async fn receiving(config: ConfigBuilder, frames: &[RawFrame]) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    for frame in frames {
        far.write_all(&frame.clone().sent_by(Role::Client).to_bytes()).await.unwrap();
    }
    (of(near, Role::Server, config), far)
}

/// The error of the socket inside of one of IO.
#[track_caller]
fn inside(error: &std::io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).unwrap()
}

#[tokio::test]
async fn a_message_is_read_as_its_pieces_arrive_with_control_frames_between() {
    let (mut socket, mut peer) =
        receiving(streaming(), &[RawFrame::text("κό").unfinished(), RawFrame::ping("!")]).await;
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    assert_eq!(message.kind(), MessageKind::Text);
    let mut buf = [0; 64];
    assert_eq!(message.read(&mut buf[..3]).await.unwrap(), 3);
    assert_eq!(message.read(&mut buf[3..]).await.unwrap(), 1);
    assert_eq!(&buf[..4], "κό".as_bytes());
    let rest = async {
        let mut rest = String::new();
        message.read_to_string(&mut rest).await.unwrap();
        rest
    };
    let peer = async {
        support::expect(&mut peer, &[0x8A, 1, b'!']).await;
        peer.write_all(&RawFrame::continuation("σμε").sent_by(Role::Client).to_bytes()).await.unwrap();
    };
    assert_eq!(tokio::join!(rest, peer).0, "σμε");
}

#[tokio::test]
async fn whole_delivery_gives_the_same_streams() {
    for delivery in [Delivery::Whole, Delivery::Streaming] {
        let frames = [
            RawFrame::binary("frag").unfinished(),
            RawFrame::continuation("ment"),
            RawFrame::text(""),
            RawFrame::close(1000, ""),
        ];
        let (mut socket, _peer) = receiving(config().delivery(delivery), &frames).await;
        let mut got = Vec::new();
        while let Some(mut message) = socket.recv_reader().await.unwrap() {
            let mut bytes = Vec::new();
            message.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(message.read(&mut [0; 8]).await.unwrap(), 0, "the end is told again");
            got.push((message.kind(), bytes));
        }
        assert_eq!(got, [(MessageKind::Binary, b"fragment".into()), (MessageKind::Text, Vec::new())]);
        assert!(socket.close_info().is_some());
    }
}

#[tokio::test]
async fn what_was_not_read_of_a_message_is_skipped() {
    for read in 0..=8 {
        let frames =
            [RawFrame::binary("frag").unfinished(), RawFrame::continuation("ment"), RawFrame::text("next")];
        let (socket, _peer) = receiving(streaming(), &frames).await;
        let (mut receiver, _sender) = socket.split();
        let mut message = receiver.recv_reader().await.unwrap().unwrap();
        message.read_exact(&mut vec![0; read]).await.unwrap();
        drop(message);
        let mut next = receiver.recv_reader().await.unwrap().unwrap();
        let mut text = String::new();
        next.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "next", "behind {read} bytes");
    }
}

#[test]
fn reads_that_are_dropped_lose_nothing_wherever_the_stream_is_disturbed() {
    let frames = [
        RawFrame::binary("skipped").unfinished(),
        RawFrame::continuation("too"),
        RawFrame::text("κόσμε").unfinished(),
        RawFrame::ping("ping"),
        RawFrame::continuation(" and more"),
        RawFrame::close(1000, ""),
    ];
    let input: Vec<u8> =
        frames.into_iter().flat_map(|frame| frame.sent_by(Role::Client).to_bytes()).collect();
    for interruption in Interruption::every(input.len(), 0).filter(Interruption::is_lossless) {
        let (io, _peer) = interruption.io(&input);
        let mut socket = of(io, Role::Server, streaming());
        let first =
            interruption.insist(async || socket.recv_reader().await.map(|message| message.unwrap().kind()));
        assert_eq!(first.unwrap(), MessageKind::Binary, "{interruption:?}");
        // `insist` can lend nothing out of its closure.
        let undisturbed = Interruption { polls: usize::MAX, ..interruption };
        let mut message = undisturbed.within(socket.recv_reader()).unwrap().unwrap().unwrap();
        let (mut got, mut buf) = (Vec::new(), [0; 3]);
        while let n @ 1.. = interruption.insist(async || message.read(&mut buf).await).unwrap() {
            got.extend_from_slice(&buf[..n]);
        }
        assert_eq!(got, "κόσμε and more".as_bytes(), "{interruption:?}");
        assert!(interruption.insist(async || socket.recv_reader().await.map(|end| end.is_none())).unwrap());
    }
}

#[tokio::test]
async fn the_end_of_the_connection_in_the_middle_is_an_error() {
    let begun = RawFrame::text("begun").unfinished();
    let (mut socket, mut peer) = receiving(streaming(), &[begun.clone(), RawFrame::close(1001, "")]).await;
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    let error = message.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    support::expect(&mut peer, &[0x88, 2, 0x03, 0xE9]).await;
    assert!(socket.recv_reader().await.unwrap().is_none(), "a clean close, for the socket");

    let (mut socket, peer) = receiving(streaming(), &[begun]).await;
    drop(peer);
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    for _again in 0..2 {
        let error = message.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(matches!(inside(&error), Error::Failed(Failure::EndOfStream)));
    }
    assert!(socket.recv_reader().await.is_err());
}

#[tokio::test]
async fn text_that_is_not_utf_8_fails_behind_what_is_valid_before_it() {
    for at in 0..4 {
        let mut bytes = vec![b'x'; at];
        bytes.push(0xFF);
        let frames = [RawFrame::text("begun").unfinished(), RawFrame::continuation(bytes)];
        let (mut socket, mut peer) = receiving(streaming(), &frames).await;
        let mut message = socket.recv_reader().await.unwrap().unwrap();
        let mut got = Vec::new();
        let error = message.read_to_end(&mut got).await.unwrap_err();
        assert_eq!((error.kind(), &got[..5]), (ErrorKind::InvalidData, &b"begun"[..]));
        assert!(matches!(inside(&error), Error::Failed(Failure::Protocol(ProtocolError::InvalidUtf8))));
        drop(socket);
        let mut wire = Vec::new();
        peer.read_to_end(&mut wire).await.unwrap();
        assert_eq!(wire[..4], [0x88, wire[1], 0x03, 0xEF], "byte {at}");
    }
    // The end comes inside of a character.
    let (mut socket, _peer) = receiving(streaming(), &[RawFrame::text(&b"\xCE"[..])]).await;
    let read = match socket.recv_reader().await {
        Ok(message) => message.unwrap().read_to_end(&mut Vec::new()).await.unwrap_err().kind(),
        Err(Error::Failed(Failure::Protocol(ProtocolError::InvalidUtf8))) => ErrorKind::InvalidData,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(read, ErrorKind::InvalidData);
}

#[tokio::test]
async fn the_limit_holds_for_the_message_as_a_whole_and_can_be_lifted() {
    let frames = [RawFrame::binary(vec![1; 600]).unfinished(), RawFrame::continuation(vec![1; 600])];
    let (mut socket, _peer) = receiving(streaming().max_message_bytes(1000), &frames).await;
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    let mut got = Vec::new();
    let error = message.read_to_end(&mut got).await.unwrap_err();
    assert_eq!((error.kind(), got.len()), (ErrorKind::InvalidData, 600));
    let Error::Failed(Failure::Limit(LimitError::MessageTooBig { limit: 1000, actual: 1200 })) =
        inside(&error)
    else {
        panic!("{error}")
    };
    let lifted = streaming().max_message_bytes(usize::MAX).max_frame_bytes(usize::MAX);
    let (mut socket, _peer) = receiving(lifted, &frames).await;
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    assert_eq!(message.read_to_end(&mut Vec::new()).await.unwrap(), 1200);
}

#[tokio::test(start_paused = true)]
async fn keepalive_goes_on_while_a_message_is_read_and_a_silent_peer_is_noticed() {
    let (mut socket, _peer) = receiving(streaming(), &[RawFrame::binary("begun").unfinished()]).await;
    let mut message = socket.recv_reader().await.unwrap().unwrap();
    let before = tokio::time::Instant::now();
    let error = message.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!((error.kind(), before.elapsed()), (ErrorKind::TimedOut, Duration::from_secs(40)));
}

#[tokio::test]
async fn a_message_is_written_in_fragments_of_the_configured_size() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let (_receiver, mut sender) = of(near, Role::Server, config().fragment_bytes(Some(4))).split();
    let mut message = sender.send_writer(MessageKind::Text);
    message.write_all("abcdefé".as_bytes()).await.unwrap();
    message.flush().await.unwrap();
    message.write_all(b"jk").await.unwrap();
    message.shutdown().await.unwrap();
    assert_eq!(message.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    message.shutdown().await.unwrap();
    drop(message);
    sender.send("next").await.unwrap();
    drop((sender, _receiver));
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).await.unwrap();
    let expected = [
        RawFrame::text("abcd").unfinished(),
        RawFrame::continuation("efé").unfinished(),
        RawFrame::continuation("jk"),
        RawFrame::text("next"),
        RawFrame::close(1001, ""),
    ];
    assert_eq!(read_all(&wire).unwrap(), expected);
}

#[test]
fn writes_that_are_dropped_lose_nothing_wherever_the_stream_is_disturbed() {
    let input = "a message in some fragments".as_bytes();
    let mut output = RawFrame::binary(&input[..10]).unfinished().to_bytes();
    output.extend(RawFrame::continuation(&input[10..20]).unfinished().to_bytes());
    output.extend(RawFrame::continuation(&input[20..]).to_bytes());
    for interruption in Interruption::every(0, output.len()).filter(Interruption::is_lossless) {
        let (io, peer) = interruption.io(b"");
        let narrow = config().fragment_bytes(Some(10)).max_send_queue_bytes(1);
        let mut socket = of(io, Role::Server, narrow);
        let mut message = socket.send_writer(MessageKind::Binary);
        let mut left = input;
        while !left.is_empty() {
            let n = interruption.insist(async || message.write(left).await).unwrap();
            left = &left[n..];
        }
        interruption.insist(async || message.shutdown().await).unwrap();
        assert_eq!(peer.written(), output, "{interruption:?}");
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_in_the_middle_closes_and_before_the_first_fragment_does_nothing() {
    let (mut socket, mut peer, _) = server(1 << 16, Config::default());
    let mut message = socket.send_writer(MessageKind::Binary);
    message.write_all(b"forgotten").await.unwrap();
    drop(message);
    socket.send("as before").await.unwrap();
    let mut message = socket.send_writer(MessageKind::Binary);
    message.write_all(b"begun").await.unwrap();
    message.flush().await.unwrap();
    drop(message);
    assert!(!socket.is_open());
    let mut wire = text("as before");
    wire.extend(RawFrame::binary("begun").unfinished().to_bytes());
    wire.extend(RawFrame::close(1011, "a message was left unfinished").to_bytes());
    support::expect(&mut peer, &wire).await;
}

#[tokio::test]
async fn a_message_that_is_finished_leaves_the_socket_free_for_the_next() {
    let (mut socket, mut peer, _) = server(1 << 16, Config::default());
    let mut message = socket.send_writer(MessageKind::Binary);
    message.write_all(b"one").await.unwrap();
    message.flush().await.unwrap();
    message.finish().await.unwrap();
    socket.send_writer(MessageKind::Binary).finish().await.unwrap();
    socket.send("as before").await.unwrap();
    let mut wire = RawFrame::binary("one").unfinished().to_bytes();
    wire.extend(RawFrame::continuation("").to_bytes());
    wire.extend(RawFrame::binary("").to_bytes());
    wire.extend(text("as before"));
    support::expect(&mut peer, &wire).await;
    assert!(socket.is_open());
}

#[tokio::test]
async fn a_finish_that_is_dropped_closes_while_it_waits_for_room_and_behind_that_the_message_leaves() {
    let narrow = || Config::builder().fragment_bytes(Some(4)).max_send_queue_bytes(1).build().unwrap();
    // A stream that takes four bytes: a part of the first fragment stays queued, so there is no room for the last one.
    let (mut socket, mut peer, _) = server(4, narrow());
    let mut message = socket.send_writer(MessageKind::Binary);
    message.write_all(b"begunend").await.unwrap();
    assert!(message.finish().now_or_never().is_none());
    assert!(!socket.is_open());
    let mut wire = RawFrame::binary("begu").unfinished().to_bytes();
    wire.extend(RawFrame::close(1011, "a message was left unfinished").to_bytes());
    support::expect(&mut peer, &wire).await;

    // The last fragment is queued, and finishing waits for the stream.
    let (mut socket, mut peer, _) = server(4, narrow());
    let mut message = socket.send_writer(MessageKind::Binary);
    message.write_all(b"end").await.unwrap();
    assert!(message.finish().now_or_never().is_none());
    assert!(socket.is_open());
    support::expect(&mut peer, &RawFrame::binary("end").to_bytes()).await;
}

#[tokio::test]
async fn writing_fails_where_the_connection_is_closed_or_the_text_is_not_utf_8() {
    let (mut socket, mut peer, _) = server(1 << 16, Config::default());
    let mut message = socket.send_writer(MessageKind::Text);
    message.write_all(b"\xFF").await.unwrap();
    let error = message.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let Error::Refused { refusal: SendRefusal::InvalidUtf8, .. } = inside(&error) else { panic!("{error}") };
    assert_eq!(message.shutdown().await.unwrap_err().kind(), ErrorKind::BrokenPipe, "it is not sent in part");
    drop(message);
    socket.send("as before").await.unwrap();
    support::expect(&mut peer, &text("as before")).await;

    let closer = socket.closer();
    let mut message = socket.send_writer(MessageKind::Binary);
    closer.close(CloseCode::NORMAL, "").unwrap();
    message.write_all(b"late").await.unwrap();
    assert_eq!(message.shutdown().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(peer);
}

#[tokio::test]
async fn a_writer_waits_for_a_peer_that_does_not_read() {
    let narrow = Config::builder().fragment_bytes(Some(100)).max_send_queue_bytes(1000).build().unwrap();
    let (socket, mut peer, _) = server(10, narrow);
    let (mut receiver, mut sender) = socket.split();
    let writing = tokio::spawn(async move {
        let mut message = sender.send_writer(MessageKind::Binary);
        message.write_all(&[7; 100_000]).await.unwrap();
        message.finish().await.unwrap();
        sender
    });
    // Receiving goes on meanwhile.
    peer.write_all(&masked_text("hi")).await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), Some(Message::from("hi")));
    assert!(!writing.is_finished());
    let mut wire = vec![0; 100_000 + 1000 * 2];
    peer.read_exact(&mut wire).await.unwrap();
    let _sender = writing.await.unwrap();
    let frames = read_all(&wire).unwrap();
    assert_eq!(frames.iter().map(|frame| frame.payload.len()).sum::<usize>(), 100_000);
}

#[tokio::test]
async fn pieces_can_be_looked_at_where_they_lie() {
    let frames = [RawFrame::binary("one\ntw").unfinished(), RawFrame::continuation("o\n")];
    let (mut socket, _peer) = receiving(streaming(), &frames).await;
    let mut lines = socket.recv_reader().await.unwrap().unwrap().lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("one"));
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("two"));
    assert_eq!(lines.next_line().await.unwrap(), None);
}
