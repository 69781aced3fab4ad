//! What is told to `tracing` while a test runs.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The events that this thread tells to `tracing`, with their spans, from [`Told::listen`] until it is dropped.
///
/// Other threads go on as before, so tests beside each other hear only themselves. The tasks of a runtime that has no other thread, which
/// is that of a plain `#[tokio::test]`, are heard; those of a runtime with many threads, and of `spawn_blocking`, are not. What is heard is
/// kept in memory without a bound.
///
/// ```
/// use tracing::{Level, debug, info_span, trace};
/// use ws_testkit::Told;
///
/// let told = Told::listen(Level::DEBUG);
/// info_span!("serving", user = 7).in_scope(|| debug!(target: "app", code = 1001, "it is over"));
/// trace!("not heard");
/// assert_eq!(told.lines(), ["DEBUG serving{user=7}: app: it is over code=1001"]);
/// ```
#[derive(Debug)]
pub struct Told {
    written: Written,
    _listening: DefaultGuard,
}

impl Told {
    /// Listens to events of `level` and of those above it.
    #[must_use = "it listens until it is dropped"]
    pub fn listen(level: Level) -> Self {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .without_time()
            .with_writer(written.clone())
            .finish();
        Self { _listening: tracing::subscriber::set_default(subscriber), written }
    }

    /// What was told so far, a line an event: its level, its spans with their fields, its target, its message and its fields.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).lines().map(|line| line.trim_start().to_owned()).collect()
    }
}

/// All that the subscriber wrote.
#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
