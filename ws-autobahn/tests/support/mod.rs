//! An echo server over raw frames with one fault that can be switched on, and how to run cases against endpoints in memory.

#![allow(dead_code, reason = "each test takes what it needs")]

use bytes::{Buf, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use ws_autobahn::fuzzing_client::{self, Options};
use ws_autobahn::report::Report;
use ws_autobahn::{Behavior, CloseBehavior, Selection};
use ws_proto::Config;
use ws_proto::frame::{Header, MaskingKey, Opcode};

/// Runs cases against an endpoint that gets the other end of each pipe.
pub(crate) async fn run<F, O>(cases: &[&str], beyond: bool, endpoint: F) -> Report
where
    F: Fn(DuplexStream) -> O + Send + Sync + 'static,
    O: Future<Output = ()> + Send + 'static,
{
    let selection =
        Selection { cases: cases.iter().map(|&case| case.to_owned()).collect(), exclude: Vec::new(), beyond };
    let connect = move || {
        let (near, far) = tokio::io::duplex(64 << 10);
        tokio::spawn(endpoint(far));
        async { io::Result::Ok(near) }
    };
    let options = Options { agent: Some("endpoint".to_owned()), ..Options::default() };
    let mut report = Report::new();
    fuzzing_client::run(connect, selection.resolve().expect("known cases"), options, |result| {
        report.add(result)
    })
    .await
    .expect("a pipe can always be made");
    report
}

/// The cases that were not as wanted, with their verdicts.
pub(crate) fn not_good(report: &Report) -> Vec<String> {
    report
        .results("endpoint")
        .filter(|result| {
            let good = matches!(result.verdict.behavior, Behavior::Ok | Behavior::Informational)
                && matches!(result.verdict.behavior_close, CloseBehavior::Ok | CloseBehavior::Informational);
            !good
        })
        .map(|result| {
            let verdict = &result.verdict;
            format!(
                "{} {} / {}: {} {}",
                result.case.id,
                verdict.behavior,
                verdict.behavior_close,
                verdict.result,
                verdict.result_close
            )
        })
        .collect()
}

/// The echo server of this workspace.
pub(crate) async fn echo(stream: DuplexStream) {
    let Ok(incoming) = ws_tokio::accept(stream, Config::default()).await else { return };
    let Ok(mut socket) = incoming.accept(ws_proto::handshake::Acceptance::default()).await else { return };
    while let Ok(Some(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    NoPong,
    PongWithoutPayload,
    PongForPong,
    PongsAtTheEndOfTheMessage,
    LateUtf8,
    NoUtf8,
    WrongCloseCode,
    WrongErrorCode,
    NoCloseEcho,
    NeverClosesTheStream,
    TruncatedEcho,
    ChangedByte,
    SecondEcho,
    NoEchoOfEmptyMessages,
    OtherType,
    EchoOfFragments,
    AcceptsReservedBits,
    AcceptsReservedOpcodes,
    AcceptsLongPings,
    AcceptsFragmentedControl,
    AcceptsContinuationOfNothing,
    AcceptsMessageInMessage,
    AcceptsInvalidCloseCodes,
    AcceptsCloseOfOneByte,
    AcceptsInvalidCloseReason,
    AnswersAfterClose,
    MasksItsFrames,
    LongLengths,
    LosesLargeMessages,
    KeepsContext,
    IgnoresWindow,
    CompressesWithoutMark,
}

/// All faults.
pub(crate) const FAULTS: [Fault; 32] = [
    Fault::NoPong,
    Fault::PongWithoutPayload,
    Fault::PongForPong,
    Fault::PongsAtTheEndOfTheMessage,
    Fault::LateUtf8,
    Fault::NoUtf8,
    Fault::WrongCloseCode,
    Fault::WrongErrorCode,
    Fault::NoCloseEcho,
    Fault::NeverClosesTheStream,
    Fault::TruncatedEcho,
    Fault::ChangedByte,
    Fault::SecondEcho,
    Fault::NoEchoOfEmptyMessages,
    Fault::OtherType,
    Fault::EchoOfFragments,
    Fault::AcceptsReservedBits,
    Fault::AcceptsReservedOpcodes,
    Fault::AcceptsLongPings,
    Fault::AcceptsFragmentedControl,
    Fault::AcceptsContinuationOfNothing,
    Fault::AcceptsMessageInMessage,
    Fault::AcceptsInvalidCloseCodes,
    Fault::AcceptsCloseOfOneByte,
    Fault::AcceptsInvalidCloseReason,
    Fault::AnswersAfterClose,
    Fault::MasksItsFrames,
    Fault::LongLengths,
    Fault::LosesLargeMessages,
    Fault::KeepsContext,
    Fault::IgnoresWindow,
    Fault::CompressesWithoutMark,
];

/// A server that echoes, with this fault.
pub(crate) async fn faulty(stream: DuplexStream, fault: Fault) {
    let Ok(incoming) = ws_tokio::accept(stream, Config::default()).await else { return };
    let Ok(socket) = incoming.accept(ws_proto::handshake::Acceptance::default()).await else { return };
    let negotiated = socket.negotiated();
    let Some(parts) = socket.into_parts() else { return };
    let deflate = negotiated.deflate().map(|params| {
        let bits =
            if fault == Fault::IgnoresWindow { 15 } else { params.server_max_window_bits.get().max(9) };
        Deflate {
            compress: Compress::new_with_window_bits(Compression::new(6), false, bits),
            decompress: Decompress::new(false),
            reset_out: (params.server_no_context_takeover && fault != Fault::KeepsContext),
            reset_in: params.client_no_context_takeover,
        }
    });
    let mut server = Server {
        stream: parts.stream,
        input: parts.leftover,
        fault,
        deflate,
        message: None,
        pongs: Vec::new(),
    };
    // A client that is gone ends it as well.
    let _ = server.serve().await;
    if fault == Fault::NeverClosesTheStream {
        let mut rest = Vec::new();
        let _ = server.stream.read_to_end(&mut rest).await;
    }
}

struct Deflate {
    compress: Compress,
    decompress: Decompress,
    reset_out: bool,
    reset_in: bool,
}

struct Server {
    stream: DuplexStream,
    input: BytesMut,
    fault: Fault,
    deflate: Option<Deflate>,
    /// The message under way: is it binary, compressed, and what has come of it.
    message: Option<(bool, bool, Vec<u8>)>,
    pongs: Vec<Vec<u8>>,
}

impl Server {
    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let Some((first, header, payload)) = self.frame().await? else { return Ok(()) };
            let opcode = first & 0x0F;
            let rsv = first >> 4 & 7;
            let fin = first & 0x80 != 0;
            let is = |fault| self.fault == fault;
            let control = opcode > 7;
            let rsv_allowed = self.deflate.is_some() && rsv == 4 && !control;
            if rsv != 0 && !rsv_allowed && !is(Fault::AcceptsReservedBits) {
                return self.fail(1002).await;
            }
            if header.is_none() && matches!(opcode, 3..=7 | 11..) {
                if !is(Fault::AcceptsReservedOpcodes) {
                    return self.fail(1002).await;
                }
                continue;
            }
            if control
                && (!fin && !is(Fault::AcceptsFragmentedControl)
                    || payload.len() > 125 && !is(Fault::AcceptsLongPings))
            {
                return self.fail(1002).await;
            }
            match opcode {
                8 => return self.closed(&payload).await,
                9 => self.ping(payload).await?,
                10 if is(Fault::PongForPong) => self.send(10, payload).await?,
                10 => {}
                _ => {
                    if !self.data(opcode, fin, rsv == 4, payload).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn ping(&mut self, payload: Vec<u8>) -> io::Result<()> {
        match self.fault {
            Fault::NoPong => Ok(()),
            Fault::PongWithoutPayload => self.send(10, Vec::new()).await,
            Fault::PongsAtTheEndOfTheMessage if self.message.is_some() => {
                self.pongs.push(payload);
                Ok(())
            }
            _ => self.send(10, payload).await,
        }
    }

    /// `false`: the connection was failed.
    async fn data(&mut self, opcode: u8, fin: bool, compressed: bool, payload: Vec<u8>) -> io::Result<bool> {
        match (&mut self.message, opcode) {
            (None, 0) if self.fault == Fault::AcceptsContinuationOfNothing => return Ok(true),
            (None, 0) => return self.fail(1002).await.map(|()| false),
            (Some(_), 1..) if self.fault != Fault::AcceptsMessageInMessage => {
                return self.fail(1002).await.map(|()| false);
            }
            (Some((.., message)), _) => message.extend_from_slice(&payload),
            (message, _) => {
                *message = Some((opcode == 2, compressed && self.deflate.is_some(), payload.clone()))
            }
        }
        if self.fault == Fault::EchoOfFragments && !compressed {
            self.send(if matches!(self.message, Some((true, ..))) { 2 } else { 1 }, payload).await?;
            if fin {
                self.message = None;
            }
            return Ok(true);
        }
        let utf8 = match &self.message {
            Some((false, false, message)) => match std::str::from_utf8(message) {
                Ok(_) => true,
                Err(error) => !fin && (error.error_len().is_none() || self.fault == Fault::LateUtf8),
            },
            _ => true,
        };
        if !utf8 && self.fault != Fault::NoUtf8 {
            return self.fail(1007).await.map(|()| false);
        }
        if fin && let Some((binary, compressed, message)) = self.message.take() {
            let message = if compressed { self.inflate(&message) } else { message };
            self.echo(binary, compressed, message).await?;
            for pong in std::mem::take(&mut self.pongs) {
                self.send(10, pong).await?;
            }
        }
        Ok(true)
    }

    async fn echo(&mut self, binary: bool, compressed: bool, mut message: Vec<u8>) -> io::Result<()> {
        match self.fault {
            Fault::TruncatedEcho => drop(message.pop()),
            Fault::ChangedByte => message.iter_mut().take(1).for_each(|byte| *byte ^= 1),
            Fault::NoEchoOfEmptyMessages if message.is_empty() => return Ok(()),
            Fault::LosesLargeMessages if message.len() > 65_535 => return Ok(()),
            Fault::SecondEcho => self.send(if binary { 2 } else { 1 }, message.clone()).await?,
            _ => {}
        }
        let binary = binary != (self.fault == Fault::OtherType);
        let opcode = if binary { 2 } else { 1 };
        if !compressed {
            return self.send(opcode, message).await;
        }
        let payload = self.deflate(&message);
        let mark = if self.fault == Fault::CompressesWithoutMark { 0 } else { 0x40 };
        self.send(opcode | mark, payload).await
    }

    async fn closed(&mut self, payload: &[u8]) -> io::Result<()> {
        let (code, reason) = match payload {
            [] => (None, &[][..]),
            [_] if self.fault == Fault::AcceptsCloseOfOneByte => (None, &[][..]),
            [_] => return self.fail(1002).await,
            [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
        };
        let allowed = code.is_none_or(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999));
        if !allowed && self.fault != Fault::AcceptsInvalidCloseCodes {
            return self.fail(1002).await;
        }
        if std::str::from_utf8(reason).is_err() && self.fault != Fault::AcceptsInvalidCloseReason {
            return self.fail(1007).await;
        }
        let answer = match self.fault {
            Fault::NoCloseEcho => return Ok(()),
            Fault::WrongCloseCode => 1001,
            _ if !allowed => 1000,
            _ => code.unwrap_or(1000),
        };
        if self.fault == Fault::AnswersAfterClose {
            while let Ok(Some((first, _, payload))) = self.frame().await {
                let opcode = if first & 0x0F == 9 { 10 } else { first & 0x0F };
                self.send(opcode, payload).await?;
                if opcode == 10 {
                    break;
                }
            }
        }
        self.send(8, answer.to_be_bytes().to_vec()).await
    }

    async fn fail(&mut self, code: u16) -> io::Result<()> {
        let code = if self.fault == Fault::WrongErrorCode { 1011 } else { code };
        self.send(8, code.to_be_bytes().to_vec()).await
    }

    async fn send(&mut self, first: u8, mut payload: Vec<u8>) -> io::Result<()> {
        let opcode = Opcode::new(first & 0x0F).unwrap_or(Opcode::Text);
        let mut header = Header::new(opcode, payload.len() as u64);
        header.rsv1 = first & 0x40 != 0;
        if self.fault == Fault::MasksItsFrames {
            let key = MaskingKey::new([1, 2, 3, 4]);
            header.masking_key = Some(key);
            key.apply(0, &mut payload);
        }
        let mut bytes = header.encode().as_slice().to_vec();
        if self.fault == Fault::LongLengths && payload.len() < 126 {
            bytes = vec![bytes[0], 126, 0, bytes[1]];
        }
        bytes.extend_from_slice(&payload);
        self.stream.write_all(&bytes).await
    }

    /// The next frame: its first byte, its header where that is a good one, and its payload.
    async fn frame(&mut self) -> io::Result<Option<(u8, Option<Header>, Vec<u8>)>> {
        let (decoded, header_len, len) = loop {
            // The lengths of wrong headers are read as those of right ones.
            let mut copy = self.input.to_vec();
            if let Some(first) = copy.first_mut() {
                *first = 0x82;
            }
            match Header::decode(&copy) {
                Ok(Some((decoded, header_len))) => {
                    let len = usize::try_from(decoded.payload_len).unwrap();
                    if self.input.len() >= header_len + len {
                        break (decoded, header_len, len);
                    }
                    // Text is looked at as it comes.
                    if self.early_fault(&decoded, header_len) {
                        self.fail(1007).await?;
                        return Ok(None);
                    }
                }
                Ok(None) => {}
                Err(_) => return Ok(None),
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(None);
            }
        };
        let first = self.input[0];
        let header = Header::decode(&self.input).ok().flatten().map(|(header, _)| header);
        self.input.advance(header_len);
        let mut payload = self.input.split_to(len).to_vec();
        if let Some(key) = decoded.masking_key {
            key.apply(0, &mut payload);
        }
        Ok(Some((first, header, payload)))
    }

    fn early_fault(&self, header: &Header, header_len: usize) -> bool {
        let begins_text = self.input[0] & 0x7F == 1;
        if !begins_text || [Fault::LateUtf8, Fault::NoUtf8].contains(&self.fault) {
            return false;
        }
        let mut come = self.input[header_len..].to_vec();
        if let Some(key) = header.masking_key {
            key.apply(0, &mut come);
        }
        std::str::from_utf8(&come).is_err_and(|error| error.error_len().is_some())
    }

    fn inflate(&mut self, message: &[u8]) -> Vec<u8> {
        let Some(deflate) = &mut self.deflate else { return Vec::new() };
        if deflate.reset_in {
            deflate.decompress.reset(false);
        }
        let mut output = Vec::with_capacity(256 << 10);
        for part in [message, &[0, 0, 0xFF, 0xFF]] {
            let _ = deflate.decompress.decompress_vec(part, &mut output, FlushDecompress::Sync);
        }
        output
    }

    fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        let Some(deflate) = &mut self.deflate else { return Vec::new() };
        if deflate.reset_out {
            deflate.compress.reset();
        }
        let mut output = Vec::with_capacity(message.len() * 2 + 1024);
        let _ = deflate.compress.compress_vec(message, &mut output, FlushCompress::Sync);
        output.truncate(output.len() - 4);
        output
    }
}
