//! How far a run is.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use ws_autobahn::CaseResult;
use ws_autobahn::report::Severity;

/// One line on a terminal that tells how far it is; nothing where standard error is none.
pub(super) struct Progress {
    total: usize,
    done: AtomicUsize,
    bad: AtomicUsize,
    shown: bool,
}

impl Progress {
    pub(super) fn new(total: usize, quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        Self { total, done: AtomicUsize::new(0), bad: AtomicUsize::new(0), shown }
    }

    pub(super) fn done(&self, result: &CaseResult) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let bad = usize::from(result.severity() > Severity::Unimplemented);
        let bad = self.bad.fetch_add(bad, Ordering::Relaxed) + bad;
        if self.shown {
            let filled = (done * WIDTH / self.total.max(1)).min(WIDTH);
            let bar = "█".repeat(filled) + &"░".repeat(WIDTH - filled);
            eprint!("\r{bar} {done}/{} {bad} not OK, last {}   ", self.total, result.case.id);
            // Only a picture; the terminal may be gone.
            let _ = std::io::stderr().flush();
        }
    }

    pub(super) fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

const WIDTH: usize = 30;
