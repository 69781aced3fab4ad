//! Connecting that is dropped after every number of polls, over TCP on this machine.

mod echo;

use echo::echo;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, yield_now};
use ws_server::Server;

/// Polls `future` so often, with everybody else running in between, and drops it where it is not ready then.
async fn within<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

#[tokio::test]
async fn a_connect_that_is_dropped_leaves_nothing_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let opened = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn({
        let opened = Arc::clone(&opened);
        async move {
            let mut ends = JoinSet::new();
            // The last one says so: it is dropped by nobody.
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, Ordering::Relaxed);
                let mut head = [0; 4];
                if tcp.read_exact(&mut head).await.is_ok() && &head == b"stop" {
                    break;
                }
                // It answers nothing: the client waits until it is dropped, and then this ends.
                ends.spawn(async move { while let Ok(1..) = tcp.read(&mut [0; 1024]).await {} });
            }
            ends.join_all().await.len()
        }
    });
    for polls in 0..40 {
        assert!(within(polls, ws_client::connect(&url)).await.is_none());
    }
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    let mut last = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut last, b"stop").await.unwrap();
    // It waits for the end of every connection that ever reached it.
    assert!(server.await.unwrap() <= opened.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_connect_that_is_dropped_at_every_point_harms_no_later_one() {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let running = server.serve(echo);
    for polls in 1.. {
        let Some(connected) = within(polls, ws_client::connect(&url)).await else { continue };
        let mut socket = connected.unwrap();
        socket.send("hello").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
        break;
    }
    // What was dropped is gone at the server too: nothing has to be aborted.
    assert_eq!(running.stop(std::time::Duration::from_secs(60)).await.aborted, 0);
}
