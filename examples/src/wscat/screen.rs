//! What is shown, and where.

use super::json;
use super::options::Options;
use rustyline::ExternalPrinter;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use ws_proto::Message;

/// What is shown, and where: above the prompt, where somebody types; else messages on standard output, and what is said about them on
/// standard error.
pub(super) struct Screen {
    prompt: RefCell<Option<Box<dyn ExternalPrinter>>>,
    /// Is standard output a terminal, which must not be sent control characters by a stranger?
    terminal: bool,
    colour: bool,
    verbose: bool,
    json: bool,
    raw: bool,
}

impl Screen {
    pub(super) fn new(options: &Options) -> Self {
        let terminal = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            prompt: RefCell::new(None),
            terminal,
            colour: terminal && io::stderr().is_terminal() && wanted,
            verbose: options.verbose,
            json: options.json,
            raw: options.raw,
        }
    }

    /// From now on everything is shown above a prompt.
    pub(super) fn above_prompt(&mut self, printer: impl ExternalPrinter + 'static) {
        self.prompt = RefCell::new(Some(Box::new(printer)));
    }

    /// There is no prompt any more; `restore` gives the terminal back.
    pub(super) fn leave_prompt(&self, restore: impl FnOnce()) {
        if let Some(mut printer) = self.prompt.take() {
            // It takes one message while it paints another: when the second of these has been taken, all before them are painted.
            let _ = printer.print(NOTHING.to_owned());
            let _ = printer.print(NOTHING.to_owned());
            restore();
        }
    }

    /// A message that came.
    pub(super) fn message(&self, message: &Message) -> io::Result<()> {
        if self.raw {
            let mut stdout = io::stdout().lock();
            stdout.write_all(message.as_bytes())?;
            return stdout.flush();
        }
        let text = match message {
            Message::Text(text) => {
                let pretty = if self.json { json::pretty(text) } else { None };
                let text = pretty.unwrap_or_else(|| text.to_string());
                if self.terminal { visible(&text) } else { text }
            }
            Message::Binary(bytes) => hex(bytes, if self.terminal { SHOWN_BYTES } else { usize::MAX }),
        };
        if self.prompt.borrow().is_some() {
            self.say(GREEN, &format!("< {text}"))
        } else {
            writeln!(io::stdout().lock(), "{text}")
        }
    }

    /// What people want to know.
    pub(super) fn notice(&self, text: &str) {
        // Where nobody can be told there is nothing to be done about it.
        let _ = self.say(DIM, text);
    }

    /// What only those want to know who asked for it.
    pub(super) fn detail(&self, text: &str) {
        if self.verbose {
            self.notice(text);
        }
    }

    /// What went wrong.
    pub(super) fn fault(&self, text: &str) {
        let _ = self.say(RED, text);
    }

    fn say(&self, colour: &str, text: &str) -> io::Result<()> {
        let line = if self.colour { format!("{colour}{text}{PLAIN}\n") } else { format!("{text}\n") };
        match &mut *self.prompt.borrow_mut() {
            Some(printer) => printer.print(line).map_err(io::Error::other),
            None => io::stderr().lock().write_all(line.as_bytes()),
        }
    }
}

/// The text with everything spelled out that would move the cursor or change how the terminal behaves.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn hex(bytes: &[u8], most: usize) -> String {
    let mut shown = String::new();
    for byte in bytes.iter().take(most) {
        // Writing to a string does not fail.
        let _ = write!(shown, "{byte:02x}");
    }
    if bytes.len() > most {
        let _ = write!(shown, "… ({} bytes)", bytes.len());
    }
    shown
}

const SHOWN_BYTES: usize = 256;
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";
/// One line up, and down again.
const NOTHING: &str = "\x1b[A\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_does_not_steer_the_terminal() {
        assert_eq!(visible("a\tb\nc\x1b[2J\u{9b}d\r"), "a\tb\nc\\u{1b}[2J\\u{9b}d\\r");
        assert_eq!(visible("Grüße 世界 😀"), "Grüße 世界 😀");
    }

    #[test]
    fn long_binary_messages_are_cut_on_a_terminal() {
        assert_eq!(hex(&[0, 255, 16], 256), "00ff10");
        assert_eq!(hex(&[1; 300], 2), "0101… (300 bytes)");
    }
}
