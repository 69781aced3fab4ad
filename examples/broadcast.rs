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
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Sender};
use ws_examples::report::exit_code;
use ws_proto::Prepared;
use ws_server::{Acceptance, BoxError, CloseCode, Incoming, Runner, Server};

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
        let (room, _) = broadcast::channel(SLOWEST);
        let running =
            Server::builder().listener(listener).serve(move |incoming| member(incoming, room.clone()));
        running.stopped().await;
        Ok(())
    })
}

async fn member(incoming: Incoming, room: Sender<Prepared>) -> Result<(), BoxError> {
    let mut ws = incoming.accept(Acceptance::default()).await?;
    let mut heard = room.subscribe();
    loop {
        tokio::select! {
            said = ws.recv() => match said? {
                // Fails where nobody is in the room: but we are.
                Some(message) => drop(room.send(Prepared::new(message))),
                None => return Ok(()),
            },
            message = heard.recv() => match message {
                Ok(message) => ws.send_prepared(&message).await?,
                Err(RecvError::Lagged(_)) => {
                    ws.close(CloseCode::POLICY_VIOLATION, "too slow").await?;
                    return Ok(());
                }
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}

/// So many messages may wait for a member before it must leave the room.
const SLOWEST: usize = 64;
