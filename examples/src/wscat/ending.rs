//! How it ended, as an exit status.

use std::process::{ExitCode, Termination};

/// How it ended, as an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// 0: the connection was closed as both ends wanted.
    Clean,
    /// 1: there was no connection.
    NotConnected,
    /// 2: the command line, or a file that it names, is wrong.
    Usage,
    /// 3: the connection was lost, or one end broke a rule.
    Lost,
    /// 4: the server closed with a code that tells of a fault: any but 1000, 1001 and none.
    Dismissed,
    /// 5: fewer messages came than `--exit-after` wanted.
    TooFew,
}

impl Termination for Ending {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Clean => 0,
            Self::NotConnected => 1,
            Self::Usage => 2,
            Self::Lost => 3,
            Self::Dismissed => 4,
            Self::TooFew => 5,
        })
    }
}
