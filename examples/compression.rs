//! permessage-deflate (RFC 7692): what is agreed on, and what it saves on the wire, for three settings and four kinds of messages.
//!
//! ```text
//! cargo run -p ws-examples --example compression
//! ```

use anyhow::{Context as _, Result};
use http::Request;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use ws_proto::deflate::DeflateConfig;
use ws_server::{Acceptance, Config, Message, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let off = Config::builder().deflate(None).build()?;
    // The default: each message is compressed by itself, so that a connection that is idle costs no memory.
    let alone = Config::default();
    // Each message is compressed with those before it in view. Better where messages resemble each other, at some 400 KiB a connection.
    let takeover = DeflateConfig {
        client_no_context_takeover: Some(false),
        server_no_context_takeover: Some(false),
        ..DeflateConfig::default()
    };
    let takeover = Config::builder().deflate(takeover).build()?;

    println!("{:>24}  {:>12}  {:>12}  {:>12}  {:>12}", "", "short text", "JSON", "JSON again", "noise");
    print!("{:>24}", "length of the message");
    for message in messages() {
        print!("  {:>12}", message.len());
    }
    println!();
    for (name, config) in [("off", off), ("each message alone", alone), ("with context takeover", takeover)] {
        let (agreed, sizes) = measure(Arc::new(config)).await?;
        print!("{name:>24}");
        for size in sizes {
            print!("  {size:>12}");
        }
        println!("   agreed on: {agreed}");
    }
    Ok(())
}

/// Connects a client and a server that both have these settings: what they agreed on, and how many bytes each message of the client took,
/// with frame header and masking key.
async fn measure(config: Arc<Config>) -> Result<(String, Vec<u64>)> {
    let server = Server::builder().config(Arc::clone(&config)).bind("127.0.0.1:0").await?;
    let addr = server.local_addr()?;
    server.serve(async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    });

    let written = Arc::new(AtomicU64::new(0));
    let stream = Counting { tcp: TcpStream::connect(addr).await?, written: Arc::clone(&written) };
    let request = Request::get(format!("ws://{addr}/")).body(())?;
    let (mut ws, response) = ws_tokio::connect(stream, request, config).await?;
    let agreed = match response.headers().get("sec-websocket-extensions") {
        Some(extensions) => extensions.to_str()?.to_owned(),
        None => "nothing".to_owned(),
    };
    let mut sizes = Vec::new();
    for message in messages() {
        let before = written.load(Ordering::Relaxed);
        ws.send(message.clone()).await?;
        ws.flush().await?;
        sizes.push(written.load(Ordering::Relaxed) - before);
        let echoed = ws.recv().await?.context("the server closed")?;
        assert_eq!(echoed, message, "compression changes nothing but the size");
    }
    Ok((agreed, sizes))
}

fn messages() -> [Message; 4] {
    let entry = |n: u32| {
        format!(r#"{{"id":{n},"user":"user-{}","text":"the same words again","read":false}}"#, n % 7)
    };
    let json = format!("[{}]", (0..20).map(entry).collect::<Vec<_>>().join(","));
    // A linear congruential generator: nothing that repeats, so nothing to be saved.
    let noise = (0..1000).scan(1_u32, |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state.to_be_bytes()[0])
    });
    // What is shorter than `threshold_bytes`, 128 by default, is not compressed.
    let noise = noise.collect::<Vec<_>>();
    [Message::from("hello"), Message::from(json.clone()), Message::from(json), Message::from(noise)]
}

/// Counts what is written.
struct Counting {
    tcp: TcpStream,
    written: Arc<AtomicU64>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write(cx, buf);
        if let Poll::Ready(Ok(n)) = outcome {
            self.written.fetch_add(n as u64, Ordering::Relaxed);
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
