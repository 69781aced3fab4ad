//! A connection that is checked, whichever driver has it.

use anyhow::Result;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use ws_proto::owned::Event;
use ws_proto::{CloseCode, CloseInfo, ControlPayload, Message, MessageKind, Negotiated};

/// A connection that is checked, whichever driver has it.
pub trait Line {
    /// Sends a message.
    ///
    /// # Errors
    /// What the driver says; so below.
    fn send(&mut self, message: Message) -> Result<()>;
    /// Sends a piece of a message.
    ///
    /// # Errors
    /// As above.
    fn send_fragment(&mut self, kind: MessageKind, payload: Bytes, fin: bool) -> Result<()>;
    /// Sends a ping.
    ///
    /// # Errors
    /// As above.
    fn ping(&mut self, payload: ControlPayload) -> Result<()>;
    /// Waits for what comes; `None` behind a clean close.
    ///
    /// # Errors
    /// As above.
    fn next(&mut self) -> Result<Option<Event>>;
    /// Completes the closing handshake.
    ///
    /// # Errors
    /// As above.
    fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseInfo>;
    /// What the opening handshake settled.
    fn negotiated(&self) -> Negotiated;
}

/// A socket of `ws-tokio`, with its runtime.
#[derive(Debug)]
pub struct Tokio<S> {
    /// The socket.
    pub socket: ws_tokio::WebSocket<S>,
    /// Where it runs.
    pub runtime: Runtime,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Line for Tokio<S> {
    fn send(&mut self, message: Message) -> Result<()> {
        Ok(self.runtime.block_on(self.socket.send(message))?)
    }

    fn send_fragment(&mut self, kind: MessageKind, payload: Bytes, fin: bool) -> Result<()> {
        Ok(self.runtime.block_on(self.socket.send_fragment(kind, payload, fin))?)
    }

    fn ping(&mut self, payload: ControlPayload) -> Result<()> {
        Ok(self.runtime.block_on(self.socket.ping(payload))?)
    }

    fn next(&mut self) -> Result<Option<Event>> {
        Ok(self.runtime.block_on(self.socket.recv_event())?)
    }

    fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseInfo> {
        Ok(self.runtime.block_on(self.socket.close(code, reason))?)
    }

    fn negotiated(&self) -> Negotiated {
        self.socket.negotiated()
    }
}

impl<S: ws_sync::Stream> Line for ws_sync::WebSocket<S> {
    fn send(&mut self, message: Message) -> Result<()> {
        Ok(self.send(message)?)
    }

    fn send_fragment(&mut self, kind: MessageKind, payload: Bytes, fin: bool) -> Result<()> {
        Ok(self.send_fragment(kind, payload, fin)?)
    }

    fn ping(&mut self, payload: ControlPayload) -> Result<()> {
        Ok(self.ping(payload)?)
    }

    fn next(&mut self) -> Result<Option<Event>> {
        Ok(self.recv_event()?)
    }

    fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseInfo> {
        Ok(self.close(code, reason)?)
    }

    fn negotiated(&self) -> Negotiated {
        self.negotiated().clone()
    }
}
