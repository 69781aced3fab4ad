//! What is asked, and what comes of it.

use crate::support::{Echo, answering, read_head, silent};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;
use ws_client::blocking::{self, Client};
use ws_client::proto::http::{HeaderValue, Request, header};
use ws_client::{CloseCode, Error, Message, Redirects, Stage, Subprotocol, UrlError};
use ws_server::Server;

#[test]
fn connects_and_talks() {
    let server = Echo::start(Server::builder());
    let mut socket = blocking::connect(format!("ws://localhost:{}/", server.addr.port())).unwrap();
    for message in [Message::from("hello"), Message::from(vec![7; 100_000])] {
        socket.send(message.clone()).unwrap();
        assert_eq!(socket.recv().unwrap(), Some(message));
    }
    assert!(socket.get_ref().tcp().unwrap().nodelay().unwrap());
    assert_eq!(socket.close(CloseCode::NORMAL, "").unwrap().received.code, CloseCode::NORMAL);
}

#[test]
fn the_request_holds_what_was_set() {
    let (addr, heads) =
        answering(vec!["HTTP/1.1 403 Forbidden\r\ncontent-length: 12\r\n\r\nmembers only".into()]);
    let client = Client::builder()
        .basic_auth("Aladdin", "open sesame")
        .header(header::ORIGIN, HeaderValue::from_static("https://example.com"))
        .subprotocol(Subprotocol::new("v2").unwrap())
        .build();
    let request =
        Request::get(format!("ws://{addr}/a%20b?c=d")).header("x-request-id", "17").body(()).unwrap();
    let error = client.connect(request).err().unwrap();
    let refusal = error.response().unwrap();
    assert_eq!((refusal.status.as_u16(), &refusal.body[..]), (403, &b"members only"[..]));
    let head = heads.recv().unwrap();
    assert!(head.starts_with("GET /a%20b?c=d HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "authorization: basic qwxhzgrpbjpvcgvuihnlc2ftzq==",
        "origin: https://example.com",
        "sec-websocket-protocol: v2",
        "x-request-id: 17",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(!format!("{client:?} {error:?} {error}").contains("QWxhZGRpbjpvcGVuIHNlc2FtZQ"));
}

#[test]
fn a_redirect_to_another_origin_gets_no_credentials() {
    let (second, heads) = answering(vec!["HTTP/1.1 401 Unauthorized\r\n\r\n".into()]);
    let (first, _heads) =
        answering(vec![format!("HTTP/1.1 307 Elsewhere\r\nlocation: http://{second}/b\r\n\r\n")]);
    let client = Client::builder().bearer_auth("s3cret").redirects(Redirects::limit(1)).build();
    let error = client.connect(format!("ws://{first}/a")).err().unwrap();
    assert_eq!(error.response().unwrap().status, 401);
    let head = heads.recv().unwrap();
    assert!(head.starts_with("GET /b HTTP/1.1\r\n") && !head.contains("s3cret"), "{head}");
}

#[test]
fn what_cannot_work_is_told_by_stage() {
    assert!(matches!(blocking::connect("ws://example.com/#top"), Err(Error::Url(UrlError::Fragment))));
    let nobody = silent().0;
    let error = blocking::connect(format!("ws://{nobody}/")).err().unwrap();
    assert!(matches!(&error, Error::Connect(io) if io.kind() == ErrorKind::ConnectionRefused), "{error:?}");
    // RFC 6761 §6.4: such a name never resolves.
    let error = blocking::connect("ws://nothing.invalid/").err().unwrap();
    assert_eq!(error.stage(), Stage::Dns, "{error:?}");
    let (addr, _heads) = answering(vec!["SSH-2.0-none\r\n\r\n".into()]);
    assert!(matches!(blocking::connect(format!("ws://{addr}/")), Err(Error::Handshake(_))));
}

#[cfg(unix)]
#[test]
fn a_unix_socket_takes_the_place_of_the_host() {
    use std::os::unix::net::UnixListener;
    let path = std::env::temp_dir().join(format!("ws-client-blocking-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let (mut unix, _) = listener.accept().unwrap();
        read_head(&mut unix)
    });
    let error = Client::builder().unix_socket(&path).build().connect("ws://chat.example/x").err().unwrap();
    assert!(matches!(error, Error::Handshake(_)), "{error:?}");
    assert!(server.join().unwrap().starts_with("GET /x HTTP/1.1\r\n"));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn clones_in_other_threads_wait_for_their_turn_at_an_address() {
    let (addr, listener) = silent();
    let (asking, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let client = Client::default();
    thread::scope(|scope| {
        for _ in 0..8 {
            let client = client.clone();
            scope.spawn(move || assert!(client.connect(format!("ws://{addr}/")).is_err()));
        }
        for _ in 0..8 {
            let (mut tcp, _) = listener.accept().unwrap();
            let (asking, most) = (&asking, &most);
            scope.spawn(move || {
                most.fetch_max(asking.fetch_add(1, SeqCst) + 1, SeqCst);
                read_head(&mut tcp);
                // Whoever does not wait for a turn is here by now.
                (0..1000).for_each(|_| thread::yield_now());
                asking.fetch_sub(1, SeqCst);
                tcp.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").unwrap();
            });
        }
    });
    assert_eq!(most.load(SeqCst), 1);
}

#[test]
fn the_deadline_of_connecting_ends_with_it() {
    let server = Echo::start(Server::builder());
    let deadline = Duration::from_secs(5);
    let client = Client::builder().connect_timeout(deadline).build();
    let mut socket = client.connect(format!("ws://{}/", server.addr)).unwrap();
    // Every read and write before had what was left of it; what is set now is longer, and is the opening handshake's own.
    let tcp = socket.get_ref().tcp().unwrap();
    for timeout in [tcp.read_timeout().unwrap(), tcp.write_timeout().unwrap()] {
        assert!(timeout.is_none_or(|timeout| timeout > deadline), "{timeout:?}");
    }
    socket.send("late").unwrap();
    assert_eq!(socket.recv().unwrap(), Some("late".into()));
}
