//! Errors as people want to read them.

use std::process::ExitCode;

/// The exit status of a program; an error is told on stderr, with its causes, in one line.
#[must_use]
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes.
fn sentence(error: &anyhow::Error) -> String {
    format!("{error:#}").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::io;

    #[test]
    fn causes_are_told_in_one_line() {
        let error = Err::<(), _>(io::Error::other("two\nlines")).context("it failed").unwrap_err();
        assert_eq!(sentence(&error), "it failed: two lines");
    }
}
