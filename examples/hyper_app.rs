//! A server of hyper that answers plain requests and upgrades those to `/ws`.
//!
//! ```text
//! cargo run -p ws-examples --example hyper_app -- --listen 127.0.0.1:8080
//! ```

use anyhow::Result;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use ws_server::{Acceptance, BoxError, Server, Upgrades, WebSocket};

#[derive(Parser)]
#[command(about = "A server of hyper with a WebSocket at /ws")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let upgrades = Server::builder().upgrades()?;
    let listener = TcpListener::bind(Options::parse().listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    loop {
        let (tcp, peer) = listener.accept().await?;
        let upgrades = upgrades.clone();
        let service = service_fn(move |request| {
            let response = respond(request, peer, &upgrades);
            async move { Ok::<_, Infallible>(response.map(Full::new)) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades());
    }
}

fn respond(mut request: Request<Incoming>, peer: SocketAddr, upgrades: &Upgrades) -> Response<Bytes> {
    match request.uri().path() {
        "/" => Response::new(include_str!("pages/echo.html").into()),
        "/ws" => match upgrades.request(&mut request, Some(peer)) {
            Ok(upgrade) => upgrade.accept(Acceptance::default(), echo).map(|()| Bytes::new()),
            Err(refusal) => refusal.into_response(),
        },
        _ => {
            let mut response = Response::new(Bytes::from_static(b"there is nothing here\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

async fn echo(mut socket: WebSocket) -> Result<(), BoxError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
