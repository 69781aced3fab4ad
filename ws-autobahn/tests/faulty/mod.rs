//! Echo endpoints over raw frames, server or client, with one fault that can be switched on.
//!
//! The tests run them over pipes; the example `faulty` runs them over sockets, so that the original suite can judge them too.

mod compression;
mod endpoint;
mod fault;
mod opening;
mod wire;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use ws_proto::Role;

use endpoint::{End, Endpoint};
pub(crate) use fault::{Area, Fault, Who};
use std::time::Duration;

/// The cases of the original suite that are run for faults of an area.
pub(crate) const fn cases(area: Area) -> &'static [&'static str] {
    match area {
        Area::Frames => &["1.*", "2.*", "3.*", "4.*", "5.*", "6.1.*", "6.2.*", "6.3.*", "6.4.*", "7.*"],
        Area::Compression => &["1.1.2", "12.1.3", "13.2.3", "13.3.4"],
    }
}

/// Serves one connection with this fault.
pub(crate) async fn serve<S>(stream: S, fault: Fault)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if let Some((wire, deflate)) = opening::accept(stream, fault).await {
        run(Endpoint::new(wire, deflate, fault)).await;
    }
}

/// Opens a connection for a resource, as a client with this fault, and echoes until it ends.
pub(crate) async fn connect<S>(stream: S, host: &str, resource: &str, fault: Fault)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if let Some((wire, deflate)) = opening::connect(stream, host, resource, fault).await {
        run(Endpoint::new(wire, deflate, fault)).await;
    }
}

async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut endpoint: Endpoint<S>) {
    // The other end may be gone at any time, which ends it as well.
    let ended = endpoint.serve().await;
    let Endpoint { wire, fault, .. } = &mut endpoint;
    match (wire.role, *fault) {
        (_, Fault::StaysAfterTheEnd) if matches!(ended, Ok(End::OfStream)) => {
            tokio::time::sleep(Duration::from_secs(8)).await;
        }
        (Role::Server, Fault::NeverClosesTheStream) => wire.drain(Duration::from_secs(5)).await,
        (Role::Client, fault) if fault != Fault::NoCloseEcho => wire.drain(Duration::from_secs(3)).await,
        _ => {}
    }
    // What is still to come is read away, so that a reset does not destroy what was sent.
    let _ = wire.stream.shutdown().await;
    wire.drain(Duration::from_millis(500)).await;
}
