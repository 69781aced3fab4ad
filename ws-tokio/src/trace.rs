//! What a socket tells of its life by `tracing`. Without the feature nothing is left of it.
//!
//! Events belong to the span of whoever uses the socket at that moment, those of its background task to the span in which that was needed.

use crate::core::Core;
use std::io;
use ws_proto::{CloseCode, Connection};

#[cfg(feature = "tracing")]
use crate::{Closer, WebSocket};
#[cfg(feature = "tracing")]
use ws_proto::{Direction, Negotiated};

/// How much was told of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    #[cfg(feature = "tracing")]
    closing: bool,
    #[cfg(feature = "tracing")]
    over: bool,
}

#[cfg(feature = "tracing")]
impl Told {
    /// The connection is open.
    pub(crate) fn opened(connection: &Connection) -> Self {
        let negotiated = connection.negotiated();
        tracing::debug!(
            target: TARGET,
            role = ?negotiated.role(),
            subprotocol = negotiated.subprotocol().map(tracing::field::display),
            compression = is_compressed(negotiated),
            "the WebSocket is open"
        );
        Self::default()
    }

    /// Tells what has changed.
    #[inline]
    pub(crate) fn tell(&mut self, connection: &Connection) {
        if !self.over && !connection.is_open() {
            self.tell_end(connection);
        }
    }

    #[cold]
    fn tell_end(&mut self, connection: &Connection) {
        if let Some(info) = connection.close_info() {
            self.over = true;
            tracing::debug!(
                target: TARGET,
                initiator = ?info.initiator,
                sent = info.sent.code.get(),
                received = info.received.code.get(),
                // It is the peer's: with Debug nothing in it is taken for the end of a line.
                reason = ?&*info.received.reason,
                "the closing handshake is complete"
            );
        } else if let Some(failure) = connection.failure() {
            self.over = true;
            let code = failure.close_code().get();
            tracing::debug!(target: TARGET, code, "the connection failed: {failure}");
        } else if !self.closing {
            self.closing = true;
            tracing::debug!(target: TARGET, "the closing handshake has begun on this side");
        }
    }
}

#[cfg(all(feature = "tracing", feature = "deflate"))]
fn is_compressed(negotiated: &Negotiated) -> bool {
    negotiated.deflate().is_some()
}

#[cfg(all(feature = "tracing", not(feature = "deflate")))]
const fn is_compressed(_negotiated: &Negotiated) -> bool {
    false
}

#[cfg(not(feature = "tracing"))]
impl Told {
    /// Nobody is told.
    #[inline]
    pub(crate) const fn opened(_connection: &Connection) -> Self {
        Self {}
    }

    /// Nobody is told.
    #[inline]
    pub(crate) const fn tell(&mut self, _connection: &Connection) {}
}

/// The stream failed.
#[cold]
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody is told"))]
pub(crate) fn stream_failed(operation: &'static str, error: &io::Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: TARGET, operation, "the stream failed: {error}");
}

/// The last handle of an open socket was dropped.
#[cold]
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody is told"))]
pub(crate) fn dropped(code: CloseCode) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: TARGET, code = code.get(), "the socket was dropped while it was open");
}

/// A task of the socket's own, which tells where the caller does.
#[cfg(feature = "tracing")]
pub(crate) fn in_current_span<F: Future>(task: F) -> tracing::instrument::Instrumented<F> {
    tracing::Instrument::in_current_span(task)
}

/// The task as it is.
#[cfg(not(feature = "tracing"))]
pub(crate) const fn in_current_span<F: Future>(task: F) -> F {
    task
}

impl<S> Core<S> {
    /// Tells what has become of the connection.
    #[inline]
    pub(crate) fn tell(&mut self) {
        self.told.tell(&self.connection);
    }
}

#[cfg(feature = "tracing")]
impl<S> WebSocket<S> {
    /// Switches the frame trace of this socket on or off: an event with the target `ws_tokio::frame` and level TRACE for each frame, with
    /// `direction`, `opcode`, `fin`, `rsv1` and `len`, the bytes of its payload on the wire. The payload itself is never shown.
    ///
    /// Events belong to the span of whoever uses the socket, so give that one by which you know the connection. The subscriber is called
    /// under the socket's lock and must not use the socket. Off, which is the default, it costs nothing.
    pub fn trace_frames(&self, on: bool) {
        self.handle.0.lock().trace_frames(on);
    }
}

#[cfg(feature = "tracing")]
impl<S> Closer<S> {
    /// As [`WebSocket::trace_frames`], from another task. Nothing happens when the socket is gone.
    pub fn trace_frames(&self, on: bool) {
        if let Some(shared) = self.0.upgrade() {
            shared.lock().trace_frames(on);
        }
    }
}

#[cfg(feature = "tracing")]
impl<S> Core<S> {
    fn trace_frames(&mut self, on: bool) {
        if !on {
            return self.connection.stop_observing();
        }
        self.connection.observe_frames(|direction, header| {
            let direction = match direction {
                Direction::Received => "received",
                Direction::Sent => "sent",
            };
            tracing::trace!(
                target: "ws_tokio::frame",
                direction,
                opcode = ?header.opcode,
                fin = header.fin,
                rsv1 = header.rsv1,
                len = header.payload_len,
            );
        });
    }
}

#[cfg(feature = "tracing")]
const TARGET: &str = "ws_tokio";
