//! A room: what one member says, all hear. Each message is framed, and compressed, once for all members.
//!
//! ```text
//! cargo run --release -p ws-examples --example broadcast -- --listen 127.0.0.1:9001
//! ```

use anyhow::Result;
use clap::Parser;
use futures_util::FutureExt;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ws_examples::report::exit_code;
use ws_proto::Prepared;
use ws_server::{Acceptance, BoxError, CloseCode, Incoming, Message, Runner, Server, Stream};
use ws_tokio::SendHalf;

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
        let room = Arc::new(Room::default());
        let running = Server::builder()
            .listeners([listener.into()])?
            .serve(move |incoming| member(incoming, Arc::clone(&room)));
        running.stopped().await;
        Ok(())
    })
}

async fn member(incoming: Incoming, room: Arc<Room>) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    let number = room.enter(says);
    let ended = async {
        while let Some(message) = hears.recv().await? {
            room.tell(message);
        }
        Ok(())
    };
    let ended = ended.await;
    room.leave(number);
    ended
}

/// Everybody's sending half.
#[derive(Default)]
struct Room(Mutex<Members>);

#[derive(Default)]
struct Members {
    last: u64,
    members: HashMap<u64, SendHalf<Stream>>,
}

impl Room {
    fn enter(&self, member: SendHalf<Stream>) -> u64 {
        let mut members = self.lock();
        members.last += 1;
        let number = members.last;
        members.members.insert(number, member);
        number
    }

    fn leave(&self, number: u64) {
        self.lock().members.remove(&number);
    }

    /// Writes to all, from the task of whoever speaks: nobody's task need be woken for it, and nobody is waited for.
    fn tell(&self, message: Message) {
        let message = Prepared::new(message);
        self.lock().members.retain(|_, member| match member.send_prepared(&message).now_or_never() {
            // Queued, and written as far as the network takes it; the rest goes by itself.
            Some(Ok(())) => true,
            // Its own task hears of that, too.
            Some(Err(_)) => false,
            // It has not read for so long that its queue is full.
            None => {
                let _sendable = member.closer().close(CloseCode::POLICY_VIOLATION, "too slow");
                false
            }
        });
    }

    /// Nothing in here panics half-way.
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
