//! An echo server in one thread, however many clients there are: `ws-sync` over streams that do not block, `mio` to wait for all of them.
//!
//! ```text
//! cargo run --release -p ws-examples --example sync_nonblocking -- --listen 127.0.0.1:9001
//! ```
//!
//! How it is done stands in `examples/src/sync_server.rs`, which also serves `echo_server --driver sync`.

use clap::Parser;
use std::io;
use std::net::{SocketAddr, TcpListener};
use ws_examples::sync_server;
use ws_proto::Config;

#[derive(Parser)]
#[command(about = "A WebSocket echo server in one thread, over streams that do not block")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9001", value_name = "ADDR:PORT")]
    listen: SocketAddr,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let listener = TcpListener::bind(options.listen)?;
    println!("listening on ws://{}/", listener.local_addr()?);
    sync_server::serve(listener, Config::default(), None, 1)
}
