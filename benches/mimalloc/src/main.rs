//! The example `echo_server` as it stands, with mimalloc in place of the system's allocator. With `MIMALLOC_PURGE_DELAY=0` in its environment
//! what is free goes back to the system at once.

#[path = "../../../examples/echo_server.rs"]
mod echo_server;

use mimalloc::MiMalloc;
use std::process::ExitCode;

fn main() -> ExitCode {
    echo_server::main()
}

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
