//! The opening handshake: as it should be where the fault lies elsewhere, else written by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_proto::handshake::Acceptance;
use ws_proto::{Config, Entropy, Negotiated, Role, http};

use super::compression::Deflate;
use super::fault::Fault;
use super::wire::Wire;

/// An open connection.
pub(super) type Opened<S> = Option<(Wire<S>, Option<Deflate>)>;

/// Waits for a request, and accepts it.
pub(super) async fn accept<S>(mut stream: S, fault: Fault) -> Opened<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (name, value) = match fault {
        Fault::AcceptsAnyRequest
        | Fault::TakesUpgradeByTheLetter
        | Fault::RefusesProtocols
        | Fault::WrongAcceptKey
        | Fault::AnswersWithStatus200
        | Fault::AnswersWithoutUpgrade
        | Fault::AnswersWithoutConnection => ("Server", "faulty"),
        Fault::ChoosesUnknownExtension => ("Sec-WebSocket-Extensions", "x-nobody-asked"),
        Fault::ChoosesUnknownProtocol => ("Sec-WebSocket-Protocol", "x-nobody-asked"),
        Fault::AcceptsBadOffers | Fault::OverlooksOfferedWindow | Fault::LosesContext => {
            ("Sec-WebSocket-Extensions", "permessage-deflate")
        }
        _ => {
            let incoming = ws_tokio::accept(stream, Config::default()).await.ok()?;
            let socket = incoming.accept(Acceptance::default()).await.ok()?;
            return taken_apart(socket, Role::Server, fault);
        }
    };
    let (head, rest) = read_head(&mut stream).await?;
    let key = value_of(&head, "sec-websocket-key").unwrap_or_default();
    let by_the_letter =
        |name, wanted: &[&str]| value_of(&head, name).is_some_and(|value| wanted.contains(&value));
    let refused = match fault {
        Fault::AcceptsAnyRequest => false,
        _ if !is_good_request(&head) => true,
        Fault::TakesUpgradeByTheLetter => {
            !by_the_letter("upgrade", &["websocket", "WebSocket"])
                || !by_the_letter("connection", &["upgrade", "Upgrade"])
        }
        Fault::RefusesProtocols => value_of(&head, "sec-websocket-protocol").is_some(),
        _ => false,
    };
    if refused {
        // The client may be gone.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        return None;
    }
    let offers = value_of(&head, "sec-websocket-extensions").unwrap_or_default();
    let compresses = value == "permessage-deflate";
    let well = !offers.contains("bits=7") && !offers.contains("bits=16") && !offers.contains("unknown");
    let compresses = compresses && offers.contains(value) && (well || fault == Fault::AcceptsBadOffers);
    let mut answer = match fault {
        Fault::AnswersWithStatus200 => "HTTP/1.1 200 OK\r\n",
        _ => "HTTP/1.1 101 Switching Protocols\r\n",
    }
    .to_owned();
    if fault != Fault::AnswersWithoutUpgrade {
        answer.push_str("Upgrade: websocket\r\n");
    }
    if fault != Fault::AnswersWithoutConnection {
        answer.push_str("Connection: Upgrade\r\n");
    }
    if value != "permessage-deflate" || compresses {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    let key = if fault == Fault::WrongAcceptKey { "dGhlIHNhbXBsZSBub25jZQ==" } else { key };
    answer.push_str(&format!("Sec-WebSocket-Accept: {}\r\n\r\n", accept_of(key)));
    stream.write_all(answer.as_bytes()).await.ok()?;
    let wire = Wire::new(stream, rest, Role::Server, fault);
    Some((wire, compresses.then(|| Deflate::plain(fault))))
}

/// Asks for a resource of a host.
pub(super) async fn connect<S>(mut stream: S, host: &str, resource: &str, fault: Fault) -> Opened<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut nonce = [0; 16];
    Entropy::os().fill(&mut nonce);
    let mut key = STANDARD.encode(nonce);
    let (mut method, mut version, mut connection) = ("GET", 13, "Upgrade");
    match fault {
        Fault::AcceptsAnyAnswer => {}
        Fault::ConstantKey => "dGhlIHNhbXBsZSBub25jZQ==".clone_into(&mut key),
        Fault::ShortKey => key = STANDARD.encode(&nonce[..8]),
        Fault::OldVersion => version = 7,
        Fault::PostsItsRequest => method = "POST",
        Fault::AsksForNoUpgrade => connection = "keep-alive",
        _ => {
            let request = http::Request::get(format!("ws://{host}{resource}")).body(()).ok()?;
            let (socket, _) = ws_tokio::connect(stream, request, Config::default()).await.ok()?;
            return taken_apart(socket, Role::Client, fault);
        }
    }
    let request = format!(
        "{method} {resource} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: {version}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let (head, rest) = read_head(&mut stream).await?;
    let accepted = fault == Fault::AcceptsAnyAnswer || is_good_answer(&head, &key);
    accepted.then(|| (Wire::new(stream, rest, Role::Client, fault), None))
}

fn taken_apart<S>(socket: ws_tokio::WebSocket<S>, role: Role, fault: Fault) -> Opened<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let negotiated: Negotiated = socket.negotiated();
    let deflate = negotiated.deflate().map(|params| Deflate::new(role, params, fault));
    let parts = socket.into_parts()?;
    Some((Wire::new(parts.stream, parts.leftover, role, fault), deflate))
}

/// As far as cases look at it.
fn is_good_request(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    let has = |name, wanted| has_token(head, name, wanted);
    let keys: Vec<_> =
        head.lines().filter(|line| line.to_lowercase().starts_with("sec-websocket-key:")).collect();
    let key = value_of(head, "sec-websocket-key").and_then(|key| STANDARD.decode(key).ok());
    let names = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    first.starts_with("GET ")
        && first.ends_with(" HTTP/1.1")
        && value_of(head, "host").is_some()
        && has("upgrade", "websocket")
        && has("connection", "upgrade")
        && value_of(head, "sec-websocket-version") == Some("13")
        && keys.len() == 1
        && key.is_some_and(|key| key.len() == 16)
        && names.map(|(name, _)| name).all(|name| !name.contains(' '))
}

/// As far as cases look at it.
fn is_good_answer(head: &str, key: &str) -> bool {
    head.starts_with("HTTP/1.1 101 ")
        && has_token(head, "upgrade", "websocket")
        && has_token(head, "connection", "upgrade")
        && value_of(head, "sec-websocket-accept") == Some(accept_of(key).as_str())
        && value_of(head, "sec-websocket-extensions").is_none()
        && value_of(head, "sec-websocket-protocol").is_none()
}

fn accept_of(key: &str) -> String {
    let accept = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(accept.finalize())
}

fn has_token(head: &str, name: &str, wanted: &str) -> bool {
    value_of(head, name)
        .is_some_and(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case(wanted)))
}

/// A head, and what came behind it.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, BytesMut)> {
    let mut input = BytesMut::with_capacity(4096);
    loop {
        if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = input.split_to(end + 4);
            return Some((String::from_utf8_lossy(&head).into_owned(), input));
        }
        if stream.read_buf(&mut input).await.ok()? == 0 {
            return None;
        }
    }
}

fn value_of<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
