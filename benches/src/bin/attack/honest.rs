//! Clients that behave, and how long they wait.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use ws_benches::{Exchange, Opening, Payload};

/// Honest clients, a thread each: a message, its reply, a pause, for as long as this lives.
pub(crate) struct Honest {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<()>>>,
    latencies: Receiver<Duration>,
}

/// What they waited.
pub(crate) struct Latency {
    pub(crate) messages: usize,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
}

impl Honest {
    pub(crate) fn start(address: SocketAddr, clients: usize) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, latencies) = channel();
        let mut threads = Vec::new();
        for client in 0..clients {
            let mut stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Opening::new(address, false).make(&mut stream)?;
            let (stop, sender) = (Arc::clone(&stop), sender.clone());
            threads.push(thread::spawn(move || {
                let exchange = Exchange::echo(Payload::Binary, 125, 1);
                let mut reply = vec![0; exchange.reply.len()];
                // Not all at once.
                thread::sleep(PAUSE * u32::try_from(client % 20)? / 20);
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    stream.write_all(&exchange.request).context("an honest client cannot write")?;
                    stream.read_exact(&mut reply).context("an honest client got no reply")?;
                    ensure!(reply == exchange.reply, "an honest client got a wrong reply");
                    sender.send(began.elapsed())?;
                    thread::sleep(PAUSE);
                }
                Ok(())
            }));
        }
        Ok(Self { stop, threads, latencies })
    }

    /// What was waited since this was last asked.
    pub(crate) fn latency(&self) -> Result<Latency> {
        ensure!(
            !self.threads.iter().any(JoinHandle::is_finished),
            "an honest client has lost its connection"
        );
        let mut all: Vec<Duration> = self.latencies.try_iter().collect();
        all.sort_unstable();
        let at = |share: usize| all.get(all.len() * share / 1000).copied().unwrap_or_default();
        let longest = all.last().copied().unwrap_or_default();
        Ok(Latency { messages: all.len(), median: at(500), p99: at(990), longest })
    }

    /// Lets them finish; an error is what the first met.
    pub(crate) fn end(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().ok().context("an honest client panicked")??;
        }
        Ok(())
    }
}

const PAUSE: Duration = Duration::from_millis(20);
/// Longer, and the reply counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
