//! An echo server over `ws-sync`: a thread serves as many clients as come, and waits for all of them at once with `mio`.
//!
//! What there is to see:
//! - each client is an [`Accepting`] first and a [`WebSocket`] then, and `drive` does with it all that can be done without waiting
//! - what it says then ([`Wait`]) is what the event loop waits for. `mio` reports every change of readiness once, so both directions are
//!   registered for good, and of the three only the deadline is to be kept
//! - a message that does not fit into the queue of a slow client is given back, and kept until there is room; meanwhile nothing is read
//!   from that client, so it is held up, and nobody else

mod tcp;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tcp::Tcp;
use ws_proto::{Config, SendRefusal};
use ws_sync::{Accepting, Message, Stream, Wait, WebSocket};

/// Echoes text and binary on every path of `listener`, with `threads` threads (one, if 0), until the process ends.
///
/// # Errors
/// The listener cannot be used, or waiting itself fails. No client can cause that.
pub fn serve(
    listener: std::net::TcpListener,
    config: impl Into<Arc<Config>>,
    tls: Option<Arc<ServerConfig>>,
    threads: usize,
) -> io::Result<()> {
    let config = config.into();
    listener.set_nonblocking(true)?;
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            // Each thread has all its clients for itself; whoever is free first takes the next one.
            let worker = Worker::new(listener.try_clone()?, Arc::clone(&config), tls.clone())?;
            workers.push(scope.spawn(|| worker.run()));
        }
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// TCP or TLS.
type Socket = Box<dyn Stream + Send>;

/// A thread's clients, and what it waits for.
struct Worker {
    poll: Poll,
    listener: TcpListener,
    config: Arc<Config>,
    tls: Option<Arc<ServerConfig>>,
    clients: HashMap<Token, Client>,
    next: Token,
    /// When a client is to be driven even if nothing happens.
    timers: BinaryHeap<Reverse<(Instant, Token)>>,
    /// Clients that have more to do than one turn allows.
    unfinished: Vec<Token>,
}

impl Worker {
    fn new(
        listener: std::net::TcpListener,
        config: Arc<Config>,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (clients, timers, unfinished) = Default::default();
        Ok(Self { poll, listener, config, tls, clients, next: Token(0), timers, unfinished })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.time_to_wait()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            for token in std::mem::take(&mut self.unfinished) {
                self.drive(token);
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    client => self.drive(client),
                }
            }
            while let Some(token) = self.next_timer(Instant::now()) {
                match token {
                    LISTENER => self.accept(),
                    client => self.drive(client),
                }
            }
        }
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // A client that is gone before it was served is nobody's fault.
                    let _gone = self.add(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error)
                    if error.kind() == ErrorKind::ConnectionAborted
                        || error.kind() == ErrorKind::Interrupted => {}
                // Out of file descriptors, most likely: others may leave.
                Err(_) => return self.timers.push(Reverse((Instant::now() + ACCEPT_AGAIN, LISTENER))),
            }
        }
    }

    fn add(&mut self, mut stream: mio::net::TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let token = self.next;
        self.next.0 += 1;
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let stream: Socket = match &self.tls {
            None => Box::new(Tcp(stream)),
            Some(tls) => {
                let connection = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(connection, Tcp(stream)))
            }
        };
        let phase = Phase::Opening(Accepting::new(stream, Arc::clone(&self.config)));
        self.clients.insert(token, Client { phase, timer: None });
        self.drive(token);
        Ok(())
    }

    fn drive(&mut self, token: Token) {
        let Some(client) = self.clients.get_mut(&token) else { return };
        let wait = match client.phase.drive() {
            Turn::Waits(wait) => wait,
            Turn::Unfinished => return self.unfinished.push(token),
            Turn::Over => {
                self.clients.remove(&token);
                return;
            }
        };
        // Deadlines mostly move away. A timer that comes too early finds nothing to do, and is set again.
        if let Some(deadline) = wait.deadline
            && client.timer.is_none_or(|timer| deadline < timer)
        {
            client.timer = Some(deadline);
            self.timers.push(Reverse((deadline, token)));
        }
    }

    fn time_to_wait(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let Reverse((deadline, _)) = self.timers.peek()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Whose timer has come?
    fn next_timer(&mut self, now: Instant) -> Option<Token> {
        loop {
            let &Reverse((deadline, token)) =
                self.timers.peek().filter(|Reverse((deadline, _))| *deadline <= now)?;
            self.timers.pop();
            match self.clients.get_mut(&token) {
                Some(client) if client.timer == Some(deadline) => client.timer = None,
                // It was replaced by an earlier one, or the client is gone.
                _ if token != LISTENER => continue,
                _ => {}
            }
            return Some(token);
        }
    }
}

struct Client {
    phase: Phase,
    /// The earliest of its timers.
    timer: Option<Instant>,
}

/// How far a client has come.
enum Phase {
    Opening(Accepting<Socket>),
    /// With the message that did not fit into the queue.
    Open(Box<WebSocket<Socket>>, Option<Message>),
}

/// What came of driving a client.
enum Turn {
    Waits(Wait),
    Unfinished,
    Over,
}

impl Phase {
    /// Does what can be done without waiting, and not for too long.
    fn drive(&mut self) -> Turn {
        if let Self::Opening(accepting) = self {
            let opened = accepting.advance().and_then(|incoming| incoming.accept(Default::default()));
            match opened {
                Ok(ws) => *self = Self::Open(Box::new(ws), None),
                Err(error) => return error.would_block().map_or(Turn::Over, Turn::Waits),
            }
        }
        let Self::Open(ws, kept) = self else { return Turn::Over };
        for _ in 0..MESSAGES_A_TURN {
            let message = match kept.take() {
                Some(message) => message,
                None => match ws.recv() {
                    Ok(Some(message)) => message,
                    Ok(None) => return Turn::Over,
                    Err(error) => return error.would_block().map_or(Turn::Over, Turn::Waits),
                },
            };
            // Fed, not sent: all the replies to what was read at once leave in one write, before `recv` would block.
            if let Err(error) = ws.feed(message) {
                match error.refusal() {
                    Some(SendRefusal::QueueFull) => {
                        *kept = error.into_rejected();
                        return Turn::Waits(ws.progress());
                    }
                    // It is closing, and wants no more replies.
                    Some(_) => {}
                    None => return Turn::Over,
                }
            }
        }
        let _later = ws.flush();
        Turn::Unfinished
    }
}

/// Where the listener is registered: no client gets that far.
const LISTENER: Token = Token(usize::MAX);
/// How long to wait before accepting again, after that failed.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// So many messages of one client, then it is the others' turn.
const MESSAGES_A_TURN: usize = 256;

#[cfg(test)]
mod tests;
