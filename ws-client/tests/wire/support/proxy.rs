//! Small proxies, that connect to one place whatever they are asked for, and tell what that was.

use super::{Io, listen, read_head};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Answers CONNECT. `login`, where there is one, has to be in `Proxy-Authorization`.
pub(crate) async fn http(
    upstream: SocketAddr,
    login: Option<&'static str>,
) -> (SocketAddr, UnboundedReceiver<String>) {
    let (asked, seen) = unbounded_channel();
    (listen(move |tcp| tunnel(tcp, upstream, login, asked.clone())).await, seen)
}

pub(crate) async fn tunnel(
    mut io: impl Io,
    upstream: SocketAddr,
    login: Option<&'static str>,
    asked: UnboundedSender<String>,
) {
    let head = read_head(&mut io).await;
    let allowed = login.is_none_or(|login| super::header(&head, "proxy-authorization") == Some(login));
    let _ = asked.send(head);
    if !allowed {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        io.write_all(refusal).await.unwrap();
        return;
    }
    let mut host = TcpStream::connect(upstream).await.unwrap();
    io.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    // Ends when both do; how does not matter.
    let _ = copy_bidirectional(&mut io, &mut host).await;
}

/// Answers SOCKS5. It wants user and password where there is a `login`.
pub(crate) async fn socks5(
    upstream: SocketAddr,
    login: Option<(&'static str, &'static str)>,
) -> (SocketAddr, UnboundedReceiver<String>) {
    let (asked, seen) = unbounded_channel();
    let addr = listen(move |mut tcp| {
        let asked = asked.clone();
        async move {
            if let Some(place) = negotiate(&mut tcp, login).await {
                let _ = asked.send(place);
                let mut host = TcpStream::connect(upstream).await.unwrap();
                tcp.write_all(b"\x05\0\0\x01\0\0\0\0\0\0").await.unwrap();
                let _ = copy_bidirectional(&mut tcp, &mut host).await;
            }
        }
    })
    .await;
    (addr, seen)
}

/// Where the client wants to go; `None` where it may not, or has gone away.
async fn negotiate(tcp: &mut TcpStream, login: Option<(&str, &str)>) -> Option<String> {
    assert_eq!(tcp.read_u8().await.ok()?, 5);
    let methods = counted(tcp).await?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        tcp.write_all(b"\x05\xff").await.ok()?;
        return None;
    }
    tcp.write_all(&[5, method]).await.ok()?;
    if let Some((user, password)) = login {
        assert_eq!(tcp.read_u8().await.ok()?, 1);
        let told = (counted(tcp).await?, counted(tcp).await?);
        let right = told == (user.into(), password.into());
        tcp.write_all(&[1, u8::from(!right)]).await.ok()?;
        if !right {
            return None;
        }
    }
    let mut request = [0; 4];
    tcp.read_exact(&mut request).await.ok()?;
    assert_eq!(request, [5, 1, 0, 3], "only names are asked for");
    let host = String::from_utf8(counted(tcp).await?).unwrap();
    Some(format!("{host}:{}", tcp.read_u16().await.ok()?))
}

async fn counted(tcp: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::from(tcp.read_u8().await.ok()?)];
    tcp.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}
