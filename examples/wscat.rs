//! Talks to a WebSocket server, line by line; `--help` tells everything.
//!
//! ```text
//! cargo run -p ws-examples --example wscat -- wss://echo.example.com/
//! ```

use clap::Parser;
use ws_examples::wscat::{Ending, Options, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Ending {
    run(Options::parse()).await
}
