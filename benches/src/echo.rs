//! Our echo server, with one allocator and with another.

use crate::Program;
use crate::roster::{build, program, root, target};
use anyhow::Result;

/// Our echo server as the example stands, with the system's allocator: built with cargo, in release.
///
/// # Errors
/// It does not build.
pub fn echo_server() -> Result<Program> {
    let target = target()?;
    build(root()?, &target, &["-p", "ws-examples", "--example", "echo_server"])?;
    Ok(program(&target.join("release/examples/echo_server")))
}

/// The same with an allocator that gives back to the system at once what is free. The system's may keep much of what a burst has taken: then
/// its habits are measured, and not what the server keeps.
///
/// # Errors
/// It does not build.
pub fn echo_server_giving_back() -> Result<Program> {
    let target = target()?.join("mimalloc");
    build(&root()?.join("benches/mimalloc"), &target, &[])?;
    let environment = vec![("MIMALLOC_PURGE_DELAY", "0")];
    Ok(Program { environment, ..program(&target.join("release/ws-echo-mimalloc")) })
}
