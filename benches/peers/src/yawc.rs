//! yawc, behind hyper's upgrade as its documentation shows; text is validated, as everywhere else.

use crate::transport::Transport;
use crate::{batch, room};
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::broadcast::Sender;
use yawc::{CompressionLevel, Frame, OpCode, Options, Result, UpgradeFut, WebSocket};

/// What a connection does.
#[derive(Clone)]
pub(crate) enum Work {
    Echo,
    EchoBatched,
    Join(Sender<Frame>),
}

pub(crate) async fn serve(
    stream: impl Transport,
    deflate_level: Option<u8>,
    work: Work,
) -> hyper::Result<()> {
    let accept = move |request| accept(request, deflate_level, work.clone());
    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(accept)).with_upgrades().await
}

async fn accept(
    mut request: Request<Incoming>,
    deflate_level: Option<u8>,
    work: Work,
) -> Result<Response<Empty<Bytes>>> {
    let mut options = Options::default().with_utf8().with_limits(MAX_BYTES, 2 * MAX_BYTES);
    if let Some(level) = deflate_level {
        options = options
            .with_compression_level(CompressionLevel::new(level.into()))
            .server_no_context_takeover()
            .client_no_context_takeover();
    }
    let (response, socket) = WebSocket::upgrade_with_options(&mut request, options)?;
    match work {
        Work::Echo => drop(tokio::spawn(talk(socket))),
        Work::EchoBatched => drop(tokio::spawn(talk_batched(socket))),
        Work::Join(room) => drop(tokio::spawn(join(socket, room))),
    }
    Ok(response)
}

async fn talk(socket: UpgradeFut) -> Result<()> {
    let mut socket = socket.await?;
    while let Some(frame) = socket.next().await {
        if is_data(&frame) {
            socket.send(frame).await?;
        }
    }
    Ok(())
}

async fn talk_batched(socket: UpgradeFut) -> Result<()> {
    batch::echo(socket.await?, |frame| Ok(Some(frame).filter(is_data))).await
}

async fn join(socket: UpgradeFut, room: Sender<Frame>) -> anyhow::Result<()> {
    room::join(socket.await?, room, |frame| Ok::<_, yawc::WebSocketError>(Some(frame).filter(is_data))).await
}

fn is_data(frame: &Frame) -> bool {
    matches!(frame.opcode(), OpCode::Text | OpCode::Binary)
}

/// Its limit is exclusive, the others' inclusive: room for the largest workload.
const MAX_BYTES: usize = (16 << 20) + 1;
