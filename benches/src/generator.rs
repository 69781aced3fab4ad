//! The load: many connections, one thread, no work but system calls and one comparison.

use crate::silence::Silence;
use crate::{Exchange, Opening};
use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::sockopt::set_socket_linger;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Connections that were opened, and what drives them.
pub struct Generator {
    poll: OwnedFd,
    links: Vec<Link>,
    buffer: Vec<u8>,
}

/// How long a generator goes on.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// No burst begins after that time.
    Time(Duration),
    /// So many bursts on each connection, or rounds in a room.
    Rounds(u64),
}

impl Generator {
    /// Opens `connections` connections, one after the other; without an `opening` they are plain TCP.
    ///
    /// # Errors
    /// The server refuses.
    pub fn connect(address: SocketAddr, opening: Option<&Opening>, connections: usize) -> Result<Self> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut links = Vec::with_capacity(connections);
        for key in 0..connections {
            let mut stream = TcpStream::connect(address).context("connecting")?;
            // Closing is a reset: it leaves no port behind that cannot be used for a minute.
            set_socket_linger(&stream, Some(Duration::ZERO))?;
            stream.set_nodelay(true)?;
            if let Some(opening) = opening {
                opening.make(&mut stream)?;
            }
            stream.set_nonblocking(true)?;
            epoll::add(&poll, &stream, EventData::new_u64(key as u64), EventFlags::IN)?;
            links.push(Link {
                stream,
                sent: 0,
                received: 0,
                rounds: 0,
                began: Instant::now(),
                waits_for_room: false,
            });
        }
        Ok(Self { poll, links, buffer: vec![0; 256 << 10] })
    }

    /// Sends the request of `exchange` on every connection, and again whenever the whole reply came, until `bound`; returns how many messages
    /// were answered when everything was.
    ///
    /// # Errors
    /// A reply is not what it must be, or none comes for ten seconds.
    pub fn run(&mut self, exchange: &Exchange, bound: Bound) -> Result<u64> {
        self.echo(exchange, bound, |_| {})
    }

    /// Does the same, and returns how long each burst took from its first byte's writing to its last reply's reading.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_timed(&mut self, exchange: &Exchange, bound: Bound) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        self.echo(exchange, bound, |link| times.push(link.began.elapsed()))?;
        Ok(times)
    }

    fn echo(&mut self, exchange: &Exchange, bound: Bound, mut answered: impl FnMut(&Link)) -> Result<u64> {
        let (end, rounds) = match bound {
            Bound::Time(time) => (Some(Instant::now() + time), u64::MAX),
            Bound::Rounds(rounds) => (None, rounds),
        };
        let Self { poll, links, buffer } = self;
        let mut busy = links.len();
        let mut bursts = 0;
        for (key, link) in links.iter_mut().enumerate() {
            link.rounds = rounds;
            link.begin(exchange, poll, key)?;
        }
        let mut events = Vec::with_capacity(256);
        while busy > 0 {
            events.clear();
            epoll::wait(&*poll, rustix::buffer::spare_capacity(&mut events), Some(&STALLED))?;
            if events.is_empty() {
                return Err(silent(links, exchange));
            }
            let over = end.is_some_and(|end| Instant::now() >= end);
            for event in &events {
                let key = usize::try_from(event.data.u64())?;
                let link = &mut links[key];
                let flags = event.flags;
                if flags.contains(EventFlags::OUT) {
                    link.write(exchange, poll, key)?;
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)
                    && link.read(exchange, buffer)?
                {
                    bursts += 1;
                    link.rounds -= 1;
                    answered(link);
                    if over || link.rounds == 0 {
                        busy -= 1;
                    } else {
                        link.begin(exchange, poll, key)?;
                    }
                }
            }
        }
        Ok(bursts * exchange.messages)
    }

    /// Sends the request of `exchange` on one connection after the other, or on as many together as [`Exchange::speakers`] says, whenever
    /// its reply came on all of them, until `bound`; returns how many messages came in all.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_room(&mut self, exchange: &Exchange, bound: Bound) -> Result<u64> {
        let Self { poll, links, buffer } = self;
        let (began, members) = (Instant::now(), links.len());
        let mut speakers = (0..members).cycle();
        let mut events = Vec::with_capacity(256);
        let mut heard = 0;
        for round in 0.. {
            let over = match bound {
                Bound::Time(time) => began.elapsed() >= time,
                Bound::Rounds(rounds) => round >= rounds,
            };
            if over {
                break;
            }
            links.iter_mut().for_each(|link| link.received = 0);
            for speaker in speakers.by_ref().take(exchange.speakers) {
                links[speaker].write_anew(exchange, poll, speaker)?;
            }
            let mut missing = members;
            while missing > 0 {
                events.clear();
                epoll::wait(&*poll, rustix::buffer::spare_capacity(&mut events), Some(&STALLED))?;
                if events.is_empty() {
                    return Err(silent(links, exchange));
                }
                for event in &events {
                    let key = usize::try_from(event.data.u64())?;
                    missing -= usize::from(links[key].read(exchange, buffer)?);
                }
            }
            heard += members as u64;
        }
        Ok(heard * exchange.messages)
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("links", &self.links.len()).finish_non_exhaustive()
    }
}

