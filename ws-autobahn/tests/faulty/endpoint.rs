//! An echo over frames, with the faults that lie in what it takes and how it answers.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use ws_proto::Role;

use super::compression::Deflate;
use super::fault::Fault;
use super::wire::{Head, Wire};

/// One end of an open connection.
pub(super) struct Endpoint<S> {
    pub(super) wire: Wire<S>,
    pub(super) fault: Fault,
    deflate: Option<Deflate>,
    message: Option<Message>,
    /// Pongs that wait for the end of a message.
    pongs: Vec<Vec<u8>>,
    /// The answer that waits for a later one.
    held: Option<(u8, Vec<u8>)>,
    pings: usize,
}

/// The message under way.
struct Message {
    binary: bool,
    compressed: bool,
    payload: Vec<u8>,
    fragments: usize,
}

/// How the connection has ended.
pub(super) enum End {
    /// A Close frame was sent, or the fault is that none was.
    Closed,
    /// The other end has ended the stream, or is silent.
    OfStream,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    pub(super) fn new(wire: Wire<S>, deflate: Option<Deflate>, fault: Fault) -> Self {
        Self { wire, fault, deflate, message: None, pongs: Vec::new(), held: None, pings: 0 }
    }

    pub(super) async fn serve(&mut self) -> io::Result<End> {
        loop {
            let Some(head) = self.wire.head() else {
                if !self.fill().await? {
                    return Ok(End::OfStream);
                }
                continue;
            };
            if let Err(code) = self.check(&head) {
                return self.fail(code).await;
            }
            let payload = loop {
                let payload = self.wire.peek(&head);
                if payload.len() as u64 == head.len {
                    self.wire.take(&payload);
                    break payload;
                }
                if self.is_bad_text_already(&head, &payload) {
                    return self.fail(1007).await;
                }
                if !self.fill().await? {
                    return Ok(End::OfStream);
                }
            };
            let failed = match head.first & 0x0F {
                8 => return self.closed(&payload).await,
                9 => self.ping(payload).await?,
                10 if self.is(Fault::PongForPong) => self.answer(10, payload).await.map(|()| None)?,
                3.. => None,
                _ => self.data(&head, payload).await?,
            };
            if let Some(code) = failed {
                return self.fail(code).await;
            }
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Reads on; an answer that waits for a later one does not wait long.
    async fn fill(&mut self) -> io::Result<bool> {
        if let Some((first, payload)) = self.held.take() {
            match timeout(Duration::from_millis(50), self.wire.fill()).await {
                Ok(read) => {
                    self.held = Some((first, payload));
                    return read;
                }
                Err(_) => self.wire.send(first, payload).await?,
            }
        }
        self.wire.fill().await
    }

    /// `Err`: the code to fail the connection with.
    fn check(&self, head: &Head) -> Result<(), u16> {
        let (opcode, fin, rsv) = (head.first & 0x0F, head.first & 0x80 != 0, head.first >> 4 & 7);
        let control = opcode > 7;
        let may_be_compressed = self.deflate.is_some() && rsv == 4;
        let begins = !control && opcode != 0;
        let rsv_allowed = rsv == 0
            || may_be_compressed
                && (begins
                    || control && self.is(Fault::AcceptsMarkedControl)
                    || opcode == 0 && self.is(Fault::AcceptsMarkedContinuations));
        let rules = [
            (rsv_allowed, Fault::AcceptsReservedBits),
            (!matches!(opcode, 3..=7 | 11..), Fault::AcceptsReservedOpcodes),
            (fin || !control, Fault::AcceptsFragmentedControl),
            (head.len <= 125 || !control, Fault::AcceptsLongPings),
            (head.key.is_some() == (self.wire.role == Role::Server), Fault::AcceptsWrongMasking),
            (head.minimal, Fault::AcceptsLongLengths),
            (head.len >> 63 == 0, Fault::AcceptsAnyLength),
            (self.message.is_some() || opcode != 0, Fault::AcceptsContinuationOfNothing),
            (self.message.is_none() || !begins, Fault::AcceptsMessageInMessage),
        ];
        match rules.into_iter().all(|(kept, excuse)| kept || self.is(excuse)) {
            false => Err(1002),
            true if head.len > 16 << 20 && !self.is(Fault::AcceptsAnyLength) => Err(1009),
            true => Ok(()),
        }
    }

    /// Text is looked at as it comes.
    fn is_bad_text_already(&self, head: &Head, come: &[u8]) -> bool {
        let before = match (&self.message, head.first & 0x0F) {
            (Some(message), 0) if !message.binary && !message.compressed => message.payload.as_slice(),
            (None, 1) if head.first & 0x40 == 0 => &[],
            _ => return false,
        };
        let looks = ![Fault::LateUtf8, Fault::NoUtf8].contains(&self.fault);
        let bad = |text: &[u8]| std::str::from_utf8(text).is_err_and(|error| error.error_len().is_some());
        looks && bad(&[before, come].concat())
    }

    /// `Some`: the code to fail the connection with.
    async fn ping(&mut self, payload: Vec<u8>) -> io::Result<Option<u16>> {
        self.pings += 1;
        match self.fault {
            Fault::NoPong => {}
            Fault::PongWithoutPayload => self.answer(10, Vec::new()).await?,
            Fault::LatePongs if self.message.is_some() => self.pongs.push(payload),
            Fault::FailsOnManyPings if self.pings == 100 => return Ok(Some(1008)),
            _ => self.answer(10, payload).await?,
        }
        Ok(None)
    }

    /// `Some`: the code to fail the connection with.
    async fn data(&mut self, head: &Head, payload: Vec<u8>) -> io::Result<Option<u16>> {
        let (fin, marked) = (head.first & 0x80 != 0, head.first & 0x40 != 0);
        let message = match (&mut self.message, head.first & 0x0F) {
            (None, 0) => return Ok(None),
            (Some(message), _) => {
                message.payload.extend_from_slice(&payload);
                message.fragments += 1;
                message
            }
            (message @ None, opcode) => message.insert(Message {
                binary: opcode == 2,
                compressed: marked && self.deflate.is_some(),
                payload: payload.clone(),
                fragments: 1,
            }),
        };
        if message.fragments > 10_000 && self.fault != Fault::NoFragmentLimit {
            return Ok(Some(1008));
        }
        if self.fault == Fault::EchoOfFragments && !message.compressed {
            let opcode = if message.binary { 2 } else { 1 };
            if fin {
                self.message = None;
            }
            self.answer(opcode, payload).await?;
            return Ok(None);
        }
        let looks = self.fault != Fault::NoUtf8 && !message.binary;
        if looks && !message.compressed {
            let bad = std::str::from_utf8(&message.payload)
                .is_err_and(|error| fin || error.error_len().is_some() && self.fault != Fault::LateUtf8);
            if bad {
                return Ok(Some(1007));
            }
        }
        if fin && let Some(Message { binary, compressed, mut payload, .. }) = self.message.take() {
            if compressed && let Some(deflate) = &mut self.deflate {
                payload = match deflate.inflate(&payload) {
                    Ok(inflated) => inflated,
                    Err(code) => return Ok(Some(code)),
                };
                if looks && std::str::from_utf8(&payload).is_err() && self.fault != Fault::NoUtf8InCompressed
                {
                    return Ok(Some(1007));
                }
            }
            self.echo(binary, compressed, payload).await?;
            for pong in std::mem::take(&mut self.pongs) {
                self.answer(10, pong).await?;
            }
            if self.is(Fault::ClosesAfterEcho) {
                return Ok(Some(1000));
            }
        }
        Ok(None)
    }

    async fn echo(&mut self, binary: bool, compressed: bool, mut message: Vec<u8>) -> io::Result<()> {
        let binary = binary != self.is(Fault::OtherType);
        let opcode = if binary { 2 } else { 1 };
        match self.fault {
            Fault::TruncatedEcho => drop(message.pop()),
            Fault::ChangedByte => message.iter_mut().take(1).for_each(|byte| *byte ^= 1),
            Fault::NoEchoOfEmptyMessages if message.is_empty() => return Ok(()),
            Fault::LosesLargeMessages if message.len() > 65_535 => return Ok(()),
            Fault::SecondEcho => self.answer(opcode, message.clone()).await?,
            Fault::SendsReservedOpcodes => self.answer(5, Vec::new()).await?,
            Fault::SendsInvalidUtf8 if !binary => message.push(0xFF),
            _ => {}
        }
        let Some(deflate) = self.deflate.as_mut().filter(|_| compressed) else {
            return self.answer(opcode, message).await;
        };
        let mut payload = deflate.deflate(&message);
        match self.fault {
            Fault::CompressesWithoutMark => self.answer(opcode, payload).await,
            Fault::MarksContinuations => {
                let back = payload.split_off(payload.len() / 2);
                self.wire.send(opcode | 0x40, payload).await?;
                self.wire.send(0xC0, back).await
            }
            _ => self.answer(opcode | 0x40, payload).await,
        }
    }

    async fn closed(&mut self, payload: &[u8]) -> io::Result<End> {
        let (code, reason) = match payload {
            [] => (None, &[][..]),
            [_] if self.is(Fault::AcceptsCloseOfOneByte) => (None, &[][..]),
            [_] => return self.fail(1002).await,
            [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
        };
        let allowed = code.is_none_or(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999));
        if !allowed && !self.is(Fault::AcceptsInvalidCloseCodes) {
            return self.fail(1002).await;
        }
        if std::str::from_utf8(reason).is_err() && !self.is(Fault::AcceptsInvalidCloseReason) {
            return self.fail(1007).await;
        }
        let answer = match self.fault {
            Fault::NoCloseEcho => return Ok(End::Closed),
            Fault::WrongCloseCode => 1001,
            _ if !allowed => 1000,
            _ => code.unwrap_or(1000),
        };
        if self.is(Fault::AnswersAfterClose) {
            // Until nothing has come for a while.
            let _ = timeout(Duration::from_millis(200), self.answer_on()).await;
        }
        self.close(answer).await
    }

    /// Answers whatever comes.
    async fn answer_on(&mut self) -> io::Result<()> {
        loop {
            match self.wire.head() {
                None => {
                    if !self.wire.fill().await? {
                        return Ok(());
                    }
                }
                Some(head) => {
                    let payload = self.wire.peek(&head);
                    self.wire.take(&payload);
                    let opcode = if head.first & 0x0F == 9 { 10 } else { head.first & 0x0F };
                    self.wire.send(0x80 | opcode, payload).await?;
                }
            }
        }
    }

    async fn fail(&mut self, code: u16) -> io::Result<End> {
        self.close(if self.is(Fault::WrongErrorCode) { 1011 } else { code }).await
    }

    async fn close(&mut self, code: u16) -> io::Result<End> {
        if let Some((first, payload)) = self.held.take() {
            self.wire.send(first, payload).await?;
        }
        self.wire.send(0x88, code.to_be_bytes().to_vec()).await.map(|()| End::Closed)
    }

    /// Sends a whole frame, unless the fault lies in that.
    async fn answer(&mut self, first: u8, payload: Vec<u8>) -> io::Result<()> {
        let fin = if self.is(Fault::FragmentsPongs) && first == 10 { 0 } else { 0x80 };
        let frame = (first | fin, payload);
        let held = self.held.take();
        if self.is(Fault::OutOfOrder) && held.is_none() {
            self.held = Some(frame);
            return Ok(());
        }
        self.wire.send(frame.0, frame.1).await?;
        match held {
            Some((first, payload)) => self.wire.send(first, payload).await,
            None => Ok(()),
        }
    }
}
