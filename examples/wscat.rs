//! Talks to a WebSocket server, line by line; `--help` tells everything.
//!
//! ```text
//! cargo run -p ws-examples --example wscat -- ws://127.0.0.1:9001/
//! ```

use clap::Parser;
use ws_examples::wscat::{Ending, Options, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Ending {
    run(Options::parse()).await
}
