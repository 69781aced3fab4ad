//! What is to be done, line by line, wherever the lines come from.

use super::command::Command;
use std::io::{self, BufRead, Read};
use tokio::sync::mpsc;
use ws_proto::Message;

/// What came from the keyboard, or from standard input.
#[derive(Debug)]
pub(super) enum Input {
    /// Something to do.
    Command(Command),
    /// A line that asks for nothing that can be done, and why.
    Wrong(String),
}

/// The lines that wait; few, so that a source of many is read as fast as the server takes them.
pub(super) struct Inputs(pub(super) mpsc::Receiver<Input>);

impl Inputs {
    /// Lines of standard input, each a message; with `commands` also commands. A thread reads them, for nothing else can be done about a
    /// pipe that blocks.
    pub(super) fn of_stdin(commands: bool, binary: bool) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUED);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            let mut more = true;
            while more {
                let input = read(&mut stdin, commands, binary).unwrap_or_else(|error| {
                    more = false;
                    Some(Input::Wrong(format!("standard input cannot be read: {error}")))
                });
                more &= input.is_some();
                more &= input.is_none_or(|input| sender.blocking_send(input).is_ok());
            }
            // There is no more where nobody can send any.
        });
        Self(receiver)
    }
}

pub(super) const QUEUED: usize = 16;

/// The next line; `None` at the end.
fn read(stdin: &mut impl BufRead, commands: bool, binary: bool) -> io::Result<Option<Input>> {
    let mut line = Vec::new();
    if stdin.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() as u64 > MAX_LINE_BYTES {
        skip_rest(stdin)?;
        let why = format!("a line is longer than {MAX_LINE_BYTES} bytes, and was not sent");
        return Ok(Some(Input::Wrong(why)));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(match String::from_utf8(line) {
        Ok(line) if commands => Command::parse(&line, binary).map_or_else(Input::Wrong, Input::Command),
        Ok(line) => Input::Command(Command::message(&line, binary)),
        Err(error) if binary => Input::Command(Command::Send(Message::binary(error.into_bytes()))),
        Err(_) => Input::Wrong("a line is not UTF-8, and was not sent; --binary sends any bytes".to_owned()),
    }))
}

fn skip_rest(stdin: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = stdin.fill_buf()?;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let consumed = end.map_or(buffer.len(), |end| end + 1);
        let is_last = end.is_some() || buffer.is_empty();
        stdin.consume(consumed);
        if is_last {
            return Ok(());
        }
    }
}

/// As many as servers take by default.
const MAX_LINE_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn next(stdin: &mut &[u8], commands: bool, binary: bool) -> Option<Input> {
        read(stdin, commands, binary).unwrap()
    }

    fn message(input: Option<Input>) -> Message {
        match input {
            Some(Input::Command(Command::Send(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_line_is_a_message_whatever_it_begins_with() {
        let mut stdin = &b"a\n/ping\r\n\nlast"[..];
        for expected in ["a", "/ping", "", "last"] {
            assert_eq!(message(next(&mut stdin, false, false)), Message::text(expected));
        }
        assert!(next(&mut stdin, false, false).is_none());
        let ping = next(&mut &b"/ping\n"[..], true, false);
        assert!(matches!(ping, Some(Input::Command(Command::Ping(_)))));
    }

    #[test]
    fn what_is_not_utf8_is_sent_as_binary_or_not_at_all() {
        assert_eq!(message(next(&mut &b"\xff\n"[..], false, true)), Message::binary(&b"\xff"[..]));
        assert!(matches!(next(&mut &b"\xff\n"[..], false, false), Some(Input::Wrong(_))));
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_is_read() {
        let mut stdin = vec![b'a'; (16 << 20) + 70_000];
        stdin.extend(b"\nnext\n");
        let mut stdin = &stdin[..];
        assert!(matches!(next(&mut stdin, false, false), Some(Input::Wrong(_))));
        assert_eq!(message(next(&mut stdin, false, false)), Message::text("next"));
    }
}
