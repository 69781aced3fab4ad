//! Ways to a server, and what is asked for there.

use crate::support::{accepted, answering, echo_server, header, nobody, read_head, scripted};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use ws_client::proto::http::{HeaderName, HeaderValue, Request, Uri};
use ws_client::{Client, Error, Stage, Subprotocol};

#[tokio::test]
async fn a_url_may_be_text_a_uri_or_a_request() {
    let (addr, mut heads) = answering(accepted).await;
    let text = format!("ws://{addr}/a?b");
    let uri: Uri = text.parse().unwrap();
    let request = Request::get(&text).body(()).unwrap();
    let client = Client::default();
    client.connect(text.as_str()).await.unwrap();
    client.connect(&text).await.unwrap();
    client.connect(text).await.unwrap();
    client.connect(&uri).await.unwrap();
    client.connect(uri).await.unwrap();
    client.connect(&request).await.unwrap();
    client.connect(request).await.unwrap();
    for _ in 0..7 {
        assert!(heads.recv().await.unwrap().starts_with("GET /a?b HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn headers_of_the_request_replace_those_of_the_client() {
    let (addr, mut heads) = answering(accepted).await;
    let client = Client::builder()
        .header(HeaderName::from_static("x-a"), HeaderValue::from_static("client"))
        .header(HeaderName::from_static("x-b"), HeaderValue::from_static("client"))
        .subprotocol(Subprotocol::new("v1").unwrap())
        .bearer_auth("t0ken")
        .build();
    let request = Request::get(format!("ws://{addr}/")).header("x-b", "request").header("x-c", "request");
    client.connect(request.header("sec-websocket-protocol", "v2, v3").body(()).unwrap()).await.unwrap();
    let head = heads.recv().await.unwrap();
    for (name, value) in [
        ("x-a", "client"),
        ("x-b", "request"),
        ("x-c", "request"),
        ("sec-websocket-protocol", "v2, v3"),
        ("authorization", "Bearer t0ken"),
    ] {
        assert_eq!(header(&head, name), Some(value), "{head}");
    }
    assert_eq!(head.to_ascii_lowercase().matches("\r\nx-b:").count(), 1);
}

#[tokio::test]
async fn user_and_password_go_into_their_header() {
    let (addr, mut heads) = answering(accepted).await;
    let client = Client::builder().bearer_auth("replaced").basic_auth("Aladdin", "open sesame").build();
    client.connect(format!("ws://{addr}/")).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert_eq!(header(&head, "authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[tokio::test]
async fn a_resolver_of_ones_own_is_asked_for_names_only() {
    let port = echo_server().await.port();
    let client = Client::builder().resolver(async |name: String| match name.as_str() {
        "host.test" => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
        "empty.test" => Ok(Vec::new()),
        _ => Err(io::ErrorKind::NotFound.into()),
    });
    let client = client.build();
    client.connect(format!("ws://host.test:{port}/")).await.unwrap();
    client.connect(format!("ws://127.0.0.1:{port}/")).await.unwrap();
    for name in ["empty.test", "other.test"] {
        let error = client.connect(format!("ws://{name}/")).await.err().unwrap();
        assert!(matches!(error, Error::Dns(_)) && error.stage() == Stage::Dns, "{error:?}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let port = echo_server().await.port();
    // Nobody listens at the others.
    let addresses: Vec<IpAddr> =
        vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::new(127, 0, 0, 9).into(), Ipv4Addr::LOCALHOST.into()];
    let resolve = move |_: String| std::future::ready(Ok(addresses.clone()));
    let socket = Client::builder().resolver(resolve).build().connect(format!("ws://host.test:{port}/")).await;
    let peer = socket.unwrap().get_ref().unwrap().tcp().unwrap().peer_addr().unwrap();
    assert_eq!(peer.ip(), Ipv4Addr::LOCALHOST);
    let port = nobody().await.port();
    let error = ws_client::connect(format!("ws://127.0.0.1:{port}/")).await.err().unwrap();
    assert!(
        matches!(&error, Error::Connect(io) if io.kind() == io::ErrorKind::ConnectionRefused),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_connector_of_ones_own_is_given_host_and_port() {
    let addr = echo_server().await;
    let client = Client::builder().connector(move |to: ws_client::Destination| {
        assert_eq!((to.host.as_str(), to.port), ("host.test", 81));
        tokio::net::TcpStream::connect(addr)
    });
    let mut socket = client.build().connect("ws://host.test:81/").await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
    assert!(socket.get_ref().unwrap().tcp().is_none());

    let pipes = scripted(|mut io| async move {
        let head = read_head(&mut io).await;
        io.write_all(accepted(&head).as_bytes()).await.unwrap();
    });
    pipes.build().connect("ws://host.test/").await.unwrap();
    let client = Client::builder()
        .connector(async |_| Err::<tokio::net::TcpStream, _>(io::ErrorKind::NotFound.into()));
    let error = client.build().connect("ws://host.test/").await.err().unwrap();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_takes_the_place_of_the_host() {
    let path = std::env::temp_dir().join(format!("ws-client-{}.sock", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let client = Client::builder().unix_socket(&path).build();
    let serving = async {
        let (mut unix, _) = listener.accept().await.unwrap();
        let head = read_head(&mut unix).await;
        unix.write_all(accepted(&head).as_bytes()).await.unwrap();
        (unix, head)
    };
    let (socket, (_unix, head)) = tokio::join!(client.connect("ws://host.test/chat"), serving);
    std::fs::remove_file(&path).unwrap();
    assert!(head.starts_with("GET /chat HTTP/1.1\r\nHost: host.test\r\n"), "{head}");
    assert!(socket.unwrap().get_ref().unwrap().tcp().is_none());
    let error = client.connect("ws://host.test/").await.err().unwrap();
    assert!(matches!(&error, Error::Connect(io) if io.kind() == io::ErrorKind::NotFound), "{error:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_source_address_can_be_chosen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let client = Client::builder().local_address(Ipv4Addr::new(127, 0, 0, 5).into()).build();
    let accepting = async {
        let (mut tcp, peer) = listener.accept().await.unwrap();
        let head = read_head(&mut tcp).await;
        tcp.write_all(accepted(&head).as_bytes()).await.unwrap();
        (tcp, peer)
    };
    let (socket, (_tcp, peer)) = tokio::join!(client.connect(&url), accepting);
    socket.unwrap();
    assert_eq!(peer.ip(), Ipv4Addr::new(127, 0, 0, 5));
    let client = Client::builder().local_address(Ipv6Addr::LOCALHOST.into()).build();
    let error = client.connect(&url).await.err().unwrap();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn options_of_tcp_reach_the_socket() {
    let url = format!("ws://{}/", echo_server().await);
    let client = Client::builder()
        .tcp_nodelay(false)
        .tcp_keepalive(Duration::from_secs(77))
        .tcp_send_buffer_bytes(40_000)
        .tcp_recv_buffer_bytes(50_000)
        .build();
    let socket = client.connect(&url).await.unwrap();
    let stream = socket.get_ref().unwrap();
    let tcp = stream.tcp().unwrap();
    let options = socket2::SockRef::from(tcp);
    assert!(!tcp.nodelay().unwrap() && options.keepalive().unwrap());
    assert!(options.send_buffer_size().unwrap() >= 40_000 && options.recv_buffer_size().unwrap() >= 50_000);
    #[cfg(target_os = "linux")]
    assert_eq!(options.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
    let plain = ws_client::connect(&url).await.unwrap();
    let stream = plain.get_ref().unwrap();
    let tcp = stream.tcp().unwrap();
    assert!(tcp.nodelay().unwrap() && !socket2::SockRef::from(tcp).keepalive().unwrap());
}

#[tokio::test]
async fn a_name_is_connected_to_and_sent_as_it_was_given() {
    let (addr, mut heads) = answering(accepted).await;
    let client = Client::builder().resolver(async |_: String| Ok(vec![Ipv4Addr::LOCALHOST.into()])).build();
    client.connect(format!("ws://Host.TEST:{}/", addr.port())).await.unwrap();
    assert_eq!(
        header(&heads.recv().await.unwrap(), "host"),
        Some(format!("Host.TEST:{}", addr.port()).as_str())
    );
}
