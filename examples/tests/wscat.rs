//! `wscat` as a process: what it sends, what it shows, and how it ends. The program is the one that `cargo test` builds beside this test.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tokio::runtime::Runtime;
use ws_proto::http::{Response, header};
use ws_server::{Acceptance, BoxError, CloseCode, Incoming, Server, Tls};

/// A server for the time of a test.
struct Peer {
    addr: SocketAddr,
    _runtime: Runtime,
}

impl Peer {
    fn plain() -> Self {
        Self::start(None)
    }

    fn start(tls: Option<Tls>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let addr = runtime.block_on(async {
            let mut server = Server::builder();
            if let Some(tls) = tls {
                server = server.tls(tls);
            }
            let server = server.bind("127.0.0.1:0").await.unwrap();
            let addr = server.local_addr().unwrap();
            server.serve(answer);
            addr
        });
        Self { addr, _runtime: runtime }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.addr)
    }
}

async fn answer(incoming: Incoming) -> Result<(), BoxError> {
    let path = incoming.request().uri().path().to_owned();
    let headers = incoming.request().headers().clone();
    if path == "/refuse" {
        return Ok(incoming.reject(Response::builder().status(403).body("members only".into())?).await?);
    }
    let mut acceptance = Acceptance::default();
    if let Some(first) = incoming.subprotocols().first() {
        acceptance = acceptance.subprotocol(first.clone());
    }
    let mut socket = incoming.accept(acceptance).await?;
    match path.as_str() {
        "/headers" => {
            for name in [header::AUTHORIZATION, header::ORIGIN, header::HeaderName::from_static("x-room")] {
                let value = headers.get(&name).map_or("none", |value| value.to_str().unwrap());
                socket.send(format!("{name}: {value}")).await?;
            }
        }
        "/count" => {
            for number in 0..10 {
                socket.send(number.to_string()).await?;
            }
        }
        "/fault" => {
            socket.close(CloseCode::INTERNAL_ERROR, "out of tea\x1b[2J").await?;
        }
        "/drop" => {
            socket.send("last words").await?;
            socket.flush().await?;
            drop(socket.into_parts());
            return Ok(());
        }
        "/broken" => {
            // A frame with a reserved opcode.
            if let Some(parts) = socket.into_parts() {
                let mut stream = parts.stream;
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"\x83\0").await?;
                let mut rest = Vec::new();
                tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await?;
            }
            return Ok(());
        }
        _ => {}
    }
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

/// Runs it to its end, with `stdin` as its whole input.
fn wscat(stdin: &[u8], arguments: &[&str]) -> Ran {
    wscat_with(stdin, arguments, &[])
}

fn wscat_with(stdin: &[u8], arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(program())
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let Output { status, stdout, stderr } = std::thread::scope(|scope| {
        // While its output is read. One that ends before it has read all of this is none the worse.
        scope.spawn(move || input.write_all(stdin).is_ok());
        child.wait_with_output().unwrap()
    });
    Ran {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    path.push(format!("wscat{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not there; cargo build --examples makes it", path.display());
    path
}

#[test]
fn each_line_is_a_message_and_each_reply_is_a_line() {
    let peer = Peer::plain();
    let ran = wscat("hello\n/ping\n\nGrüße".as_bytes(), &[&peer.url("/")]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "hello\n/ping\n\nGrüße\n"));
    assert_eq!(ran.stderr, "closed\n");
}

#[test]
fn many_lines_come_back_complete_and_in_order() {
    let peer = Peer::plain();
    let lines: String = (0..20_000).map(|number| format!("line {number} of many\n")).collect();
    let ran = wscat(lines.as_bytes(), &[&peer.url("/")]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout == lines);
}

#[test]
fn binary_messages_are_shown_in_hexadecimal_or_as_they_are() {
    let peer = Peer::plain();
    assert_eq!(wscat(b"ab\n", &["--binary", &peer.url("/")]).stdout, "6162\n");
    assert_eq!(wscat(b"ab\ncd\n", &["--binary", "--raw", &peer.url("/")]).stdout, "abcd");
    assert_eq!(wscat(b"/hex 00 ff\n", &["--commands", &peer.url("/")]).stdout, "00ff\n");
}

#[test]
fn json_is_shown_over_several_lines() {
    let peer = Peer::plain();
    let ran = wscat(b"{\"b\":[1,2],\"a\":1.0}\nnone\n", &["--json", &peer.url("/")]);
    assert_eq!(ran.stdout, "{\n  \"b\": [\n    1,\n    2\n  ],\n  \"a\": 1.0\n}\nnone\n");
}

#[test]
fn commands_ping_and_close() {
    let peer = Peer::plain();
    let ran = wscat(b"/ping tea\n/nothing\n/close 4001 done\n", &["--commands", "-w", "5", &peer.url("/")]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("there is no /nothing"), "{}", ran.stderr);
    let pong = ran.stderr.lines().find(|line| line.starts_with("pong \"tea\" after ")).unwrap();
    assert!(pong.ends_with('s'), "{pong}");
}

#[test]
fn it_ends_behind_as_many_messages_as_were_wanted() {
    let peer = Peer::plain();
    let ran = wscat(b"", &["-n", "3", &peer.url("/count")]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "0\n1\n2\n"));
    let ran = wscat(b"", &["-m", "one", "-m", "two", "-n", "2", &peer.url("/")]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "one\ntwo\n"));
    let ran = wscat(b"", &["-n", "11", "-w", "0.1", &peer.url("/count")]);
    assert_eq!(ran.status, 5, "{}", ran.stderr);
    assert_eq!(ran.stderr, "closed; 10 of 11 messages came\n");
}

