//! What a line asks for.

use ws_proto::bytes::Bytes;
use ws_proto::{CloseCode, ControlPayload, Message};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Sends a message.
    Send(Message),
    /// Sends a ping, and shows how long its pong took.
    Ping(ControlPayload),
    /// Closes.
    Close(CloseCode, String),
    /// Shows what was agreed on.
    Info,
    /// Shows the commands.
    Help,
}

impl Command {
    /// Reads a line that may be a command. The error is a sentence.
    pub(super) fn parse(line: &str, binary: bool) -> Result<Self, String> {
        match line.strip_prefix('/') {
            // Two slashes are one that is meant.
            Some(rest) if rest.starts_with('/') => Ok(Self::message(rest, binary)),
            Some(rest) => {
                let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                Self::named(name, rest.trim())
            }
            None => Ok(Self::message(line, binary)),
        }
    }

    /// A line that is a message, whatever it begins with.
    pub(super) fn message(line: &str, binary: bool) -> Self {
        Self::Send(if binary { Message::binary(line.as_bytes().to_vec()) } else { Message::text(line) })
    }

    fn named(name: &str, rest: &str) -> Result<Self, String> {
        match name {
            "text" => Ok(Self::message(rest, false)),
            "binary" => Ok(Self::message(rest, true)),
            "hex" => Ok(Self::Send(Message::binary(hex(rest)?))),
            "ping" => ControlPayload::try_from(rest)
                .map(Self::Ping)
                .map_err(|_| "a ping has room for 125 bytes".to_owned()),
            "close" => close(rest),
            "quit" => Ok(Self::Close(CloseCode::NORMAL, String::new())),
            "info" => Ok(Self::Info),
            "help" => Ok(Self::Help),
            _ => Err(format!("there is no /{name}; /help shows what there is, and //{name} sends /{name}")),
        }
    }
}

/// What `/help` shows.
pub(super) const HELP: &str = "\
/text TEXT            sends text (as a line without a slash does, but with --binary)
/binary TEXT          sends the line as a binary message
/hex 00 ff            sends these bytes
/ping [TEXT]          sends a ping, and shows how long the pong took
/close [CODE [WHY]]   closes; 1000 where there is no code
/quit                 the same as /close
/info                 shows what was agreed on
//...                 sends a line that begins with one slash";

fn close(rest: &str) -> Result<Command, String> {
    if rest.is_empty() {
        return Ok(Command::Close(CloseCode::NORMAL, String::new()));
    }
    let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let code = code.parse().ok().and_then(CloseCode::new);
    let code = code.ok_or("a close code is 1000 to 1003, 1007 to 1014, or 3000 to 4999")?;
    Ok(Command::Close(code, reason.trim().to_owned()))
}

/// Pairs of hexadecimal digits; spaces may stand between them.
fn hex(text: &str) -> Result<Bytes, String> {
    let digits: Option<Vec<u32>> =
        text.chars().filter(|c| !c.is_whitespace()).map(|digit| digit.to_digit(16)).collect();
    let digits = digits.ok_or("bytes are written with the digits 0 to 9 and a to f")?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the last byte has one digit".to_owned());
    }
    // Two digits are at most 255.
    Ok(pairs.iter().filter_map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line, false)
    }

    #[test]
    fn a_line_is_a_message_unless_it_begins_with_one_slash() {
        assert_eq!(parse("hello /ping"), Ok(Command::Send(Message::text("hello /ping"))));
        assert_eq!(parse(""), Ok(Command::Send(Message::text(""))));
        assert_eq!(parse("//ping"), Ok(Command::Send(Message::text("/ping"))));
        assert_eq!(Command::parse("a", true), Ok(Command::Send(Message::binary(&b"a"[..]))));
        assert_eq!(Command::parse("/text a", true), Ok(Command::Send(Message::text("a"))));
        assert!(parse("/nothing").unwrap_err().contains("/help"));
    }

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(parse("/hex 00ff 7 F"), Ok(Command::Send(Message::binary(&[0, 255, 0x7F][..]))));
        assert_eq!(parse("/hex"), Ok(Command::Send(Message::binary(&[][..]))));
        assert!(parse("/hex 0").is_err());
        assert!(parse("/hex 0g").is_err());
    }

    #[test]
    fn closing_has_a_code_and_a_reason() {
        let close = |code, reason: &str| Ok(Command::Close(CloseCode::new(code).unwrap(), reason.into()));
        assert_eq!(parse("/close"), close(1000, ""));
        assert_eq!(parse("/quit"), close(1000, ""));
        assert_eq!(parse("/close 4001 out of tea"), close(4001, "out of tea"));
        assert!(parse("/close 1006").is_err());
        assert!(parse("/close tea").is_err());
    }

    #[test]
    fn a_ping_has_room_for_125_bytes() {
        assert!(parse(&format!("/ping {}", "a".repeat(125))).is_ok());
        assert!(parse(&format!("/ping {}", "a".repeat(126))).is_err());
    }
}
