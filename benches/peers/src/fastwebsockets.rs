//! fastwebsockets, behind hyper's upgrade as its documentation shows.

use crate::transport::Transport;
use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

pub(crate) async fn echo(stream: impl Transport) -> Result<(), hyper::Error> {
    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(accept)).with_upgrades().await
}

async fn accept(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, socket) = upgrade(&mut request)?;
    tokio::spawn(talk(socket));
    Ok(response)
}

async fn talk(socket: UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(socket.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}
