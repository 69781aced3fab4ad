//! Where randomness comes from: masking keys ([RFC 6455 §5.3]) and the nonce of the opening handshake (§4.1).
//!
//! [RFC 6455 §5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.3

use crate::frame::MaskingKey;
use std::fmt;
use std::sync::Arc;

/// A source of random bytes, handed in by whoever configures the connection.
///
/// §5.3 asks for keys that cannot be predicted, because a predictable mask lets a script choose the bytes on the wire (§10.3):
/// give a cryptographically secure source, except in tests and simulations.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

/// Overwrites a slice with random bytes.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// The operating system's generator.
    ///
    /// # Panics
    /// [`fill`](Self::fill) panics when the operating system cannot give random bytes at all, which is as final as being out of
    /// memory; no input from the network can bring it about.
    #[cfg(feature = "getrandom")]
    #[must_use]
    pub fn os() -> Self {
        Self::from_fn(|buf| {
            #[expect(
                clippy::expect_used,
                reason = "without randomness no masking key may be sent, and there is nothing to fall back to"
            )]
            getrandom::fill(buf).expect("the operating system provides random bytes");
        })
    }

    /// A source of your own: `fill` must overwrite the whole slice with bytes that nobody can predict.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Overwrites `buf` with random bytes.
    pub fn fill(&self, buf: &mut [u8]) {
        (self.0)(buf);
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// Masking keys drawn in batches, so that a frame does not cost a call into the operating system.
pub(crate) struct MaskingKeys {
    source: Entropy,
    /// Drawn and not used yet, from the front; refilled when empty. Never shrinks to a predictable remainder: each key is used once.
    batch: [u8; BATCH_BYTES],
    used: usize,
}

impl MaskingKeys {
    pub(crate) fn new(source: Entropy) -> Self {
        Self { source, batch: [0; BATCH_BYTES], used: BATCH_BYTES }
    }

    pub(crate) fn next_key(&mut self) -> MaskingKey {
        loop {
            if let Some(key) = self.batch.get(self.used..).and_then(|rest| rest.first_chunk::<4>()) {
                self.used += 4;
                return MaskingKey::new(*key);
            }
            self.source.fill(&mut self.batch);
            self.used = 0;
        }
    }
}

impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys still to be used stay out of logs: whoever reads them can predict the wire.
        f.debug_struct("MaskingKeys").finish_non_exhaustive()
    }
}

/// 64 keys for one call.
const BATCH_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn keys_are_drawn_in_batches_and_each_is_used_once() {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let source = Entropy::from_fn(move |buf| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            for (i, word) in buf.chunks_exact_mut(4).enumerate() {
                word.copy_from_slice(&(call * 1000 + u32::try_from(i).unwrap()).to_be_bytes());
            }
        });
        let mut keys = MaskingKeys::new(source);
        let drawn: std::collections::BTreeSet<_> = (0..128).map(|_| keys.next_key().bytes()).collect();
        assert_eq!(drawn.len(), 128);
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[cfg(feature = "getrandom")]
    #[test]
    fn keys_of_the_operating_system_do_not_repeat() {
        let mut keys = MaskingKeys::new(Entropy::os());
        let drawn: std::collections::BTreeSet<_> = (0..1000).map(|_| keys.next_key().bytes()).collect();
        // By the birthday bound one repeat among 1,000 has a chance of about 1 in 8,600; two are not to be seen.
        assert!(drawn.len() >= 999);
    }
}
