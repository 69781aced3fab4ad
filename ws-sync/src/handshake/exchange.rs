//! What the two roles have in common: heads are written and read until the core has something to tell.

use crate::wire::{Arrived, Patience, Wire};
use crate::{OpenError, Stream, Wait, pool};
use bytes::{Buf, Bytes};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;
use ws_proto::handshake::{ClientHandshake, ClientHandshakeEvent, ServerHandshake, ServerHandshakeEvent};
use ws_proto::{Config, Transmit, Transport};

/// A handshake of the core.
pub(super) trait Opening {
    type Event;
    fn poll_event(&mut self, input: &mut &[u8], now: Instant) -> Option<Self::Event>;
    fn handle_eof(&mut self, now: Instant);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_timeout(&self) -> Option<Instant>;
    fn transmit(&mut self) -> &mut Transmit;
    fn transport(&self) -> Transport;
}

macro_rules! opening {
    ($handshake:ty, $event:ty) => {
        impl Opening for $handshake {
            type Event = $event;
            fn poll_event(&mut self, input: &mut &[u8], now: Instant) -> Option<$event> {
                self.poll_event(input, now)
            }
            fn handle_eof(&mut self, now: Instant) {
                self.handle_eof(now);
            }
            fn handle_timeout(&mut self, now: Instant) {
                self.handle_timeout(now);
            }
            fn poll_timeout(&self) -> Option<Instant> {
                self.poll_timeout()
            }
            fn transmit(&mut self) -> &mut Transmit {
                self.transmit()
            }
            fn transport(&self) -> Transport {
                self.transport()
            }
        }
    };
}

opening!(ClientHandshake, ClientHandshakeEvent);
opening!(ServerHandshake, ServerHandshakeEvent);

/// A handshake under way over a stream.
#[derive(Debug)]
pub(super) struct Exchange<S, H> {
    pub(super) wire: Wire<S>,
    pub(super) handshake: H,
    /// What came behind the head of the peer.
    pub(super) leftover: Bytes,
    pub(super) config: Arc<Config>,
    peer_ended: bool,
}

impl<S: Stream, H: Opening> Exchange<S, H> {
    pub(super) const fn new(stream: S, handshake: H, config: Arc<Config>) -> Self {
        Self { wire: Wire::new(stream), handshake, leftover: Bytes::new(), config, peer_ended: false }
    }

    /// Goes on until the core has something to tell.
    pub(super) fn next_event(&mut self) -> Result<H::Event, OpenError> {
        loop {
            if let Some(event) = self.handshake.poll_event(&mut &[][..], Instant::now()) {
                return Ok(event);
            }
            self.write()?;
            if let Some(event) = self.read()? {
                return Ok(event);
            }
        }
    }

    /// Behind a refusal: goes on until it was written and the core says that it is time to close.
    pub(super) fn finish_refusal(&mut self) -> Result<(), OpenError> {
        loop {
            let written = self.write()?;
            match self.handshake.transport() {
                Transport::Close => return Ok(()),
                // Where our side cannot be ended alone, the client would wait for the end as we would.
                Transport::ShutdownWrite if written && self.wire.shutdown_write().is_err() => return Ok(()),
                Transport::ShutdownWrite | Transport::KeepOpen => {}
            }
            self.read()?;
        }
    }

    /// Writes what is queued; false where the stream takes no more now.
    fn write(&mut self) -> Result<bool, OpenError> {
        let patience = self.handshake.poll_timeout().map_or(Patience::Forever, Patience::Until);
        match self.wire.write(self.handshake.transmit(), patience) {
            Ok(all) => Ok(all),
            Err(error) if error.kind() == ErrorKind::TimedOut && patience != Patience::Forever => {
                // The core says what that means; what is queued behind a request that was never taken can only be dropped.
                let transmit = self.handshake.transmit();
                transmit.advance(transmit.len());
                self.handshake.handle_timeout(Instant::now());
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads once, and looks at the timer where nothing came.
    fn read(&mut self) -> Result<Option<H::Event>, OpenError> {
        let deadline = self.handshake.poll_timeout();
        if self.peer_ended {
            return self.wait(Arrived::WouldBlock, Instant::now()).map(|()| None);
        }
        let mut buffer = pool::take_read_buffer();
        let arrived = self.wire.read(&mut buffer, deadline);
        let now = Instant::now();
        let mut event = None;
        if let Ok(Arrived::Bytes(n)) = arrived {
            let mut input = buffer.get(..n).unwrap_or_default();
            event = self.handshake.poll_event(&mut input, now);
            self.leftover = Bytes::copy_from_slice(input);
        }
        pool::give_read_buffer(buffer);
        match arrived? {
            Arrived::Bytes(_) => {
                if event.is_none() && deadline.is_some_and(|deadline| deadline <= now) {
                    self.handshake.handle_timeout(now);
                }
            }
            Arrived::End => {
                self.peer_ended = true;
                self.handshake.handle_eof(now);
            }
            nothing => self.wait(nothing, now)?,
        }
        Ok(event)
    }

    /// Nothing came.
    fn wait(&mut self, arrived: Arrived, now: Instant) -> Result<(), OpenError> {
        if self.handshake.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.handshake.handle_timeout(now);
        } else if arrived == Arrived::WouldBlock {
            let queued = self.wire.has_unsent() || !self.handshake.transmit().is_empty();
            return Err(OpenError::WouldBlock(Wait {
                readable: !self.peer_ended,
                writable: self.wire.stream.wants_write(queued),
                deadline: self.handshake.poll_timeout(),
            }));
        }
        Ok(())
    }
}
