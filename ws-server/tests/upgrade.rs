//! Sockets behind hyper and axum.

mod client;

use axum::routing::get;
use client::{connect, exchange, open};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::ServiceBuilder;
use ws_server::proto::bytes::Bytes;
use ws_server::proto::http::{HeaderValue, Request, Response, StatusCode};
use ws_server::proto::{MessageKind, Negotiated, Role};
use ws_server::{
    Acceptance, BoxError, CloseCode, Config, Error, MemoryBudget, Message, Server, ServerBuilder, StopReport,
    Subprotocol, UpgradeRequest, Upgrades, WebSocket,
};

async fn echo(mut socket: WebSocket) -> Result<(), BoxError> {
    while let Some(message) = socket.recv().await? {
        assert_ne!(message.as_text(), Some("panic"), "as asked for");
        socket.send(message).await?;
    }
    Ok(())
}

/// hyper, with an echo on every path.
async fn hyper(builder: ServerBuilder) -> (SocketAddr, Upgrades) {
    let upgrades = builder.upgrades().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let shared = upgrades.clone();
    tokio::spawn(async move {
        while let Ok((tcp, peer)) = listener.accept().await {
            let upgrades = shared.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let response = match upgrades.request(&mut request, Some(peer)) {
                    Ok(upgrade) => upgrade.accept(Acceptance::default(), echo).map(|()| Bytes::new()),
                    Err(refusal) => refusal.into_response(),
                };
                async move { Ok::<_, Infallible>(response.map(Full::new)) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades());
        }
    });
    (addr, upgrades)
}

/// axum, with an echo at `/ws` and a page at `/`.
async fn axum(builder: ServerBuilder) -> (SocketAddr, Upgrades) {
    async fn upgrade(request: UpgradeRequest) -> Response<axum::body::Body> {
        let mut acceptance = Acceptance::default();
        if let [first, ..] = request.subprotocols() {
            acceptance = acceptance.subprotocol(first.clone());
        }
        request.accept(acceptance, echo).map(|()| axum::body::Body::empty())
    }
    let upgrades = builder.upgrades().unwrap();
    let app = axum::Router::new()
        .route("/", get(|| async { "a page\n" }))
        .route("/ws", get(upgrade))
        .with_state(upgrades.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (addr, upgrades)
}

#[tokio::test]
async fn sockets_behind_hyper_echo_and_compress() {
    let (addr, _) = hyper(Server::builder()).await;
    let mut client = connect(addr, "/").await;
    assert!(client.negotiated().deflate().is_some());
    for message in ["hello".to_owned(), "compressed ".repeat(1000)] {
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(Message::from(message)));
    }
}

#[tokio::test]
async fn sockets_behind_axum_stand_beside_its_pages() {
    let (addr, _) = axum(Server::builder()).await;
    let request = Request::get(format!("ws://{addr}/ws")).header("sec-websocket-protocol", "v1, v2");
    let (mut client, _) = open(addr, request.body(()).unwrap()).await.unwrap();
    assert_eq!(*client.negotiated().subprotocol().unwrap(), Subprotocol::new("v1").unwrap());
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    let page = exchange(addr, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("a page\n"), "{page}");
    let plain = exchange(addr, b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(plain.starts_with("HTTP/1.1 426 "), "{plain}");
}

#[tokio::test]
async fn services_and_layers_of_tower_may_stand_around_the_upgrade() {
    let upgrades = Server::builder().upgrades().unwrap();
    let service = ServiceBuilder::new()
        .map_response(|mut response: Response<Full<Bytes>>| {
            response.headers_mut().insert("x-layer", HeaderValue::from_static("seen"));
            response
        })
        .service_fn(move |mut request: Request<Incoming>| {
            let response = match upgrades.request(&mut request, None) {
                Ok(upgrade) => upgrade.accept(Acceptance::default(), echo).map(|()| Bytes::new()),
                Err(refusal) => refusal.into_response(),
            };
            async move { Ok::<_, Infallible>(response.map(Full::new)) }
        });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(service);
        http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades().await
    });
    let request = Request::get(format!("ws://{addr}/")).body(()).unwrap();
    let (mut client, response) = open(addr, request).await.unwrap();
    assert_eq!(response.headers()["x-layer"], "seen");
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
}

