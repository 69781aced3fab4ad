//! The opening handshake, as fixed bytes (RFC 6455 §1.3).

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::SocketAddr;

/// The opening request of the generator, and what its answer must hold.
#[derive(Clone, Debug)]
pub struct Opening {
    request: Vec<u8>,
    deflate: bool,
}

impl Opening {
    /// An opening for `address`, which offers permessage-deflate without context takeover, or no extension.
    #[must_use]
    pub fn new(address: SocketAddr, deflate: bool) -> Self {
        let extensions = if deflate {
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
        } else {
            ""
        };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
        );
        Self { request: request.into_bytes(), deflate }
    }

    /// Makes the handshake on a new connection, waiting for it.
    ///
    /// # Errors
    /// The server does not answer as it must.
    pub fn make(&self, stream: &mut (impl Read + Write)) -> Result<()> {
        stream.write_all(&self.request)?;
        let mut head = Vec::new();
        while !self.is_answered(&head)? {
            let mut chunk = [0; 1024];
            let n = stream.read(&mut chunk)?;
            ensure!(n > 0, "the server hung up in the opening handshake");
            head.extend(&chunk[..n]);
        }
        Ok(())
    }

    /// The bytes of the request.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Is `head` the whole answer?
    ///
    /// # Errors
    /// It is not what it must be.
    pub fn is_answered(&self, head: &[u8]) -> Result<bool> {
        if !head.ends_with(b"\r\n\r\n") {
            return Ok(false);
        }
        let text = std::str::from_utf8(head)?;
        ensure!(text.starts_with("HTTP/1.1 101 "), "refused: {text}");
        let field = |name: &str| {
            text.lines().find_map(|line| {
                line.split_once(':')
                    .filter(|field| field.0.eq_ignore_ascii_case(name))
                    .map(|field| field.1.trim())
            })
        };
        ensure!(field("Sec-WebSocket-Accept").context("no key")? == ACCEPT, "a wrong key: {text}");
        ensure!(field("Sec-WebSocket-Extensions").is_some() == self.deflate, "a wrong extension: {text}");
        Ok(true)
    }
}

/// The answer to the key of the request.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
