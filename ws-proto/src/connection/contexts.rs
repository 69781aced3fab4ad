//! The contexts of one connection: made when first needed, kept only where a window is carried over, else pooled.

use crate::deflate::{Compressor, Decompressor, DeflateConfig, DeflateParams};
use crate::{Pool, ProtocolError, Role};

/// Compression in both directions of one connection.
#[derive(Debug)]
pub(crate) struct Contexts {
    level: u8,
    threshold_bytes: usize,
    max_ratio: u32,
    /// Window of what we send; `None` where the peer allows only 8 bits, which we cannot make.
    send_window_bits: Option<u8>,
    /// Do we carry the window from message to message?
    send_takeover: bool,
    recv_window_bits: u8,
    /// Does the peer carry its window from message to message?
    recv_takeover: bool,
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
    /// What the peer may still refer to, while there is no context that holds it.
    history: History,
    /// Does the driver take back what is spare? Else it is freed at once.
    pooled: bool,
}

impl Contexts {
    pub(crate) fn new(role: Role, params: &DeflateParams, config: &DeflateConfig) -> Self {
        let server = (!params.server_no_context_takeover, params.server_max_window_bits.get());
        let client = (!params.client_no_context_takeover, params.client_max_window_bits.get());
        let ((send_takeover, send_bits), (recv_takeover, recv_window_bits)) = match role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        };
        Self {
            level: config.level,
            threshold_bytes: config.threshold_bytes,
            max_ratio: config.max_ratio,
            send_window_bits: (send_bits > 8).then_some(send_bits),
            send_takeover,
            recv_window_bits,
            recv_takeover,
            compressor: None,
            decompressor: None,
            history: History::Held,
            pooled: false,
        }
    }

    /// Shall a message of this length be compressed?
    pub(crate) fn compresses(&self, len: usize) -> bool {
        self.send_window_bits.is_some() && len >= self.threshold_bytes
    }

    /// Can a message of unknown length be compressed at all?
    pub(crate) const fn can_compress(&self) -> bool {
        self.send_window_bits.is_some()
    }

    /// The window of what we send, where we compress at all.
    pub(crate) const fn send_window_bits(&self) -> Option<u8> {
        self.send_window_bits
    }

    /// Do we carry the window from message to message? Then what was compressed must be sent so, or the windows disagree.
    pub(crate) const fn carries_sent_window(&self) -> bool {
        self.send_takeover
    }

    pub(crate) const fn max_ratio(&self) -> u32 {
        self.max_ratio
    }

    /// Appends `payload` compressed to `out`. After the last fragment the context goes where it belongs.
    pub(crate) fn compress(&mut self, payload: &[u8], fin: bool, out: &mut Vec<u8>) {
        let (level, window_bits) = (self.level, self.send_window_bits.unwrap_or(15));
        let compressor = self.compressor.get_or_insert_with(|| Compressor::new(level, window_bits));
        compressor.compress(payload, fin, out);
        if fin && !self.send_takeover {
            self.forget_sent_window();
        }
    }

    /// The next message begins a fresh context: something else was sent that the peer's window holds and ours does not, or the
    /// window is not carried over.
    pub(crate) fn forget_sent_window(&mut self) {
        if self.pooled || self.send_takeover {
            if let Some(compressor) = &mut self.compressor {
                compressor.reset();
            }
        } else {
            self.compressor = None;
        }
    }

    /// The context that inflates the message which is being received.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidDeflate`]: an earlier message ended where none may.
    pub(crate) fn decompressor(&mut self) -> Result<&mut Decompressor, ProtocolError> {
        let window_bits = self.recv_window_bits;
        let decompressor = self.decompressor.get_or_insert_with(|| Decompressor::new(window_bits));
        if !matches!(self.history, History::Held) {
            match std::mem::replace(&mut self.history, History::Lost) {
                History::Kept(history) => decompressor.prime(&history),
                History::Held => {}
                History::Lost => return Err(ProtocolError::InvalidDeflate),
            }
            self.history = History::Held;
        }
        Ok(decompressor)
    }

    /// The peer has been silent for a while, and no message is being received: keeps of the context only what the peer may still refer to.
    pub(crate) fn forget_decompressor(&mut self) {
        let Some(decompressor) = &mut self.decompressor else { return };
        if !decompressor.is_fresh() {
            self.history = match decompressor.take_history() {
                Ok(history) if history.is_empty() => History::Held,
                Ok(history) => History::Kept(history),
                Err(_) => History::Lost,
            };
        }
        if !self.pooled {
            self.decompressor = None;
        }
    }

    /// No message is being sent: the next one begins a fresh context, and meanwhile there is none.
    pub(crate) fn forget_compressor(&mut self) {
        self.forget_sent_window();
        if !self.pooled {
            self.compressor = None;
        }
    }

    /// The received message ended.
    pub(crate) fn end_received_message(&mut self) {
        if self.recv_takeover {
            return;
        }
        if self.pooled {
            if let Some(decompressor) = &mut self.decompressor {
                decompressor.reset();
            }
        } else {
            self.decompressor = None;
        }
    }

    /// Memory that the contexts hold, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let compressor = self.compressor.as_ref().map_or(0, Compressor::memory_bytes);
        let decompressor = self.decompressor.as_ref().map_or(0, |_| Decompressor::MEMORY_BYTES);
        let history = if let History::Kept(history) = &self.history { history.len() } else { 0 };
        compressor + decompressor + history
    }

    /// Borrows contexts from `pool`, where there is none and the last message left none.
    pub(crate) fn lend(&mut self, pool: &mut Pool) {
        self.pooled = true;
        if let (None, Some(bits)) = (&self.compressor, self.send_window_bits) {
            let level = self.level;
            self.compressor = pool.take_compressor(|context| context.fits(level, bits));
        }
        if self.decompressor.is_none() {
            let bits = self.recv_window_bits;
            self.decompressor = pool.take_decompressor(|context| context.fits(bits));
        }
    }

    /// Gives contexts back that no message is in the middle of, and that hold no history.
    pub(crate) fn reclaim(&mut self, pool: &mut Pool) {
        if let Some(compressor) = self.compressor.take_if(|context| context.is_fresh()) {
            pool.give_compressor(compressor);
        }
        if let Some(decompressor) = self.decompressor.take_if(|context| context.is_fresh()) {
            pool.give_decompressor(decompressor);
        }
    }
}

/// Where the history is that a peer may refer to.
#[derive(Debug)]
enum History {
    /// In the context, or there is none.
    Held,
    /// Here: at most a window, never empty.
    Kept(Box<[u8]>),
    /// Nowhere: the peer's last message did not end where a message may.
    Lost,
}

#[cfg(test)]
mod tests;
