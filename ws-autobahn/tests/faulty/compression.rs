//! Compressed messages, with the faults that lie in them.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use ws_proto::Role;
use ws_proto::deflate::DeflateParams;

use super::fault::Fault;

/// The compressor and decompressor of an endpoint.
pub(super) struct Deflate {
    fault: Fault,
    compress: Compress,
    decompress: Decompress,
    reset_out: bool,
    reset_in: bool,
}

impl Deflate {
    pub(super) fn new(role: Role, params: &DeflateParams, fault: Fault) -> Self {
        let server = (params.server_no_context_takeover, params.server_max_window_bits.get());
        let client = (params.client_no_context_takeover, params.client_max_window_bits.get());
        let ((reset_out, bits), (reset_in, _)) = match role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        };
        Self::with(reset_out, bits, reset_in, fault)
    }

    /// As if no parameters had been agreed on.
    pub(super) fn plain(fault: Fault) -> Self {
        Self::with(false, 15, false, fault)
    }

    fn with(reset_out: bool, bits: u8, reset_in: bool, fault: Fault) -> Self {
        let bits = if fault == Fault::IgnoresWindow { 15 } else { bits.max(9) };
        Self {
            fault,
            compress: Compress::new_with_window_bits(Compression::new(6), false, bits),
            decompress: Decompress::new(false),
            reset_out: reset_out && fault != Fault::KeepsContext,
            reset_in: reset_in || fault == Fault::LosesContext,
        }
    }

    /// `Err`: the code to fail the connection with, for what cannot be decompressed, or is larger than the limit.
    pub(super) fn inflate(&mut self, message: &[u8]) -> Result<Vec<u8>, u16> {
        if self.reset_in {
            self.decompress.reset(false);
        }
        let mut output = Vec::with_capacity(64 << 10);
        let mut input = [message, &[0, 0, 0xFF, 0xFF]].concat();
        loop {
            if output.len() == output.capacity() {
                if output.len() > LIMIT && self.fault != Fault::InflatesWithoutLimit {
                    return Err(1009);
                }
                output.reserve(output.len());
            }
            let (consumed, produced) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self.decompress.decompress_vec(&input, &mut output, FlushDecompress::Sync);
            let taken = usize::try_from(self.decompress.total_in() - consumed).unwrap_or_default();
            input.drain(..taken);
            match status {
                Err(_) if self.fault == Fault::IgnoresBadCompression => return Ok(Vec::new()),
                Err(_) => return Err(1007),
                Ok(Status::StreamEnd) if self.fault == Fault::StopsAtFinalBlocks => return Ok(Vec::new()),
                Ok(Status::StreamEnd) => self.decompress.reset(false),
                Ok(_) if output.len() == output.capacity() => {}
                Ok(_) if input.is_empty() || (taken == 0 && self.decompress.total_out() == produced) => {
                    return Ok(output);
                }
                Ok(_) => {}
            }
        }
    }

    pub(super) fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        if self.reset_out {
            self.compress.reset();
        }
        let mut output = Vec::with_capacity(message.len() * 2 + 1024);
        // There is room for what does not compress at all.
        let _ = self.compress.compress_vec(message, &mut output, FlushCompress::Sync);
        if self.fault != Fault::KeepsTail {
            output.truncate(output.len() - 4);
        }
        output
    }
}

/// The longest message that is taken, in bytes.
const LIMIT: usize = 16 << 20;
