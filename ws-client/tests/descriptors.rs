//! Connecting that is dropped at any point leaves no socket open. In a process of its own, for its descriptors are counted.
#![cfg(target_os = "linux")]

mod echo;

use echo::echo;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use ws_client::{Client, Proxy, Redirects};
use ws_server::Server;

fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Polls `future` so often, with everybody else running in between, and drops it where it is not ready then.
async fn within<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// The servers are in this process too. They close when the client has, so whatever stays open is the client's fault.
async fn settled(before: usize) -> bool {
    for _ in 0..1_000_000 {
        if open() == before {
            return true;
        }
        yield_now().await;
    }
    false
}

async fn serve(server: Server) -> SocketAddr {
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    addr
}

/// A proxy for CONNECT, or for SOCKS5, that leads to `upstream`; a server that redirects where there is none.
async fn proxy(answers: &'static [(usize, &'static [u8])], upstream: Option<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                for &(asked, answer) in answers {
                    // A fixed number of bytes, or a head.
                    let mut got = Vec::new();
                    while if asked == 0 { !got.ends_with(b"\r\n\r\n") } else { got.len() < asked } {
                        got.push(near.read_u8().await.ok()?);
                    }
                    near.write_all(answer).await.ok()?;
                }
                if let Some(upstream) = upstream {
                    let mut far = TcpStream::connect(upstream).await.ok()?;
                    copy_bidirectional(&mut near, &mut far).await.ok()?;
                }
                Some(())
            });
        }
    });
    addr
}

#[tokio::test]
async fn a_connect_that_is_dropped_at_any_await_leaves_no_descriptor() {
    let plain = serve(Server::builder().bind("127.0.0.1:0").await.unwrap()).await;
    let http = proxy(&[(0, b"HTTP/1.1 200 OK\r\n\r\n")], Some(plain)).await;
    let socks = proxy(&[(3, b"\x05\0"), (16, b"\x05\0\0\x01\0\0\0\0\0\0")], Some(plain)).await;
    let location = format!("HTTP/1.1 302 x\r\nLocation: http://{plain}/\r\nContent-Length: 0\r\n\r\n");
    let location: &'static [u8] = location.leak().as_bytes();
    let redirecting = proxy(vec![(0, location)].leak(), None).await;
    let many = async |_: String| Ok(vec![Ipv4Addr::new(127, 0, 0, 9).into(), Ipv4Addr::LOCALHOST.into()]);

    let through = |url: String| Client::builder().proxy(Proxy::new(&url).unwrap());
    #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "one more with TLS"))]
    let mut ways = vec![
        (Client::builder(), format!("ws://{plain}/")),
        (Client::builder().resolver(many), format!("ws://host.test:{}/", plain.port())),
        (through(format!("http://{http}")), "ws://host.test/".to_owned()),
        (through(format!("socks5://{socks}")), "ws://host.test/".to_owned()),
        (Client::builder().redirects(Redirects::limit(1)), format!("ws://{redirecting}/")),
    ];
    #[cfg(feature = "tls")]
    {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        let tls = ws_server::Tls::from_pem(made.cert.pem().as_bytes(), key.as_bytes()).unwrap();
        let secure = serve(Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap()).await;
        let trusting = Client::builder().roots(ws_client::Roots::Added).add_roots([made.cert.der().clone()]);
        ways.push((trusting, format!("wss://{secure}/")));
    }
    // The descriptor of the directory itself is counted each time.
    let before = open();
    for (builder, url) in ways {
        let client = builder.build();
        for polls in 0.. {
            match within(polls, client.connect(&url)).await {
                None => assert!(settled(before).await, "{url}: {polls} polls"),
                Some(connected) => {
                    drop(connected.unwrap());
                    assert!(polls > 2 && settled(before).await, "{url}: after it was open");
                    break;
                }
            }
        }
    }
}
