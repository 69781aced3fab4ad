//! One connection fed with raw bytes.

use crate::feed::{feed, poll, wire};
use crate::raw::{self, RawFrame};
use crate::{Chunks, Clock, Feed, Observed, config};
use std::sync::Arc;
use ws_proto::{Config, Connection, Negotiated, Role};

/// One connection under test: raw bytes go in, events and raw frames come out.
///
/// ```
/// use ws_proto::Role;
/// use ws_testkit::{Observed, Probe, raw::RawFrame};
///
/// let mut probe = Probe::new(Role::Server);
/// probe.receive_frames([RawFrame::ping("are you there?")]);
/// assert_eq!(probe.frames(), [RawFrame::pong("are you there?")]);
/// ```
#[derive(Debug)]
pub struct Probe {
    /// The connection, to be used directly as well.
    pub connection: Connection,
    /// Its time.
    pub clock: Clock,
    /// All that it told so far; clear it at will.
    pub events: Vec<Observed>,
}

impl Probe {
    /// A connection without extensions, with the default settings.
    ///
    /// # Panics
    /// Never: the default settings are valid.
    #[must_use]
    pub fn new(role: Role) -> Self {
        match config().build() {
            Ok(config) => Self::with(Negotiated::new(role), config),
            Err(error) => panic!("the default settings are valid: {error}"),
        }
    }

    /// A connection with these settings.
    #[must_use]
    pub fn with(negotiated: Negotiated, config: impl Into<Arc<Config>>) -> Self {
        let clock = Clock::new();
        Self { connection: Connection::new(negotiated, config, clock.now()), clock, events: Vec::new() }
    }

    /// Bytes arrive, in one read.
    pub fn receive(&mut self, bytes: impl AsRef<[u8]>) {
        self.receive_in(bytes, Feed::Borrowed, Chunks::whole());
    }

    /// Bytes arrive in this way and in these pieces.
    pub fn receive_in(&mut self, bytes: impl AsRef<[u8]>, how: Feed, mut chunks: Chunks) {
        let events = feed(&mut self.connection, bytes.as_ref(), how, &mut chunks, self.clock.now());
        self.events.extend(events);
    }

    /// Frames arrive from a peer that masks as its role must: what [`RawFrame::masked`] said is not looked at.
    pub fn receive_frames(&mut self, frames: impl IntoIterator<Item = RawFrame>) {
        let sender = self.connection.role().peer();
        let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.sent_by(sender).to_bytes()).collect();
        self.receive(bytes);
    }

    /// The peer ends its side.
    pub fn end_of_stream(&mut self) {
        self.connection.handle_eof(self.clock.now());
        self.poll();
    }

    /// Moves time to the next deadline and tells the connection; `false` when it waits for none.
    pub fn time_out(&mut self) -> bool {
        let Some(deadline) = self.connection.poll_timeout() else { return false };
        self.clock.jump_to(deadline);
        self.connection.handle_timeout(self.clock.now());
        self.poll();
        true
    }

    /// Polls with empty input, as after a read that found nothing.
    pub fn poll(&mut self) {
        poll(&mut self.connection, &mut Vec::new(), self.clock.now(), &mut self.events);
    }

    /// The bytes that it wrote since this was last asked.
    pub fn wire(&mut self) -> Vec<u8> {
        wire(&mut self.connection, &mut Chunks::whole())
    }

    /// The frames that it wrote since this was last asked, payloads unmasked and keys taken off, so that they compare with frames
    /// built by hand.
    ///
    /// # Panics
    /// When the bytes are no sequence of whole, strictly valid frames, or not masked as its role must.
    pub fn frames(&mut self) -> Vec<RawFrame> {
        let masks = self.connection.role() == Role::Client;
        let frames = match raw::read_all(&self.wire()) {
            Ok(frames) => frames,
            Err(fault) => panic!("the connection wrote what is no sequence of frames: {fault}"),
        };
        assert!(
            frames.iter().all(|frame| frame.mask.is_some() == masks),
            "a client masks every frame, a server none"
        );
        frames.into_iter().map(|frame| RawFrame { mask: None, ..frame }).collect()
    }
}
