//! What a connection of a server owns that waits, measured by an allocator that counts for each thread. The clients have another.

mod common;
mod echo;

use common::server;
use echo::echo;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::yield_now;

/// A client that has got a message back, and then says nothing.
fn silent_client(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    // A masking key of zeros changes nothing.
    stream.write_all(b"\x81\x85\0\0\0\0Hello").unwrap();
    let mut echoed = [0; 7];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"\x81\x05Hello");
    stream
}

/// Bytes that each of many idle connections adds to the server's heap.
fn idle_bytes() -> i64 {
    const CONNECTIONS: i64 = 200;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (addr, running) = runtime.block_on(async {
        let (server, addr) = server().await;
        (addr, server.serve(echo))
    });
    let mut clients = Vec::new();
    let mut round = |count: i64| {
        let counted = allocation_counter::measure(|| {
            runtime.block_on(async {
                let (said, mut heard) = mpsc::unbounded_channel();
                let talking = thread::spawn(move || {
                    let clients: Vec<_> = (0..count).map(|_| silent_client(addr)).collect();
                    said.send(clients).unwrap();
                });
                clients.push(heard.recv().await.unwrap());
                talking.join().unwrap();
                // The last one waits again when other tasks had a turn.
                for _ in 0..10 {
                    yield_now().await;
                }
            });
        });
        counted.bytes_current
    };
    // What the thread, the runtime and the registry need once is no cost of a connection.
    round(20);
    let bytes = round(CONNECTIONS - 20) / (CONNECTIONS - 20);
    assert_eq!(i64::try_from(running.connections()).unwrap(), CONNECTIONS);
    bytes
}

#[test]
fn an_idle_connection_owns_little_more_than_its_task_its_socket_and_a_timer() {
    let bytes = idle_bytes();
    println!("an idle connection: {bytes} bytes");
    // What was last seen of a connection's counts, its span, and the next size of the allocator for a task.
    let observed = if cfg!(any(feature = "metrics", feature = "tracing")) { 120 } else { 0 };
    assert!(bytes <= 1440 + observed, "{bytes} bytes");
}