/// A connection in the middle of an exchange.
struct Link {
    stream: TcpStream,
    /// Of the request, in bytes.
    sent: usize,
    /// Of the reply, in bytes.
    received: usize,
    /// Bursts it has left.
    rounds: u64,
    /// Its burst.
    began: Instant,
    waits_for_room: bool,
}

impl Link {
    fn begin(&mut self, exchange: &Exchange, poll: &OwnedFd, key: usize) -> Result<()> {
        self.received = 0;
        self.began = Instant::now();
        self.write_anew(exchange, poll, key)
    }

    fn write_anew(&mut self, exchange: &Exchange, poll: &OwnedFd, key: usize) -> Result<()> {
        self.sent = 0;
        self.write(exchange, poll, key)
    }

    fn write(&mut self, exchange: &Exchange, poll: &OwnedFd, key: usize) -> Result<()> {
        while self.sent < exchange.request.len() {
            match self.stream.write(&exchange.request[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let waits_for_room = self.sent < exchange.request.len();
        if waits_for_room != self.waits_for_room {
            self.waits_for_room = waits_for_room;
            let flags = if waits_for_room { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(poll, &self.stream, EventData::new_u64(key as u64), flags)?;
        }
        Ok(())
    }

    /// Reads what is there; true when that completes the reply.
    fn read(&mut self, exchange: &Exchange, buffer: &mut [u8]) -> Result<bool> {
        loop {
            let n = match self.stream.read(buffer) {
                Ok(0) => bail!("the server hung up"),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let expected = exchange.reply.get(self.received..self.received + n);
            ensure!(
                expected == Some(&buffer[..n]),
                "a wrong reply, behind {} bytes of a right one: {:02x?}",
                self.received,
                &buffer[..n.min(8)]
            );
            self.received += n;
            if self.received == exchange.reply.len() {
                return Ok(true);
            }
            if n < buffer.len() {
                return Ok(false);
            }
        }
    }
}

/// Nothing has come for so long that it is given up: tells where what is missing may be.
#[cold]
fn silent(links: &[Link], exchange: &Exchange) -> anyhow::Error {
    let is_waiting = |(_, link): &(usize, &Link)| link.received < exchange.reply.len();
    let waiting: Vec<_> = links.iter().enumerate().filter(is_waiting).collect();
    let numbers = [waiting.first(), waiting.last()].map(|end| end.map_or(0, |(number, _)| *number));
    let begun = waiting.iter().filter(|(_, link)| link.received > 0).count();
    let ports = waiting.iter().map(|(_, link)| Ok(link.stream.local_addr()?.port()));
    let held = ports.collect::<Result<Vec<_>>>().and_then(|ports| Silence::of(&ports));
    anyhow!(
        "nothing has come for {} s, and {} of {} connections wait, with numbers in {numbers:?}, {begun} of them for the rest of a reply; {}",
        STALLED.tv_sec,
        waiting.len(),
        links.len(),
        held.map_or_else(|error| error.to_string(), |silence| silence.to_string())
    )
}

/// When a server is given up.
const STALLED: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;
    use std::net::TcpListener;
    use std::thread;

    /// Serves one connection: returns what comes, after `spoil`.
    fn serve(spoil: fn(&mut [u8])) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                spoil(&mut buffer[..n]);
                if stream.write_all(&buffer[..n]).is_err() {
                    return;
                }
            }
        });
        address
    }

    #[test]
    fn every_message_that_came_back_is_counted() {
        let mut generator = Generator::connect(serve(|_| {}), None, 1).unwrap();
        // Longer than one buffer of either side.
        let exchange = Exchange::raw(Payload::Binary, 300_000, 3);
        assert_eq!(generator.run(&exchange, Bound::Rounds(5)).unwrap(), 15);
    }

    #[test]
    fn one_wrong_byte_is_noticed() {
        let mut generator = Generator::connect(serve(|bytes| bytes[bytes.len() - 1] ^= 1), None, 1).unwrap();
        let error = generator.run(&Exchange::raw(Payload::Binary, 125, 1), Bound::Rounds(1)).unwrap_err();
        assert!(error.to_string().starts_with("a wrong reply"), "{error}");
    }

    #[test]
    fn a_server_that_hangs_up_is_noticed() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || drop(listener.accept().unwrap()));
        let mut generator = Generator::connect(address, None, 1).unwrap();
        assert!(generator.run(&Exchange::raw(Payload::Binary, 125, 1), Bound::Rounds(1)).is_err());
    }
}
