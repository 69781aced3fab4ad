//! The script of a case as it is played: what to do when the connection opens, when something comes, and when time has passed.

use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use ws_proto::Role;

use crate::case::{Behavior, Case, Frame, Payload, Received, Script, Step};
use crate::payload::{Compressed, DataSet};
use crate::peer::{Peer, PeerEvent, State, Timer, Traffic};

/// A script and how far it is.
#[derive(Debug)]
pub(crate) struct Play {
    case: Arc<Case>,
    /// The next step, or the number of messages sent.
    next: usize,
    pub(crate) received: Vec<Received>,
    /// The verdict of scripts that compare no lists of events.
    pub(crate) found: Option<(Behavior, String)>,
    compressed: Option<Arc<Compressed>>,
    pub(crate) traffic: Option<Traffic>,
}

impl Play {
    pub(crate) fn new(case: Arc<Case>) -> Self {
        Self { case, next: 0, received: Vec::new(), found: None, compressed: None, traffic: None }
    }

    /// The connection is open.
    pub(crate) fn open(&mut self, peer: &mut Peer, now: Instant) {
        let case = Arc::clone(&self.case);
        match &case.script {
            Script::Steps(_) if case.rules.needs_deflate && peer.deflate.is_none() => {
                self.unimplemented(peer, now)
            }
            Script::Steps(_) => self.go_on(peer, now),
            Script::Echo { send, wait, .. } => {
                peer.log.silence(true);
                self.fail(format!("The message did not come back within {} s.", wait.as_secs()));
                self.step(send, peer, now);
                self.step(&Step::CloseAfter(*wait), peer, now);
            }
            Script::RoundTrips { wait, .. } => {
                peer.log.enable(false);
                self.begin_round_trips(*wait, peer, now);
            }
            Script::Compressed { data, len, wait, .. } => {
                peer.log.enable(false);
                let Some(params) = peer.deflate else {
                    return self.unimplemented(peer, now);
                };
                let (bits, reset) = match peer.role {
                    Role::Client => (params.client_window_bits, params.client_no_context_takeover),
                    Role::Server => (params.server_window_bits, params.server_no_context_takeover),
                };
                self.compressed = Some(Compressed::messages(*data, *len, bits, reset));
                self.begin_round_trips(*wait, peer, now);
            }
        }
    }

    /// Something came.
    pub(crate) fn event(&mut self, event: PeerEvent, peer: &mut Peer, now: Instant) {
        match event {
            PeerEvent::Pong(_) if self.case.rules.ignore_pongs => {}
            PeerEvent::Pong(payload) => {
                self.received.push(Received::Pong(payload));
                self.close_when_done(peer, now);
            }
            PeerEvent::Message { payload, binary } => {
                let case = Arc::clone(&self.case);
                match &case.script {
                    Script::Steps(_) => {
                        self.received.push(Received::Message { payload: payload.into(), binary });
                        self.close_when_done(peer, now);
                    }
                    Script::Echo { binary: wanted, len, .. } => {
                        self.echoed(binary, *wanted, payload.len(), *len);
                        peer.log.silence(false);
                        peer.send_close(Some(1000), None, false, now);
                    }
                    Script::RoundTrips { binary: wanted, len, count, .. } => {
                        let good = binary == *wanted && payload.len() == *len;
                        peer.reuse(payload);
                        self.round_trip(good.then_some(()).ok_or(WRONG_ECHO), *count, peer, now);
                    }
                    Script::Compressed { data, len, count, .. } => {
                        let checked = self.check_message(*data, *len, &payload, binary);
                        peer.reuse(payload);
                        self.round_trip(checked, *count, peer, now);
                    }
                }
            }
            PeerEvent::Broken => {}
        }
    }

    /// A timer of the case fired.
    pub(crate) fn timer(&mut self, timer: Timer, peer: &mut Peer, now: Instant) {
        if peer.state == State::Closed {
            return;
        }
        match timer {
            Timer::Later(tag) => {
                peer.log.later_fired(tag);
                if let Some(tag) = tag {
                    if peer.state != State::Open {
                        return;
                    }
                    self.received.push(Received::Timeout(tag));
                }
                self.go_on(peer, now);
            }
            Timer::Fail => {
                peer.log.fail_fired();
                peer.fail(1001, "the case ran out of time", now);
            }
            Timer::Close => {
                peer.log.close_fired();
                peer.send_close(None, None, false, now);
            }
            Timer::CloseHandshake | Timer::ServerDrop => peer.timed_out(timer),
        }
    }

    /// Takes steps until one that waits.
    fn go_on(&mut self, peer: &mut Peer, now: Instant) {
        let case = Arc::clone(&self.case);
        let Script::Steps(steps) = &case.script else { return };
        while let Some(step) = steps.get(self.next) {
            self.next += 1;
            self.step(step, peer, now);
            if let Step::Later(..) = step {
                return;
            }
        }
    }

