//! Pointers that everybody sees.
//!
//! ```text
//! cargo run --release --manifest-path examples/demos/Cargo.toml --bin cursors -- --listen 127.0.0.1:8080
//! ```

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    ws_demos::cursors::run(ws_demos::cursors::Options::parse()).await
}