#[test]
fn how_the_connection_ended_is_the_exit_status() {
    let peer = Peer::plain();
    let dropped = wscat(b"", &["-w", "60", &peer.url("/drop")]);
    assert_eq!((dropped.status, dropped.stdout.as_str()), (3, "last words\n"));
    assert!(dropped.stderr.starts_with("the connection was lost: "), "{}", dropped.stderr);
    let broken = wscat(b"", &["-w", "60", &peer.url("/broken")]);
    assert_eq!(broken.status, 3, "{}", broken.stderr);
    let fault = wscat(b"", &["-w", "60", &peer.url("/fault")]);
    assert_eq!(fault.status, 4);
    assert_eq!(fault.stderr, "the server closed: 1011, out of tea\\u{1b}[2J\n");
}

#[test]
fn no_connection_is_told_in_one_sentence() {
    let peer = Peer::plain();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://user:s3cret@{nobody}");
    for arguments in [
        vec![format!("ws://{nobody}/")],
        vec![peer.url("/refuse")],
        vec!["--proxy".to_owned(), proxy, peer.url("/")],
        vec![format!("wss://{}/", peer.addr)],
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let ran = wscat(b"", &arguments);
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.lines().count()),
            (1, "", 1),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    let refused = wscat(b"", &["-v", &peer.url("/refuse")]);
    assert!(refused.stderr.contains("members only") && refused.stderr.contains("403"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_with_the_command_line_is_told_before_anything_is_sent() {
    for arguments in [
        &["--nothing"][..],
        &[],
        &["http://localhost/"],
        &["-H", "none", "ws://localhost/"],
        &["-s", "a b", "ws://localhost/"],
        &["--ca", "/nowhere.pem", "wss://localhost/"],
        &["--proxy", "ftp://s3cret@localhost", "ws://localhost/"],
        &["--bearer", "ws://localhost/"],
        &["--user", "a:b", "--bearer", "ws://localhost/"],
    ] {
        let ran = wscat(b"", arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}

#[test]
fn headers_and_credentials_reach_the_server() {
    let peer = Peer::plain();
    let url = peer.url("/headers");
    let origin = format!("http://{}", peer.addr);
    let environment = [("WSCAT_PASSWORD", "s3cret"), ("WSCAT_TOKEN", "t0ken")];
    let basic = wscat_with(b"", &["-n3", "-u", "ada", "-H", "X-Room: 7", "-o", &origin, &url], &environment);
    // echo -n ada:s3cret | base64
    let expected = format!("authorization: Basic YWRhOnMzY3JldA==\norigin: {origin}\nx-room: 7\n");
    assert_eq!((basic.status, basic.stdout), (0, expected));
    let bearer = wscat_with(b"", &["-v", "-n3", "--bearer", &url], &environment);
    assert!(bearer.stdout.starts_with("authorization: Bearer t0ken\norigin: none\n"), "{}", bearer.stdout);
    assert!(!bearer.stderr.contains("t0ken"), "{}", bearer.stderr);
}

#[test]
fn what_was_agreed_on_is_told_to_who_asks() {
    let peer = Peer::plain();
    let told = wscat(b"", &["-v", "-s", "chat.v2", "-s", "chat.v1", &peer.url("/")]).stderr;
    for line in [
        "  subprotocol  chat.v2",
        "  compression  permessage-deflate; client window 15 bits",
        "  upgrade: websocket",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let told = wscat(b"", &["-v", "--no-compression", &peer.url("/")]).stderr;
    assert!(told.contains("  compression  none") && told.contains("  subprotocol  none"), "{told}");
    let asked = wscat(b"/info\n", &["--commands", &peer.url("/")]).stderr;
    assert!(asked.contains("  subprotocol  none"), "{asked}");
}

#[test]
fn certificates_are_checked_unless_somebody_says_otherwise_and_is_warned() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let peer = Peer::start(Some(tls));
    let url = format!("wss://localhost:{}/", peer.addr.port());
    let directory = std::env::temp_dir().join(format!("wscat-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let ca = directory.join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let ca = ca.to_str().unwrap();

    let trusting = wscat(b"a\n", &["-v", "--ca", ca, &url]);
    assert_eq!((trusting.status, trusting.stdout.as_str()), (0, "a\n"), "{}", trusting.stderr);
    assert!(trusting.stderr.contains("  TLS          TLSv1_3 "), "{}", trusting.stderr);
    let another_name = url.replace("localhost", "127.0.0.1");
    assert_eq!(wscat(b"a\n", &["--ca", ca, &another_name]).status, 1);
    assert_eq!(wscat(b"a\n", &[&url]).status, 1);
    let insecure = wscat(b"a\n", &["--insecure", &another_name]);
    assert_eq!((insecure.status, insecure.stdout.as_str()), (0, "a\n"), "{}", insecure.stderr);
    assert!(insecure.stderr.starts_with("WARNING: --insecure"), "{}", insecure.stderr);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn help_tells_everything() {
    let ran = wscat(b"", &["--help"]);
    assert_eq!(ran.status, 0);
    for told in ["Exit status:", "Examples:", "/hex 00ff", "NO_COLOR", "--connect-timeout", "HTTPS_PROXY"] {
        assert!(ran.stdout.contains(told), "{told}");
    }
}
