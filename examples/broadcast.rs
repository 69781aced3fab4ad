//! A room: what one member says, all hear. Each message is framed, and compressed, once for all members.
//!
//! ```text
//! cargo run --release -p ws-examples --example broadcast -- --listen 127.0.0.1:9001
//! ```

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Mutex;
use ws_examples::report::exit_code;
use ws_server::{Acceptance, BoxError, Group, Incoming, Member, Runner, Server, SlowConsumer};

#[derive(Parser)]
#[command(about = "A WebSocket server that tells everybody what one says")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Workers of the runtime; by default as many as there are processors
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU16>,
    /// What becomes of messages for a member that does not read
    #[arg(long, value_enum, default_value_t = Slow::Disconnect)]
    slow: Slow,
    /// Frame and compress for each member by itself, to see what it costs
    #[arg(long)]
    each: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Slow {
    /// It is told to come back later (1013)
    Disconnect,
    /// The newest is left out
    DropNewest,
    /// The oldest is left out
    DropOldest,
    /// All wait for it
    Wait,
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
        let room = Group::new(match options.slow {
            Slow::Disconnect => SlowConsumer::Disconnect,
            Slow::DropNewest => SlowConsumer::DropNewest,
            Slow::DropOldest => SlowConsumer::DropOldest,
            Slow::Wait => SlowConsumer::Wait,
        });
        let server = Server::builder().listeners([listener.into()])?;
        let running = if options.each {
            let everybody = Arc::new(Mutex::default());
            server.serve(move |incoming| one_of_each(incoming, Arc::clone(&everybody)))
        } else {
            server.serve(move |incoming| member(incoming, room.clone()))
        };
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

/// The same by hand: no message is shared.
async fn one_of_each(incoming: Incoming, everybody: Arc<Mutex<Vec<Member>>>) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    everybody.lock().await.push(Member::new(says));
    while let Some(message) = hears.recv().await? {
        let mut everybody = everybody.lock().await;
        for member in &*everybody {
            // Who is gone is removed below.
            let _gone = member.send(message.clone()).await;
        }
        everybody.retain(|member| !member.stats().gone);
    }
    Ok(())
}
