//! What a client tells by `tracing` while it connects. Without that feature nothing is left of it. No event holds a header, a query, or user
//! and password.

use crate::Error;
use crate::proxy::Proxy;
use crate::target::Target;
use std::net::SocketAddr;

/// Connecting as a whole, in a span of its own.
#[cfg(feature = "tracing")]
pub(crate) fn connecting<F: Future>(work: F) -> impl Future<Output = F::Output> {
    use tracing::Instrument;
    work.instrument(tracing::debug_span!(
        "connect",
        host = tracing::field::Empty,
        port = tracing::field::Empty
    ))
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn connecting<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work
}

/// A place is connected to: the first, or that of a redirect.
pub(crate) fn target(target: &Target) {
    #[cfg(feature = "tracing")]
    {
        tracing::Span::current().record("host", target.host.as_str()).record("port", target.port);
        tracing::debug!(secure = target.secure, path = target.uri.path(), "connecting");
    }
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = target;
}

pub(crate) fn resolved(addresses: &[SocketAddr]) {
    #[cfg(feature = "tracing")]
    tracing::debug!(?addresses, "the host's addresses");
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = addresses;
}

pub(crate) fn connected(address: SocketAddr) {
    #[cfg(feature = "tracing")]
    tracing::debug!(%address, "TCP is connected");
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = address;
}

pub(crate) fn tunnel_is_open(proxy: &Proxy) {
    #[cfg(feature = "tracing")]
    tracing::debug!(kind = ?proxy.kind(), host = proxy.host(), port = proxy.port(), "the proxy opened a way");
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = proxy;
}

/// Said once for each client, when it is about to speak TLS for the first time.
#[cfg(feature = "tls")]
pub(crate) fn nothing_is_checked() {
    #[cfg(feature = "tracing")]
    tracing::warn!("certificates are not checked: anybody on the way can read and change everything");
}

#[cfg(feature = "tls")]
pub(crate) fn tls_is_open() {
    #[cfg(feature = "tracing")]
    tracing::debug!("TLS is open");
}

pub(crate) fn redirected(to: &Target) {
    #[cfg(feature = "tracing")]
    tracing::debug!(secure = to.secure, host = to.host, port = to.port, path = to.uri.path(), "redirected");
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = to;
}

/// How connecting ended.
pub(crate) fn ended<T>(ended: &Result<T, Error>) {
    #[cfg(feature = "tracing")]
    match ended {
        Ok(_) => tracing::debug!("the WebSocket is open"),
        Err(error) => tracing::debug!(stage = ?error.stage(), %error, "connecting failed"),
    }
    #[cfg(not(feature = "tracing"))]
    let _nobody_asks = ended;
}
