//! Instructions that a program executes in user space, counted by valgrind: the same every time.

use crate::Program;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A count, to be made into a file.
#[derive(Clone, Debug)]
pub struct Callgrind {
    file: PathBuf,
}

impl Callgrind {
    /// A count that is made into `file`, which `callgrind_annotate` reads too.
    #[must_use]
    pub const fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// The same server, counted. It runs about fifty times slower, and has its count when it was
    /// [terminated](crate::Running::terminate).
    #[must_use]
    pub fn server(&self, server: &Program) -> Program {
        let path = server.path.display().to_string();
        let arguments = self.arguments().into_iter().chain([path]).chain(server.arguments.clone()).collect();
        Program { path: "valgrind".into(), arguments, ..server.clone() }
    }

    /// A run of `program` that is counted when it has ended.
    #[must_use]
    pub fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new("valgrind");
        command.args(self.arguments()).arg(program);
        command
    }

    /// What was counted.
    ///
    /// # Errors
    /// Nothing was.
    pub fn total(&self) -> Result<u64> {
        let text = fs::read_to_string(&self.file).with_context(|| self.file.display().to_string())?;
        let total = |line: &str| {
            line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")).map(str::to_owned)
        };
        Ok(text.lines().find_map(total).context("no total")?.trim().parse()?)
    }

    fn arguments(&self) -> Vec<String> {
        let file = self.file.display();
        ["--tool=callgrind".into(), "--quiet".into(), format!("--callgrind-out-file={file}")].into()
    }
}
