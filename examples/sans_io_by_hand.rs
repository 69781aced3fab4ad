//! Two drivers for `ws-proto`, written by hand: what it takes to run WebSockets over something that no crate here knows.
//!
//! ```text
//! cargo run -p ws-examples --example sans_io_by_hand
//! ```
//!
//! `ws-proto` knows the protocol and nothing else: no socket, no task, no clock. A driver brings the bytes and the time, and does five
//! things, which both drivers below have as comments:
//!
//! 1. it hands over the bytes that arrived,
//! 2. handles the events until there are no more,
//! 3. writes what `transmit` holds,
//! 4. keeps one timer, and tells when it fired or the peer ended its side,
//! 5. and obeys `transport`.
//!
//! [`blocking`] is a client over any `Read + Write`, here a `TcpStream` to an echo server of `ws-sync`. [`memory`] has no stream
//! at all: it drives two connections against each other under a clock that jumps from timer to timer, so that a minute of keepalive
//! passes in no time. That is how simulations and tests go.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread;
use ws_proto::handshake::Acceptance;
use ws_proto::{Config, Event, MessageRef};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || -> Result<(), ws_sync::OpenError> {
        let mut ws =
            ws_sync::accept(listener.accept()?.0, Config::default())?.accept(Acceptance::default())?;
        while let Ok(Some(message)) = ws.recv() {
            println!("  server receives {message:?}");
            let _gone = ws.send(message);
        }
        println!("  server: the end, {:?}", ws.close_info().map(|info| &info.received));
        Ok(())
    });
    println!("a blocking driver over TCP:");
    blocking::talk(TcpStream::connect(address)?, &format!("ws://{address}/"), &["Hello", "κόσμε"])?;
    server.join().expect("the server does not panic")?;

    println!("two connections driven against each other, without a stream:");
    for (end, info) in ["client", "server"].into_iter().zip(memory::run(&["Hello", "κόσμε"])) {
        println!(
            "  {end}: {}",
            info.map_or_else(|| "failed".to_owned(), |info| format!("closed with {}", info.sent.code.get()))
        );
    }
    Ok(())
}

/// An event in one line.
fn told(event: &Event<'_>) -> String {
    match event {
        Event::Message(MessageRef::Text(text)) => format!("{:?}", text.as_str()),
        Event::Closed(info) => {
            format!("goodbye, {} {:?}", info.received.code.get(), &*info.received.reason)
        }
        other => format!("{other:?}"),
    }
}

/// A complete client over any blocking `Read + Write`: opening handshake, messages, closing handshake.
mod blocking {
    use std::error::Error;
    use std::io::{Read, Write};
    use std::time::Instant;
    use ws_proto::bytes::{Buf, BytesMut};
    use ws_proto::handshake::{ClientHandshake, ClientHandshakeEvent};
    use ws_proto::{CloseCode, Config, Connection, Event, Negotiated, Transport, http::Request};

    /// Says each of `lines`, waits for as many messages, and closes.
    pub(super) fn talk<S: Read + Write>(
        mut stream: S,
        url: &str,
        lines: &[&str],
    ) -> Result<(), Box<dyn Error>> {
        let (negotiated, mut input) = shake_hands(&mut stream, url)?;
        let mut connection = Connection::new(negotiated, Config::default(), Instant::now());
        for line in lines {
            connection.send((*line).into())?;
        }
        let mut awaited = lines.len();
        loop {
            // 2. The events. The first bytes are those that came behind the handshake.
            while let Some(event) = connection.poll_event(&mut input, Instant::now()) {
                println!("  client receives {}", super::told(&event));
                if let Event::Message(_) = event {
                    awaited -= 1;
                }
            }
            if awaited == 0 {
                connection.close(CloseCode::NORMAL, "that was all", Instant::now())?;
            }
            // 3. Write. `transmit` is a `bytes::Buf`, so anything that writes those serves.
            std::io::copy(&mut connection.transmit().reader(), &mut stream)?;
            // 5. A client is told to go on or to close. A server may have to shut down the write side first.
            if connection.transport() == Transport::Close {
                return connection.failure().map_or(Ok(()), |failure| Err(failure.clone().into()));
            }
            // 1. Read, and 4. tell of the end of the stream and of the timer. This read cannot be interrupted, so the timer is late
            // when nothing comes: a timeout on the socket is the remedy, and what `ws-sync` sets.
            if !read(&mut stream, &mut input)? {
                connection.handle_eof(Instant::now());
            }
            connection.handle_timeout(Instant::now());
        }
    }

