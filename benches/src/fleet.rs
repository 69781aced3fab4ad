//! Clients that come and go: opening handshakes, one after the other.

use crate::Opening;
use anyhow::{Result, bail, ensure};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::sockopt::set_socket_linger;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A number of clients, each of which connects, makes the opening handshake, and is gone.
#[derive(Debug)]
pub struct Fleet {
    address: SocketAddr,
    opening: Opening,
    poll: OwnedFd,
    clients: Vec<Option<Client>>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    head: Vec<u8>,
}

impl Fleet {
    /// A fleet of `clients`, to `address`.
    ///
    /// # Errors
    /// The system has no poller left.
    pub fn new(address: SocketAddr, opening: Opening, clients: usize) -> Result<Self> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { address, opening, poll, clients: std::iter::repeat_with(|| None).take(clients).collect() })
    }

    /// Makes handshakes for `time`; returns how many were made.
    ///
    /// # Errors
    /// The server refuses, or does not answer for ten seconds.
    pub fn run(&mut self, time: Duration) -> Result<u64> {
        let end = Instant::now() + time;
        for key in 0..self.clients.len() {
            self.begin(key)?;
        }
        let mut busy = self.clients.len();
        let mut made = 0;
        let mut events = Vec::with_capacity(256);
        while busy > 0 {
            events.clear();
            epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&STALLED))?;
            ensure!(!events.is_empty(), "no answer for {} s", STALLED.tv_sec);
            let over = Instant::now() >= end;
            for event in &events {
                let key = usize::try_from(event.data.u64())?;
                if !self.is_answered(key)? {
                    continue;
                }
                made += 1;
                // With that the stream is closed, and with it gone from the poller.
                self.clients[key] = None;
                if over {
                    busy -= 1;
                } else {
                    self.begin(key)?;
                }
            }
        }
        Ok(made)
    }

    fn begin(&mut self, key: usize) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        // Closing is a reset: it leaves no port behind that cannot be used for a minute.
        set_socket_linger(&stream, Some(Duration::ZERO))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        stream.write_all(self.opening.request())?;
        epoll::add(&self.poll, &stream, EventData::new_u64(key as u64), EventFlags::IN)?;
        self.clients[key] = Some(Client { stream, head: Vec::with_capacity(512) });
        Ok(())
    }

    fn is_answered(&mut self, key: usize) -> Result<bool> {
        let Some(client) = &mut self.clients[key] else { return Ok(false) };
        let mut chunk = [0; 1024];
        match client.stream.read(&mut chunk) {
            Ok(0) => bail!("the server hung up in the opening handshake"),
            Ok(n) => client.head.extend(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.opening.is_answered(&client.head)
    }
}

/// When a server is given up.
const STALLED: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
