//! Bodies of the fuzz targets: each is a function of arbitrary bytes that panics where a promise is broken.
//!
//! The workspace `fuzz/` wraps them for coverage-guided fuzzing, and `tests/corpus.rs` replays the committed corpus. They are public so that
//! they can be run on other inputs too, for example by another fuzzer.

mod choose;
mod extension_header;
mod frame_header;
mod handshake;
mod inflate;
mod outcome;
mod pair;
mod receive;

pub use extension_header::extension_header;
pub use frame_header::frame_header;
pub use handshake::handshake;
pub use inflate::inflate;
pub use pair::pair;
pub use receive::receive;

/// A body.
pub type Target = fn(&[u8]);

/// Every target of this crate, by the name of its corpus.
pub const TARGETS: [(&str, Target); 6] = [
    ("extension_header", extension_header),
    ("frame_header", frame_header),
    ("handshake", handshake),
    ("inflate", inflate),
    ("pair", pair),
    ("receive", receive),
];
