use crate::{End, Outcome};
use std::io::{Cursor, Read, Result, Write};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::{Role as TheirRole, WebSocket};
use ws_proto::{Message, Role};

/// Reads what there is and takes all that is written.
struct Line<'a>(Cursor<&'a [u8]>);

impl Read for Line<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn read(role: Role, bytes: &[u8]) -> Outcome {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    let mut socket = WebSocket::from_raw_socket(Line(Cursor::new(bytes)), role, None);
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(tungstenite::Message::Text(text)) => match String::from_utf8(text.as_bytes().to_vec()) {
                Ok(text) => messages.push(Message::text(text)),
                Err(_) => return Outcome { messages, end: End::NotUtf8 },
            },
            Ok(tungstenite::Message::Binary(bytes)) => messages.push(Message::binary(bytes)),
            Ok(tungstenite::Message::Close(frame)) => {
                let code = frame.map_or(1005, |frame| frame.code.into());
                return Outcome { messages, end: End::Closed(code) };
            }
            Ok(_) => {}
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::Io(_)) => {
                return Outcome { messages, end: End::EndOfStream };
            }
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                return Outcome { messages, end: End::EndOfStream };
            }
            Err(_) => return Outcome { messages, end: End::Failed },
        }
    }
}
