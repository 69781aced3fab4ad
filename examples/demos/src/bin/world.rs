//! A 3-D world for many players.
//!
//! ```text
//! cargo run --release --manifest-path examples/demos/Cargo.toml --bin world -- --listen 127.0.0.1:8080
//! ```

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    ws_demos::world::run(ws_demos::world::Options::parse()).await
}
