//! A room: what one member says, all hear. Each message is framed, and compressed, once for all members.
//!
//! ```text
//! cargo run --release -p ws-examples --example broadcast -- --listen 127.0.0.1:9001
//! ```

use anyhow::Result;
use clap::Parser;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::process::ExitCode;
use ws_examples::report::exit_code;
use ws_server::{Acceptance, BoxError, Group, Incoming, Member, Runner, Server};

#[derive(Parser)]
#[command(about = "A WebSocket server that tells everybody what one says")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Workers of the runtime; by default as many as there are processors
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU16>,
}

fn main() -> ExitCode {
    exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let runner = Runner::new();
    let runner = options.threads.map_or(runner, |threads| runner.threads(NonZeroUsize::from(threads)));
    let listening = runner.bind(options.listen)?;
    println!("listening on ws://{}/", listening.local_addr()?);
    listening.run(async |listener| {
        // Who reads so slowly that its queue is full is told to come back later (1013).
        let room = Group::default();
        let running = Server::builder()
            .listeners([listener.into()])?
            .serve(move |incoming| member(incoming, room.clone()));
        running.stopped().await;
        Ok(())
    })
}

async fn member(incoming: Incoming, room: Group) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    let _membership = room.join(&Member::new(says));
    while let Some(message) = hears.recv().await? {
        room.send(message).await;
    }
    Ok(())
}