#[tokio::test]
async fn settings_hold_behind_an_http_server_too() {
    let (told, mut errors) = mpsc::unbounded_channel();
    let config = Config::builder().max_message_bytes(10).build().unwrap();
    let builder = Server::builder().config(config).max_connections(1).on_error(move |error, peer| {
        assert!(peer.is_some());
        told.send(error.to_string()).unwrap();
    });
    let (addr, _) = axum(builder).await;
    let request =
        |origin: &str| Request::get(format!("ws://{addr}/ws")).header("origin", origin).body(()).unwrap();
    let refused = open(addr, request("https://evil.example")).await.err().unwrap();
    assert!(refused.to_string().contains("403"), "{refused}");
    assert!(errors.recv().await.unwrap().starts_with("pages of \"https://evil.example\" may not connect"));
    let (mut client, _) = open(addr, request(&format!("http://{addr}"))).await.unwrap();
    let refused = open(addr, request(&format!("http://{addr}"))).await.err().unwrap();
    assert!(refused.to_string().contains("503"), "{refused}");
    client.send("eleven byte").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::MESSAGE_TOO_BIG);
}

#[tokio::test]
async fn a_handler_that_panics_behind_an_http_server_closes_its_socket_with_1011() {
    let (addr, _) = hyper(Server::builder()).await;
    let mut client = connect(addr, "/").await;
    client.send("panic").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::INTERNAL_ERROR);
}

#[tokio::test]
async fn sockets_behind_an_http_server_are_drained() {
    let (addr, upgrades) = axum(Server::builder()).await;
    let mut client = connect(addr, "/ws").await;
    let stopping = tokio::spawn({
        let handle = upgrades.handle().clone();
        async move { handle.stop(Duration::from_secs(60)).await }
    });
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    let StopReport { ended, aborted, .. } = stopping.await.unwrap();
    assert_eq!((ended, aborted), (1, 0));
    let request = Request::get(format!("ws://{addr}/ws")).body(()).unwrap();
    let refused = open(addr, request).await.err().unwrap();
    assert!(refused.to_string().contains(StatusCode::SERVICE_UNAVAILABLE.as_str()), "{refused}");
}

#[tokio::test]
async fn sockets_behind_hyper_share_a_memory_budget() {
    let budget = MemoryBudget::new(200_000);
    let (errors, mut told) = mpsc::unbounded_channel();
    let builder = Server::builder().memory_budget(budget.clone()).on_error(move |error, _| {
        if matches!(error, Error::GaveUpMemory { .. } | Error::MemoryBudgetReached { .. }) {
            errors.send(error.to_string()).unwrap();
        }
    });
    let (addr, _upgrades) = hyper(builder).await;
    let mut greedy = connect(addr, "/").await;
    greedy.send_fragment(MessageKind::Binary, vec![0; 300_000], false).await.unwrap();
    while greedy.recv().await.unwrap().is_some() {}
    assert_eq!(greedy.close_info().unwrap().received.code, CloseCode::TRY_AGAIN_LATER);
    assert!(told.recv().await.unwrap().starts_with("the connection held "));
    assert_eq!(budget.used_bytes(), 0);

    // A socket that is none of the server's has all of the budget.
    let (near, _far) = tokio::io::duplex(100);
    let mut other = ws_tokio::WebSocket::from_parts(
        near,
        Default::default(),
        Negotiated::new(Role::Server),
        Config::default(),
    );
    other.set_memory_budget(budget);
    other.send(vec![7; 300_000]).await.unwrap();
    let request = Request::get(format!("ws://{addr}/")).body(()).unwrap();
    let refused = open(addr, request).await.err().unwrap().to_string();
    assert!(refused.contains("503"), "{refused}");
    assert_eq!(told.recv().await.unwrap(), "the connections hold 200000 bytes already (memory_budget)");
}
