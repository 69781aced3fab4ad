//! An application that sends at random, and checks that what comes is what was sent.

use super::Application;
use super::weather::between;
use crate::{Observed, Rng};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ws_proto::{CloseCode, Connection, ControlPayload, Message, MessageKind, Prepared, SendRefusal};

/// What goes in one direction of a connection, as both ends know it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Messages that were taken for sending, and not delivered yet.
    pub(super) messages: VecDeque<Message>,
    /// Pings likewise.
    pings: VecDeque<ControlPayload>,
    /// Pings whose pong did not come yet.
    unanswered: VecDeque<ControlPayload>,
    pub(super) delivered: u64,
    /// The first thing that came and should not have.
    pub(super) fault: Option<String>,
}

impl Entries {
    /// The first complaint stays.
    fn complain(&mut self, fault: impl Into<String>) {
        if self.fault.is_none() {
            self.fault = Some(fault.into());
        }
    }
}

impl Ledger {
    pub(super) fn open(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an end is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Messages and pings, in all.
    pub(super) operations: u64,
    /// Most bytes of a message.
    pub(super) most_bytes: usize,
    /// Longest pause between two bursts of operations.
    pub(super) pace: Duration,
    /// Longest pause in which it does nothing at all, not even read.
    pub(super) nap: Duration,
    /// Does it close when it has done all? Else it waits for the other.
    pub(super) closes: bool,
    /// When it closes, whatever was done.
    pub(super) closes_at: Instant,
}

/// The application of one end.
#[derive(Debug)]
pub(super) struct Traffic {
    plan: Plan,
    rng: Rng,
    outgoing: Ledger,
    incoming: Ledger,
    left: u64,
    /// When it does something by itself.
    next: Option<Instant>,
    /// A message that is being sent piece by piece: all of it, and how much was sent.
    fragmented: Option<(Message, usize)>,
    /// A message that is being received piece by piece.
    pieces: Option<(MessageKind, Vec<u8>)>,
    /// Refused when the queue was full; the next to be sent.
    refused: Option<Message>,
    done: u64,
}

impl Traffic {
    pub(super) const fn new(plan: Plan, rng: Rng, outgoing: Ledger, incoming: Ledger, now: Instant) -> Self {
        Self {
            left: plan.operations,
            plan,
            rng,
            outgoing,
            incoming,
            next: Some(now),
            fragmented: None,
            pieces: None,
            refused: None,
            done: 0,
        }
    }

    /// How many operations were done.
    pub(super) const fn operations(&self) -> u64 {
        self.done
    }

    fn operate(&mut self, connection: &mut Connection, now: Instant) -> Result<(), SendRefusal> {
        if let Some((message, sent)) = self.fragmented.take() {
            return self.send_piece(connection, message, Some(sent));
        }
        if let Some(message) = self.refused.take() {
            return self.send(connection, message);
        }
        let message = self.message();
        match self.rng.below(10) {
            0 => self.ping(connection, now),
            1 | 2 => self.send_piece(connection, message, None),
            3 => {
                let refusal = connection.send_uncompressed(message.clone()).err();
                self.sent(message, refusal.map(|error| error.refusal()))
            }
            4 => {
                let refusal = connection.send_prepared(&Prepared::new(message.clone())).err();
                self.sent(message, refusal.map(|error| error.refusal()))
            }
            _ => self.send(connection, message),
        }
    }

    fn send(&mut self, connection: &mut Connection, message: Message) -> Result<(), SendRefusal> {
        match connection.send(message.clone()) {
            Ok(()) => self.sent(message, None),
            Err(error) => {
                let refusal = error.refusal();
                if error.into_rejected() != message {
                    self.outgoing.open().complain("another message was given back");
                }
                self.sent(message, Some(refusal))
            }
        }
    }

    fn sent(&mut self, message: Message, refusal: Option<SendRefusal>) -> Result<(), SendRefusal> {
        let Some(refusal) = refusal else {
            self.outgoing.open().messages.push_back(message);
            return Ok(());
        };
        self.refused = Some(message);
        Err(refusal)
    }

    /// Sends the next piece of a message of which `sent` bytes were sent; `None` begins it.
    fn send_piece(
        &mut self,
        connection: &mut Connection,
        message: Message,
        begun: Option<usize>,
    ) -> Result<(), SendRefusal> {
        let sent = begun.unwrap_or(0);
        let bytes = message.clone().into_bytes();
        let n = self.rng.below(bytes.len() - sent + 1);
        let fin = sent + n == bytes.len() && self.rng.below(2) == 0;
        match connection.send_fragment(message.kind(), bytes.slice(sent..sent + n), fin) {
            Ok(()) if fin => self.outgoing.open().messages.push_back(message),
            Ok(()) => self.fragmented = Some((message, sent + n)),
            Err(error) => {
                if begun.is_some() {
                    self.fragmented = Some((message, sent));
                } else {
                    self.refused = Some(message);
                }
                return Err(error.refusal());
            }
        }
        Ok(())
    }

    fn ping(&mut self, connection: &mut Connection, now: Instant) -> Result<(), SendRefusal> {
        let text = format!("application {}", self.rng.next_u64());
        let Ok(payload) = ControlPayload::try_from(bytes::Bytes::from(text)) else { return Ok(()) };
        connection.ping(payload.clone(), now).map_err(|error| error.refusal())?;
        let mut outgoing = self.outgoing.open();
        outgoing.pings.push_back(payload.clone());
        outgoing.unanswered.push_back(payload);
        Ok(())
    }

