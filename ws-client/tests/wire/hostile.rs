//! Servers that mean no good, or do not know better: each ends in its error, in bounded time and memory.

use crate::support::{accepted, answering, drain, header, read_head, scripted, without};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use ws_client::proto::http::{HeaderValue, Request};
use ws_client::{Client, Error, Proxy, ProxyError, Stage, Subprotocol, UrlError};
use ws_proto::ApiMisuse;
use ws_proto::handshake::HandshakeError;

/// The error of a client that is answered so.
async fn error_of(answer: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> Error {
    let (addr, _heads) = answering(answer).await;
    ws_client::connect(format!("ws://{addr}/")).await.err().unwrap()
}

/// The error of a rule that a server broke.
async fn fault_of(answer: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> HandshakeError {
    match error_of(answer).await {
        Error::Handshake(error) => error,
        error => panic!("{error:?}"),
    }
}

/// The right answer with this line more.
fn with(line: &'static str) -> impl Fn(&str) -> String + Clone + Send + Sync {
    move |head| accepted(head).replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
}

#[tokio::test]
async fn a_wrong_or_missing_accept_is_found_out() {
    let wrong = |head: &str| {
        let right = accepted(head);
        let accept = header(&right, "sec-websocket-accept").unwrap();
        right.replace(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    };
    assert!(matches!(fault_of(wrong).await, HandshakeError::WrongAccept));
    let missing = |head: &str| without(&accepted(head), "sec-websocket-accept");
    let fault = fault_of(missing).await;
    assert!(matches!(fault, HandshakeError::MissingAccept), "{fault:?}");
    let repeated = with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(matches!(fault_of(repeated).await, HandshakeError::RepeatedAccept));
}

#[tokio::test]
async fn what_was_not_offered_is_not_taken() {
    let fault = fault_of(with("Sec-WebSocket-Protocol: chat")).await;
    assert!(matches!(fault, HandshakeError::SubprotocolNotOffered), "{fault:?}");
    let fault = fault_of(with("Sec-WebSocket-Extensions: x-unknown")).await;
    assert!(matches!(fault, HandshakeError::ExtensionNotOffered), "{fault:?}");
}

#[tokio::test]
async fn another_status_is_a_refusal_with_its_body() {
    for status in [200, 204, 401, 403, 404, 500, 503] {
        let body = if status == 204 { "" } else { "because" };
        let error = error_of(move |_| {
            let len = body.len();
            format!("HTTP/1.1 {status} x\r\nRetry-After: 7\r\nContent-Length: {len}\r\n\r\n{body}")
        })
        .await;
        let refusal = error.response().unwrap();
        assert_eq!((refusal.status.as_u16(), &refusal.body[..]), (status, body.as_bytes()));
        assert_eq!(refusal.headers["retry-after"], "7");
        assert_eq!(error.stage(), Stage::Handshake);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_body_of_a_refusal_is_cut_off() {
    let (written, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&written);
    let endless = scripted(move |mut io| {
        let written = Arc::clone(&counting);
        async move {
            read_head(&mut io).await;
            io.write_all(b"HTTP/1.1 403 x\r\n\r\n").await.unwrap();
            while io.write_all(&[b'a'; 1000]).await.is_ok() {
                written.fetch_add(1000, Ordering::Relaxed);
            }
        }
    });
    let error = endless.build().connect("ws://host.test/").await.err().unwrap();
    assert_eq!(error.response().unwrap().body.len(), 16 << 10);
    assert!(written.load(Ordering::Relaxed) < 32 << 10);

    let counting = Arc::clone(&count);
    let trickled = scripted(move |mut io| {
        let count = Arc::clone(&counting);
        async move {
            read_head(&mut io).await;
            io.write_all(b"HTTP/1.1 403 x\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
            while io.write_all(b"a").await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    });
    let start = Instant::now();
    let error = trickled.build().connect("ws://host.test/").await.err().unwrap();
    assert_eq!((start.elapsed().as_secs(), &error.response().unwrap().body[..]), (1, &b"aaaa"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_endless_head_is_cut_off() {
    for line in ["x: y\r\n", "abcdefghijklmnopqrstuvwxyz"] {
        let written = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&written);
        let client = scripted(move |mut io| {
            let written = Arc::clone(&counting);
            async move {
                read_head(&mut io).await;
                io.write_all(b"HTTP/1.1 101 x\r\nx: ").await.unwrap();
                while io.write_all(line.as_bytes()).await.is_ok() {
                    written.fetch_add(line.len(), Ordering::Relaxed);
                }
            }
        });
        let error = client.build().connect("ws://host.test/").await.err().unwrap();
        assert!(
            matches!(
                error,
                Error::Handshake(HandshakeError::HeadTooLarge { .. } | HandshakeError::TooManyHeaders { .. })
            ),
            "{error:?}"
        );
        assert!(written.load(Ordering::Relaxed) < 32 << 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trickled_or_silent_server_has_its_deadline_and_the_stage_is_named() {
    let trickled = scripted(|mut io| async move {
        read_head(&mut io).await;
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nX-Filler: abcdefghijklmnopqrstuvwxyz\r\n" {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if io.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    });
    let silent = scripted(|mut io| async move { drain(&mut io).await });
    let whole =
        scripted(|mut io| async move { drain(&mut io).await }).connect_timeout(Duration::from_secs(3));
    for (client, seconds) in [(trickled, 10), (silent, 10), (whole, 3)] {
        let start = Instant::now();
        let error = client.build().connect("ws://host.test/").await.err().unwrap();
        assert!(matches!(error, Error::Timeout(Stage::Handshake)), "{error:?}");
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn each_stage_has_its_deadline() {
    let start = Instant::now();
    let client = Client::builder().resolver(async |_: String| std::future::pending().await);
    let error = client.dns_timeout(Duration::from_secs(4)).build().connect("ws://host.test/").await;
    assert!(matches!(error, Err(Error::Timeout(Stage::Dns))), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 4);

    let connector =
        async |_: ws_client::Destination| std::future::pending::<std::io::Result<tokio::io::Empty>>().await;
    let client = Client::builder().connector(move |to| {
        let connecting = connector(to);
        async move { connecting.await.map(|_| tokio::io::duplex(1).0) }
    });
    let error = client.tcp_timeout(Duration::from_secs(5)).build().connect("ws://host.test/").await;
    assert!(matches!(error, Err(Error::Timeout(Stage::Connect))), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[cfg(feature = "tls")]
#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_in_tls_has_its_deadline() {
    let client = scripted(|mut io| async move { drain(&mut io).await });
    let client = client.danger_accept_invalid_certificates(true).tls_timeout(Duration::from_secs(6)).build();
    // Setting TLS up is done in a thread; simulated time must not run meanwhile.
    assert!(matches!(client.connect("wss://host.test/").await, Err(Error::Timeout(_))));
    let start = Instant::now();
    let error = client.connect("wss://host.test/").await;
    assert!(matches!(error, Err(Error::Timeout(Stage::Tls))), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 6);
}

#[tokio::test]
async fn a_stream_that_ends_early_is_told() {
    for answer in ["", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"] {
        let client = scripted(move |mut io| async move {
            read_head(&mut io).await;
            io.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = client.build().connect("ws://host.test/").await.err().unwrap();
        assert!(matches!(error, Error::Handshake(HandshakeError::EndOfStream)), "{error:?}");
    }
}

#[tokio::test]
async fn headers_beyond_ascii_are_bytes_like_others() {
    let answer = |line: &'static [u8], status: &'static str| {
        scripted(move |mut io| async move {
            let right = accepted(&read_head(&mut io).await);
            let (_, rest) = right.split_once("\r\n").unwrap();
            let head = [status.as_bytes(), b"\r\n", line, b"\r\n", rest.as_bytes()].concat();
            io.write_all(&head).await.unwrap();
            // A refusal has a body up to here.
            if status.contains("101") {
                drain(&mut io).await;
            }
        })
        .build()
    };
    for line in [&b"X-Name: \xe9"[..], b"Set-Cookie: a=\xff\xfe", b"Server: \xc3\xa9"] {
        let opened = answer(line, "HTTP/1.1 101 x").connect_with_response("ws://host.test/").await;
        let value = &line[line.iter().position(|&byte| byte == b' ').unwrap() + 1..];
        assert!(opened.unwrap().1.headers().values().any(|it| it.as_bytes() == value));
        let error = answer(line, "HTTP/1.1 401 x").connect("ws://host.test/").await.err().unwrap();
        assert!(error.response().unwrap().headers.values().any(|it| it.as_bytes() == value));
    }
    let error = answer(b"Sec-WebSocket-Protocol: \xe9", "HTTP/1.1 101 x").connect("ws://host.test/").await;
    assert!(matches!(error, Err(Error::Handshake(_))), "{error:?}");
}

#[tokio::test]
async fn nothing_can_be_smuggled_into_the_request() {
    for url in ["ws://host.test/\r\nx: y", "ws://host.test\r\n/", "ws://ho\nst/", "ws://host.test/ HTTP/1.1"]
    {
        let error = ws_client::connect(url).await.err().unwrap();
        assert!(matches!(error, Error::Url(UrlError::Malformed)), "{url:?} {error:?}");
    }
    assert!(HeaderValue::from_str("a\r\nb: c").is_err() && Subprotocol::new("a\r\nb: c").is_err());
    assert!(matches!(Proxy::new("http://a\r\nb: c"), Err(ProxyError::Url)));
    for client in [Client::builder().bearer_auth("a\r\nb: c"), Client::builder().basic_auth("a", "b\r\nc: d")]
    {
        assert!(matches!(client.build().connect("ws://127.0.0.1:1/").await, Err(Error::Credentials)));
    }
    // Not through what a proxy is told, either.
    let client = Client::builder().proxy(Proxy::new("127.0.0.1").unwrap().basic_auth("a\r\n", "b"));
    let client = client.connector(async |_| Ok(tokio::io::duplex(64).0)).build();
    assert!(matches!(client.connect("ws://host.test/").await, Err(Error::Credentials)));
}

#[tokio::test]
async fn headers_of_the_handshake_are_not_the_callers() {
    let (addr, mut heads) = answering(accepted).await;
    for name in
        ["sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "upgrade", "connection"]
    {
        let request = Request::get(format!("ws://{addr}/")).header(name, "x").body(()).unwrap();
        let error = Client::default().connect(request).await.err().unwrap();
        assert!(matches!(error, Error::Misuse(ApiMisuse::ReservedHeader)), "{name}: {error:?}");
    }
    let request = Request::post(format!("ws://{addr}/")).body(()).unwrap();
    let error = Client::default().connect(request).await.err().unwrap();
    assert!(matches!(error, Error::Misuse(ApiMisuse::NotAGetRequest)), "{error:?}");
    assert!(heads.try_recv().is_err(), "something was sent");
}

#[cfg(feature = "deflate")]
mod deflate {
    use super::*;
    use ws_client::proto::Failure;
    use ws_client::{Config, Message};
    use ws_proto::handshake::Acceptance;
    use ws_server::Server;

    #[tokio::test]
    async fn parameters_that_cannot_be_are_refused() {
        for bits in ["0", "7", "16", "08", "\"16\"", "15; server_max_window_bits=15"] {
            let line = format!("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={bits}");
            let line: &'static str = line.leak();
            let answer = move |head: &str| {
                let plain = without(&accepted(head), "sec-websocket-extensions");
                plain.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
            };
            let fault = fault_of(answer).await;
            assert!(matches!(fault, HandshakeError::InvalidDeflateParameter), "{bits}: {fault:?}");
        }
    }

    #[tokio::test]
    async fn a_bomb_is_defused() {
        let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
        let addr = server.local_addr().unwrap();
        server.serve(async |incoming| {
            let mut socket = incoming.accept(Acceptance::default()).await?;
            socket.send(Message::from(vec![0; 4 << 20])).await?;
            socket.recv().await?;
            Ok(())
        });
        let config = Config::builder().max_message_bytes(1 << 20).build().unwrap();
        let mut socket =
            Client::builder().config(config).build().connect(format!("ws://{addr}/")).await.unwrap();
        let error = socket.recv().await.unwrap_err();
        assert!(matches!(error, ws_tokio::Error::Failed(Failure::Limit(_))), "{error:?}");
    }
}
