//! Graceful stop.

mod client;
mod common;
mod echo;

use client::{connect, exchange, open};
use common::server;
use echo::echo;
use std::future::pending;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_server::proto::http::Request;
use ws_server::{Acceptance, CloseCode, Drain, Message, StopReport};

/// Longer than any test takes: what waits for it hangs, and a test that hangs is seen.
const LONG: Duration = Duration::from_secs(60);

fn report(ended: usize, clean: usize, aborted: usize) -> StopReport {
    let mut report = StopReport::default();
    (report.ended, report.clean, report.aborted) = (ended, clean, aborted);
    report
}

#[tokio::test]
async fn stopping_closes_every_socket_with_1001_and_waits_for_the_handlers() {
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let mut clients = [connect(addr, "/").await, connect(addr, "/").await];
    for client in &mut clients {
        client.send("hello").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    }
    let stopping = tokio::spawn({
        let running = running.clone();
        async move { running.stop(LONG).await }
    });
    for client in &mut clients {
        assert_eq!(client.recv().await.unwrap(), None);
        let info = client.close_info().unwrap();
        assert_eq!(info.received.code, CloseCode::GOING_AWAY);
    }
    assert_eq!(stopping.await.unwrap(), report(2, 2, 0));
    assert_eq!(running.connections(), 0);
    assert_eq!(running.stop(LONG).await, report(2, 2, 0));
    assert!(TcpStream::connect(addr).await.is_err(), "it does not listen any more");
}

#[tokio::test]
async fn sockets_are_closed_without_help_from_their_handlers() {
    let (server, addr) = server().await;
    let running = server.serve(async |incoming| {
        let _socket = incoming.accept(Acceptance::default()).await?;
        pending().await
    });
    let mut client = connect(addr, "/").await;
    let stopping = tokio::spawn(async move { running.stop(Duration::from_millis(50)).await });
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    assert_eq!(stopping.await.unwrap(), report(0, 0, 1));
}

#[tokio::test]
async fn handlers_that_do_not_end_are_aborted() {
    let (server, addr) = server().await;
    let (alive, mut aborted) = mpsc::channel::<()>(1);
    let running = server.serve(move |incoming| {
        let alive = alive.clone();
        async move {
            let _socket = incoming.accept(Acceptance::default()).await?;
            let _alive = alive;
            pending().await
        }
    });
    let _client = connect(addr, "/").await;
    assert_eq!(running.stop(Duration::ZERO).await, report(0, 0, 1));
    drop(running);
    assert_eq!(aborted.recv().await, None, "all that the handler had was dropped");
}