    fn message(&mut self) -> Message {
        let most = [3, 130, 2_000, self.plan.most_bytes][self.rng.below(4)].min(self.plan.most_bytes);
        let len = self.rng.below(most + 1);
        if self.rng.below(2) == 0 {
            let characters = ['a', 'b', 'é', '水', '\u{1F600}'];
            let text: String = (0..len / 2).filter_map(|_| characters.get(self.rng.below(5))).collect();
            return text.into();
        }
        // Some compress well, some not at all.
        let kinds = [2, 256][self.rng.below(2)];
        (0..len).map(|_| u8::try_from(self.rng.below(kinds)).unwrap_or(0)).collect::<Vec<u8>>().into()
    }

    fn delivered(&self, message: &Message) {
        let mut incoming = self.incoming.open();
        let expected = incoming.messages.pop_front();
        incoming.delivered += 1;
        if expected.as_ref() != Some(message) {
            let number = incoming.delivered;
            let expected = expected.as_ref().map_or_else(|| "none".into(), describe);
            incoming.complain(format!(
                "message {number} that was delivered is {}, where {expected} was sent",
                describe(message)
            ));
        }
    }

    fn piece(&mut self, piece: crate::ObservedFragment) -> Result<(), &'static str> {
        if piece.first != self.pieces.is_none() {
            return Err("a piece that is not the first says so, or the first does not");
        }
        if piece.payload.is_empty() && !piece.fin {
            return Err("an empty piece that tells no end");
        }
        let (kind, bytes) = self.pieces.get_or_insert_with(|| (piece.kind, Vec::new()));
        bytes.extend_from_slice(&piece.payload);
        if *kind != piece.kind {
            return Err("two kinds in one message");
        }
        if let Some((kind, bytes)) = self.pieces.take_if(|_| piece.fin) {
            self.delivered(&match kind {
                MessageKind::Binary => bytes.into(),
                MessageKind::Text => String::from_utf8(bytes).map_err(|_| "text that is not UTF-8")?.into(),
            });
        }
        Ok(())
    }
}

impl Application for Traffic {
    fn handle(&mut self, event: Observed, connection: &mut Connection, _: Instant) {
        match event {
            Observed::Message(message) => {
                self.delivered(&message);
                // Some are answered in between events.
                if self.left > 0
                    && self.fragmented.is_none()
                    && self.refused.is_none()
                    && self.rng.below(4) == 0
                {
                    self.left -= 1;
                    self.done += 1;
                    let _refused = self.send(connection, message);
                }
            }
            Observed::Fragment(piece) => {
                if let Err(fault) = self.piece(piece) {
                    self.incoming.open().complain(fault);
                }
            }
            Observed::Ping(payload) if payload.starts_with(b"application") => {
                let mut incoming = self.incoming.open();
                if incoming.pings.pop_front() != Some(payload) {
                    incoming.complain("a ping that was not sent, or is out of order");
                }
            }
            Observed::Pong(pong) if pong.payload.starts_with(b"application") => {
                let mut outgoing = self.outgoing.open();
                // Pongs may be left out where later ones came (RFC 6455 §5.5.3), but not doubled or turned round.
                while let Some(ping) = outgoing.unanswered.pop_front() {
                    if ping == pong.payload {
                        return;
                    }
                }
                outgoing.complain("a pong that answers no ping, or a second one");
            }
            Observed::Ping(_) | Observed::Pong(_) => {}
            Observed::Closed(_) | Observed::Failed(_) => self.next = None,
            other @ Observed::Other(_) => {
                self.incoming.open().complain(format!("an unknown event: {other:?}"));
            }
        }
    }

    fn act(&mut self, connection: &mut Connection, now: Instant) {
        let burst = self.rng.below(4) + 1;
        for _ in 0..burst {
            let is_done = self.left == 0 && self.fragmented.is_none() && self.refused.is_none();
            if now >= self.plan.closes_at || (is_done && self.plan.closes) {
                let reason = ["", "bye", "ein Gruß"][self.rng.below(3)];
                let codes = [CloseCode::NORMAL, CloseCode::GOING_AWAY, CloseCode::NO_STATUS];
                let _sendable = connection.close(codes[self.rng.below(3)], reason, now);
                self.next = None;
                return;
            }
            if is_done {
                self.next = Some(self.plan.closes_at);
                return;
            }
            match self.operate(connection, now) {
                Ok(()) => {
                    self.left = self.left.saturating_sub(1);
                    self.done += 1;
                }
                Err(SendRefusal::QueueFull) => {
                    self.next = Some(now + Duration::from_millis(10));
                    return;
                }
                Err(_) => {
                    self.next = None;
                    return;
                }
            }
        }
        self.next = Some(now + between(&mut self.rng, self.plan.pace));
    }

    fn wake_at(&self, connection: &Connection) -> Option<Instant> {
        self.next.filter(|_| connection.is_open())
    }

    fn nap(&mut self) -> Duration {
        if self.rng.below(50) == 0 { between(&mut self.rng, self.plan.nap) } else { Duration::ZERO }
    }
}

fn describe(message: &Message) -> String {
    let bytes = message.as_bytes();
    let front: Vec<u8> = bytes.iter().take(16).copied().collect();
    format!("{:?} of {} bytes, {front:02x?}…", message.kind(), bytes.len())
}