    /// The opening handshake is driven in the same way. What came behind it is the connection's first input.
    fn shake_hands<S: Read + Write>(
        stream: &mut S,
        url: &str,
    ) -> Result<(Negotiated, BytesMut), Box<dyn Error>> {
        let mut handshake =
            ClientHandshake::new(Request::get(url).body(())?, Config::default(), Instant::now())?;
        let mut input = BytesMut::new();
        loop {
            std::io::copy(&mut handshake.transmit().reader(), stream)?;
            if !read(stream, &mut input)? {
                handshake.handle_eof(Instant::now());
            }
            let mut rest = &input[..];
            let event = handshake.poll_event(&mut rest, Instant::now());
            input.advance(input.len() - rest.len());
            match event {
                Some(ClientHandshakeEvent::Failed(error)) => return Err(error.into()),
                Some(_) => return Ok((handshake.finish().ok_or("refused")?, input)),
                None => handshake.handle_timeout(Instant::now()),
            }
        }
    }

    /// False at the end of the stream.
    fn read(stream: &mut impl Read, input: &mut BytesMut) -> std::io::Result<bool> {
        let mut buf = [0; 4096];
        let n = stream.read(&mut buf)?;
        input.extend_from_slice(&buf[..n]);
        Ok(n > 0)
    }
}

/// Two connections, and nothing between them: what one writes, the other reads.
mod memory {
    use std::time::{Duration, Instant};
    use ws_proto::bytes::BufMut;
    use ws_proto::{CloseCode, CloseInfo, Config, Connection, Event, Negotiated, Role, Transport};

    struct End {
        connection: Connection,
        /// What has arrived: the only buffer that is needed, and empty in between.
        input: Vec<u8>,
        /// Has the peer ended its side, behind what is in `input`?
        ended: bool,
        /// Is the transport closed at this end?
        gone: bool,
    }

    /// The client says each of `lines`, both are silent for a minute, and the client closes. Returns how each end saw that.
    pub(super) fn run(lines: &[&str]) -> [Option<CloseInfo>; 2] {
        let start = Instant::now();
        let mut now = start;
        let [mut client, mut server] = [Role::Client, Role::Server].map(|role| {
            let connection = Connection::new(Negotiated::new(role), Config::default(), start);
            End { connection, input: Vec::new(), ended: false, gone: false }
        });
        for line in lines {
            client.connection.send((*line).into()).expect("an open connection takes messages");
        }
        loop {
            while client.turn(&mut server, start, now) | server.turn(&mut client, start, now) {}
            // 4. Nothing is under way, so time jumps to the next timer of either end.
            let ends = [&mut client, &mut server];
            let timers = ends.iter().filter(|end| !end.gone).filter_map(|end| end.connection.poll_timeout());
            now = match timers.min() {
                Some(next) => next,
                None => return [client, server].map(|end| end.connection.close_info().cloned()),
            };
            for end in ends {
                end.connection.handle_timeout(now);
            }
            if now - start >= Duration::from_secs(60) {
                client.connection.close(CloseCode::NORMAL, "a minute", now).expect("1000 may be sent");
            }
        }
    }

    impl End {
        /// Does all there is to do at this end; false if there was nothing.
        fn turn(&mut self, peer: &mut Self, start: Instant, now: Instant) -> bool {
            let mut busy = !self.input.is_empty();
            // 1. and 2. Payloads lie in the input. All of that is used up then: the connection has kept what it needs.
            let mut input = &mut self.input[..];
            while let Some(event) = self.connection.poll_event(&mut input, now) {
                let (time, role) = (now - start, self.connection.role());
                println!("  {time:?}, {role:?} receives {}", super::told(&event));
                if let (Event::Message(message), Role::Server) = (event, role) {
                    self.connection.send(message.into_message()).expect("an open connection takes messages");
                }
            }
            self.input.clear();
            if std::mem::take(&mut self.ended) {
                busy = true;
                self.connection.handle_eof(now);
            }
            // 3. To write is to fill the peer's buffer.
            busy |= !self.connection.transmit().is_empty();
            peer.input.put(self.connection.transmit());
            // 5. To close is to end the peer's input.
            if self.connection.transport() == Transport::Close && !self.gone {
                (self.gone, peer.ended, busy) = (true, true, true);
            }
            busy
        }
    }
}
