//! Rooms in which people talk.
//!
//! ```text
//! cargo run --release --manifest-path examples/demos/Cargo.toml --bin chat -- --listen 127.0.0.1:8080
//! ```

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    ws_demos::chat::run(ws_demos::chat::Options::parse()).await
}