#[tokio::test]
async fn a_shorter_grace_holds_for_a_stop_that_goes_on() {
    let (server, addr) = server().await;
    let running = server.serve(async |incoming| {
        let _socket = incoming.accept(Acceptance::default()).await?;
        pending().await
    });
    let _client = connect(addr, "/").await;
    let patient = tokio::spawn({
        let running = running.clone();
        async move { running.stop(Duration::MAX).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(running.stop(Duration::ZERO).await, report(0, 0, 1));
    assert_eq!(patient.await.unwrap(), report(0, 0, 1));
}

#[tokio::test]
async fn connections_without_a_request_are_dropped() {
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let silent = tokio::spawn(exchange(addr, b""));
    while running.connections() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.stop(LONG).await, report(1, 0, 0));
    assert_eq!(silent.await.unwrap(), "");
}

#[tokio::test]
async fn a_socket_that_is_accepted_while_the_server_stops_is_closing_at_once() {
    let (server, addr) = server().await;
    let (decide, decided) = tokio::sync::watch::channel(false);
    let running = server.serve(move |incoming| {
        let mut decided = decided.clone();
        async move {
            decided.wait_for(|decided| *decided).await?;
            let mut socket = incoming.accept(Acceptance::default()).await?;
            while socket.recv().await?.is_some() {}
            Ok(())
        }
    });
    let request = Request::get(format!("ws://{addr}/")).body(()).unwrap();
    let client = tokio::spawn(open(addr, request));
    while running.connections() == 0 {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::spawn(async move { running.stop(LONG).await });
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    decide.send_replace(true);
    // The request may have been on its way when the server began to stop: then the connection was dropped.
    if let Ok((mut client, _)) = client.await.unwrap() {
        assert_eq!(client.recv().await.unwrap(), None);
        assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    }
    assert_eq!(stopping.await.unwrap().ended, 1);
}

#[tokio::test]
async fn sockets_that_outlive_their_handlers_are_closed_and_waited_for() {
    let (server, addr) = server().await;
    let running = server.serve(async |incoming| {
        let mut socket = incoming.accept(Acceptance::default()).await?;
        tokio::spawn(async move { while let Ok(Some(_)) = socket.recv().await {} });
        Ok(())
    });
    let mut client = connect(addr, "/").await;
    let stopping = tokio::spawn({
        let running = running.clone();
        async move { running.stop(LONG).await }
    });
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    assert_eq!(stopping.await.unwrap(), report(1, 1, 0));
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let (server, _) = server().await;
    let running = server.serve(echo);
    assert_eq!(running.stop(LONG).await, report(0, 0, 0));
}

#[tokio::test]
async fn clients_that_go_without_a_close_frame_are_not_counted_as_clean() {
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let client = connect(addr, "/").await;
    let stopping = tokio::spawn({
        let running = running.clone();
        async move { running.stop(LONG).await }
    });
    // Takes the stream, and with it the connection, without an answer to what comes.
    drop(client.into_parts());
    assert_eq!(stopping.await.unwrap(), report(1, 0, 0));
}

#[tokio::test]
async fn a_connection_that_ends_in_the_moment_of_stopping_is_counted_as_it_ended() {
    for socket_ends_first in [true, false] {
        let (server, addr) = server().await;
        let (end, ended) = tokio::sync::watch::channel(false);
        let (closed, mut was_closed) = mpsc::unbounded_channel();
        let running = server.serve(move |incoming| {
            let (mut ended, closed) = (ended.clone(), closed.clone());
            async move {
                let mut socket = Some(incoming.accept(Acceptance::default()).await?);
                while socket.as_mut().unwrap().recv().await?.is_some() {}
                if socket_ends_first {
                    socket = None;
                }
                closed.send(())?;
                ended.wait_for(|end| *end).await?;
                drop(socket);
                Ok(())
            }
        });
        let mut client = connect(addr, "/").await;
        client.close(CloseCode::NORMAL, "").await.unwrap();
        was_closed.recv().await.unwrap();
        // The handler ends when the server is told to stop, and before it does.
        end.send_replace(true);
        assert_eq!(running.stop(LONG).await, report(1, 1, 0), "{socket_ends_first}");
    }
}

#[tokio::test]
async fn closing_may_be_spread_over_any_time() {
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let clients = [connect(addr, "/").await, connect(addr, "/").await];
    let drain = Drain::new(Duration::from_millis(10)).spread(Duration::MAX);
    let stopped = running.stop(drain).await;
    assert_eq!(stopped.ended + stopped.aborted, clients.len());
}

#[tokio::test]
async fn connections_with_unsent_bytes_are_counted() {
    let (server, addr) = server().await;
    let (begun, mut sending) = mpsc::unbounded_channel();
    let running = server.serve(move |incoming| {
        let begun = begun.clone();
        async move {
            let mut socket = incoming.accept(Acceptance::default()).await?;
            begun.send(())?;
            // More than all buffers on the way take.
            socket.send_uncompressed(vec![0; 64 << 20]).await?;
            Ok(())
        }
    });
    let _client = connect(addr, "/").await;
    sending.recv().await.unwrap();
    let stopped = running.stop(Duration::ZERO).await;
    assert_eq!((stopped.aborted, stopped.clean, stopped.unsent), (1, 0, 1));
}
