//! What is done on one connection, and what has to come back.

use super::line::Line;
use super::payload::message;
use super::plan::{Close, Plan, Planned};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::fmt;
use ws_proto::owned::Event;
use ws_proto::{CloseCode, ControlPayload, Message};

/// What is done on one connection. Its name is the path that is asked for, and the name in the report.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a>(Steps<'a>);

#[derive(Clone, Copy, Debug)]
enum Steps<'a> {
    /// Messages of all kinds, fragments, a burst, pings, and a normal close.
    Matrix(&'a Plan),
    /// An echo, and then this Close frame.
    Close(&'a Close),
}

impl<'a> Scenario<'a> {
    /// All that the plan asks for.
    pub fn all(plan: &'a Plan) -> impl Iterator<Item = Self> {
        let closes = plan.closes.iter().map(Steps::Close);
        std::iter::once(Steps::Matrix(plan)).chain(closes).map(Self)
    }

    /// Goes through it.
    ///
    /// # Errors
    /// What did not come back as it should.
    pub fn run(self, line: &mut dyn Line) -> Result<()> {
        let mut check = Check { line, pongs: Vec::new() };
        match self.0 {
            Steps::Matrix(plan) => check.matrix(plan),
            Steps::Close(close) => {
                check.echo(&Message::text("before")).context("the only message")?;
                check.close(close.code, &close.reason)
            }
        }
    }
}

impl fmt::Display for Scenario<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Steps::Matrix(_) => f.write_str("/matrix"),
            Steps::Close(Close { code: Some(code), .. }) => write!(f, "/close/{code}"),
            Steps::Close(Close { code: None, .. }) => f.write_str("/close/none"),
        }
    }
}

struct Check<'a> {
    line: &'a mut dyn Line,
    /// Payloads of the pongs that came while something else was waited for.
    pongs: Vec<Bytes>,
}

impl Check<'_> {
    fn matrix(&mut self, plan: &Plan) -> Result<()> {
        for (seed, planned) in (0..).zip(&plan.messages) {
            self.message(planned, seed).with_context(|| format!("message {seed} ({planned:?})"))?;
        }
        let burst: Vec<_> = (0..).take(plan.burst.count).collect();
        for &seed in &burst {
            self.line.send(message(plan.burst.kind, plan.burst.bytes, seed))?;
        }
        for &seed in &burst {
            let sent = message(plan.burst.kind, plan.burst.bytes, seed);
            self.expect(&sent).with_context(|| format!("message {seed} of the burst"))?;
        }
        for &bytes in &plan.pings {
            let payload = vec![b'p'; bytes];
            self.line.ping(ControlPayload::try_from(&payload[..])?)?;
            self.pong(&payload).with_context(|| format!("ping with {bytes} bytes"))?;
        }
        self.close(Some(CloseCode::NORMAL.get()), "done")
    }

    fn message(&mut self, planned: &Planned, seed: u64) -> Result<()> {
        let sent = message(planned.kind, planned.bytes, seed);
        let Some(fragments) = planned.fragments else { return self.echo(&sent) };
        // Cut anywhere, also inside a character.
        let pieces: Vec<_> = sent.as_bytes().chunks(planned.bytes.div_ceil(fragments)).collect();
        for (number, piece) in (1..).zip(&pieces) {
            self.line.send_fragment(sent.kind(), Bytes::copy_from_slice(piece), number == pieces.len())?;
            if number == 1 {
                self.line.ping(ControlPayload::try_from("between")?)?;
            }
        }
        self.expect(&sent)?;
        self.pong(b"between")
    }

    fn echo(&mut self, sent: &Message) -> Result<()> {
        self.line.send(sent.clone())?;
        self.expect(sent)
    }

    fn expect(&mut self, sent: &Message) -> Result<()> {
        loop {
            match self.line.next()?.context("the connection was closed instead of an echo")? {
                Event::Message(came) => {
                    ensure!(came.kind() == sent.kind(), "sent {:?}, got {:?}", sent.kind(), came.kind());
                    ensure!(
                        came == *sent,
                        "the {} bytes that came back are not the {} sent",
                        came.len(),
                        sent.len()
                    );
                    return Ok(());
                }
                Event::Pong(pong) => self.pongs.push(Bytes::copy_from_slice(&pong.payload)),
                _ => {}
            }
        }
    }

    fn pong(&mut self, payload: &[u8]) -> Result<()> {
        loop {
            if let Some(at) = self.pongs.iter().position(|pong| pong == payload) {
                self.pongs.swap_remove(at);
                return Ok(());
            }
            match self.line.next()?.context("the connection was closed instead of a pong")? {
                Event::Pong(pong) => {
                    ensure!(pong.round_trip.is_some(), "the pong answers no ping");
                    self.pongs.push(Bytes::copy_from_slice(&pong.payload));
                }
                Event::Message(message) => {
                    anyhow::bail!("a message of {} bytes came instead of a pong", message.len());
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, code: Option<u16>, reason: &str) -> Result<()> {
        let code = match code {
            Some(code) => CloseCode::new(code).context("the plan closes with a code that is none")?,
            None => CloseCode::NO_STATUS,
        };
        let received = self.line.close(code, reason)?.received;
        // The code comes back (RFC 6455 §5.5.1).
        ensure!(received.code == code, "close {code} was answered with {}", received.code);
        Ok(())
    }
}