    fn step(&self, step: &Step, peer: &mut Peer, now: Instant) {
        match step {
            Step::Frame(frame) => peer.send_frame(frame),
            Step::Message { payload, binary, fragment } => peer.send_message(payload, *binary, *fragment),
            Step::Head { len } => peer.begin_frame(*len),
            Step::Data(data) => peer.frame_data(data),
            Step::End => {
                if peer.state == State::Open {
                    peer.send_frame(&Frame::new(0, Bytes::new()));
                }
            }
            Step::Close { code, reason } => {
                peer.send_close(*code, (!reason.is_empty()).then(|| reason.clone()), false, now);
            }
            Step::FailAfter(after) => {
                peer.log.fail_after(*after);
                peer.set_timer(now + *after, Timer::Fail);
            }
            Step::CloseAfter(after) => {
                peer.log.close_after(*after);
                peer.set_timer(now + *after, Timer::Close);
            }
            Step::Later(after, tag) => {
                peer.log.later(*after, *tag);
                peer.set_timer(now + *after, Timer::Later(*tag));
            }
            Step::ShutdownWrite => peer.shutdown_write = true,
        }
    }

    /// Begins the closing handshake when what was received is what was expected.
    fn close_when_done(&self, peer: &mut Peer, now: Instant) {
        let case = &self.case;
        let done = case.expected.iter().all(|(_, events)| *events == self.received);
        if let (true, true, false, Some(code)) =
            (done, case.close.closed_by_me, case.rules.suppress_close, case.close.codes.first())
        {
            peer.send_close(Some(*code), None, false, now);
        }
    }

    fn echoed(&mut self, binary: bool, wanted: bool, len: usize, wanted_len: usize) {
        if binary != wanted {
            self.fail(format!(
                "A message of the other type came back, {}.",
                if binary { "binary" } else { "text" }
            ));
        } else if len != wanted_len {
            self.fail(format!("A message of {len} bytes came back instead of {wanted_len}."));
        } else {
            self.found = Some((Behavior::Ok, format!("The message of {len} bytes came back.")));
        }
    }

    fn begin_round_trips(&mut self, wait: Duration, peer: &mut Peer, now: Instant) {
        self.fail(format!("The messages did not all come back within {} s.", wait.as_secs()));
        self.step(&Step::CloseAfter(wait), peer, now);
        self.send_next(peer);
    }

    fn send_next(&mut self, peer: &mut Peer) {
        let number = self.next;
        self.next += 1;
        match &self.case.script {
            Script::RoundTrips { unit, binary, len, .. } => {
                let unit = Bytes::copy_from_slice(&[*unit]);
                let payload = Payload { unit, repeated_to: Some(*len) };
                peer.send_frame(&Frame::new(if *binary { 2 } else { 1 }, payload));
            }
            Script::Compressed { data, len, fragment, .. } => {
                let message =
                    self.compressed.as_ref().map(|messages| messages.get(number)).unwrap_or_default();
                peer.send_compressed(message, *len, data.is_binary(), *fragment);
            }
            Script::Steps(_) | Script::Echo { .. } => {}
        }
    }

    fn round_trip(&mut self, checked: Result<(), &str>, count: u32, peer: &mut Peer, now: Instant) {
        match checked {
            Ok(()) if self.next < count as usize => return self.send_next(peer),
            Ok(()) => {
                self.found = Some((Behavior::Ok, "All messages came back in time.".to_owned()));
                self.traffic = self.case.reports_ratio().then(|| peer.traffic.clone());
            }
            Err(sentence) => self.fail(format!("Message {}: {sentence}", self.next)),
        }
        peer.log.enable(true);
        peer.send_close(Some(1000), None, false, now);
    }

    /// Is it what was sent last?
    fn check_message(
        &self,
        data: DataSet,
        len: usize,
        payload: &[u8],
        binary: bool,
    ) -> Result<(), &'static str> {
        let (front, back) = data.message(len, self.next.saturating_sub(1));
        if binary != data.is_binary() || payload.len() != len {
            return Err(WRONG_ECHO);
        }
        let same = payload.split_at_checked(front.len()).is_some_and(|parts| parts == (front, back));
        if same { Ok(()) } else { Err("what came back has other contents than what was sent.") }
    }

    fn unimplemented(&mut self, peer: &mut Peer, now: Instant) {
        self.found = Some((Behavior::Unimplemented, "Compression was not agreed on.".to_owned()));
        peer.send_close(Some(1000), None, false, now);
    }

    fn fail(&mut self, sentence: String) {
        self.found = Some((Behavior::Failed, sentence));
    }
}

const WRONG_ECHO: &str = "what came back has another type or length than what was sent.";
