//! Where other readers may judge in another way than we do, each with what the RFC says.

use crate::{End, Outcome, Reader};

/// One way in which a reader differs.
pub struct Deviation {
    /// Whose it is.
    pub reader: Reader,
    /// What it is.
    pub what: &'static str,
    /// What the RFC says.
    pub rule: &'static str,
    /// Does it explain the second outcome beside ours, which is the first?
    pub explains: fn(&Outcome, &Outcome, &[u8]) -> bool,
}

/// All of them.
pub const DEVIATIONS: &[Deviation] = &[];

/// The same messages, as far as both went.
pub fn same_start(ours: &Outcome, theirs: &Outcome) -> bool {
    let most = ours.messages.len().min(theirs.messages.len());
    ours.messages[..most] == theirs.messages[..most]
}

/// Did we fail where they went on or waited?
pub fn we_fail(ours: &Outcome) -> bool {
    ours.end == End::Failed
}

/// Is the second outcome the same as ours, or explained by a listed deviation? Else what differs.
pub fn judge(reader: Reader, ours: &Outcome, theirs: &Outcome, bytes: &[u8]) -> Result<(), String> {
    let explained = |deviation: &&Deviation| {
        deviation.reader == reader && (deviation.explains)(ours, theirs, bytes)
    };
    if ours == theirs || DEVIATIONS.iter().any(|deviation| explained(&deviation)) {
        return Ok(());
    }
    Err(format!("{reader:?} says {theirs:?}, and we say {ours:?}"))
}
