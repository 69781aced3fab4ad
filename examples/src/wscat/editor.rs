//! Lines that somebody types, with a history.

use super::command::Command;
use super::input::{Input, Inputs, QUEUED};
use super::options::Options;
use super::screen::Screen;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Reads lines from the terminal, in a thread of its own; what `screen` shows stands above them from now on.
pub(super) fn start(options: &Options, screen: &mut Screen) -> rustyline::Result<(Inputs, Terminal)> {
    let terminal = Terminal::as_it_is();
    let settings = Config::builder()
        .auto_add_history(true)
        .history_ignore_space(true)
        .max_history_size(MAX_HISTORY)?
        .build();
    let mut editor = Editor::<(), MemHistory>::with_history(settings, MemHistory::new())?;
    let mut history = (!options.no_history).then(History::open).flatten();
    for line in history.iter().flat_map(History::lines) {
        editor.add_history_entry(line)?;
    }
    screen.above_prompt(editor.create_external_printer()?);
    let (sender, receiver) = mpsc::channel(QUEUED);
    let binary = options.binary;
    std::thread::spawn(move || {
        // Ends by Ctrl-D or Ctrl-C, or with the terminal.
        while let Ok(line) = editor.readline("> ") {
            if line.is_empty() {
                continue;
            }
            if let Some(history) = &mut history {
                history.append(&line);
            }
            let input = Command::parse(&line, binary).map_or_else(Input::Wrong, Input::Command);
            if sender.blocking_send(input).is_err() {
                break;
            }
        }
    });
    Ok((Inputs(receiver), terminal))
}

/// The lines of earlier runs, in a file that only its owner may read.
struct History {
    path: PathBuf,
    file: File,
}

impl History {
    /// Below `XDG_STATE_HOME`, else `~/.local/state`. Where there can be no file, there is no history.
    fn open() -> Option<Self> {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let state = state.or_else(|| Some(std::env::home_dir()?.join(".local/state")))?;
        let directory = state.join("wscat");
        std::fs::create_dir_all(&directory).ok()?;
        let path = directory.join("history");
        let mut how = OpenOptions::new();
        how.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        Some(Self { file: how.open(&path).ok()?, path })
    }

    /// The latest.
    fn lines(&self) -> Vec<String> {
        let Ok(file) = File::open(&self.path) else { return Vec::new() };
        let lines: Vec<_> = BufReader::new(file).lines().map_while(Result::ok).collect();
        lines.into_iter().rev().take(MAX_HISTORY).rev().collect()
    }

    fn append(&mut self, line: &str) {
        // One that begins with a space is not to be remembered, and one that was pasted with line breaks cannot be.
        if !line.starts_with(' ') && !line.contains('\n') {
            let _ = writeln!(self.file, "{line}");
        }
    }
}

const MAX_HISTORY: usize = 1000;

/// How the terminal was before somebody edited lines on it. The thread that reads them cannot be woken: it is left behind in the middle of
/// a line when the program ends.
pub(super) struct Terminal {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Terminal {
    fn as_it_is() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }

    /// Gives it back, without the prompt.
    pub(super) fn restore(&self) {
        // The start of the line, nothing behind it, and pasting as it was.
        print!("\r\x1b[J\x1b[?2004l");
        let _ = std::io::stdout().flush();
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            let _ =
                rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Drain, modes);
        }
    }
}
