//! A room: what one member says, all hear. Each message is framed, and compressed, once for all members. At its end it tells what became of
//! the messages.
//!
//! ```text
//! cargo run --release -p ws-examples --example broadcast -- --listen 127.0.0.1:9001
//! ```

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use ws_examples::report::exit_code;
use ws_examples::signal::stop_signal;
use ws_server::{
    Acceptance, BoxError, Config, Group, GroupMessage, Incoming, Member, Message, Runner, Server,
    SlowConsumer, Stream,
};
use ws_tokio::{Error, SendHalf};

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
    /// Send no pings, for clients that answer none
    #[arg(long)]
    no_pings: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Slow {
    /// It is told to come back later (1013)
    Disconnect,
    /// The newest is left out
    DropNewest,
    /// The oldest is left out
    DropOldest,
    /// Of what one member says only the newest waits for it
    Coalesce,
    /// All wait for it
    Wait,
}

fn main() -> ExitCode {
    exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let runner = Runner::new();
    let runner = options.threads.map_or(runner, |threads| runner.threads(NonZeroUsize::from(threads)));
    let mut config = Config::builder();
    if options.no_pings {
        config = config.ping_interval(None);
    }
    let config = Arc::new(config.build()?);
    let listening = runner.bind(options.listen)?;
    println!("listening on ws://{}/", listening.local_addr()?);
    listening.run(async |listener| {
        let room = Group::new(match options.slow {
            Slow::Disconnect => SlowConsumer::Disconnect,
            Slow::DropNewest => SlowConsumer::DropNewest,
            Slow::DropOldest => SlowConsumer::DropOldest,
            Slow::Coalesce => SlowConsumer::Coalesce,
            Slow::Wait => SlowConsumer::Wait,
        });
        let server = Server::builder().config(Arc::clone(&config)).listeners([listener.into()])?;
        let running = if options.each {
            let room = Arc::default();
            server.serve(move |incoming| by_hand(incoming, Arc::clone(&room)))
        } else {
            let room = room.clone();
            server.serve(move |incoming| member(incoming, room.clone()))
        };
        stop_signal().await;
        running.stop(Duration::from_secs(1)).await;
        let stats = room.stats();
        println!(
            "sent {}, delivered {}, dropped-newest {}, dropped-oldest {}, coalesced {}, disconnected {}, waited {}",
            stats.sent,
            stats.delivered,
            stats.dropped_newest,
            stats.dropped_oldest,
            stats.coalesced,
            stats.disconnected,
            stats.waited,
        );
        Ok(())
    })
}

async fn member(incoming: Incoming, room: Group) -> Result<(), BoxError> {
    static SPEAKERS: AtomicU64 = AtomicU64::new(0);
    let key = SPEAKERS.fetch_add(1, Ordering::Relaxed);
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    let _membership = room.join(&Member::new(says));
    while let Some(message) = hears.recv().await? {
        room.send(GroupMessage::new(message).key(key)).await;
    }
    Ok(())
}

/// The same without a group: no message is shared, and all wait for who does not read.
#[derive(Default)]
struct ByHand {
    members: Mutex<Vec<SendHalf<Stream>>>,
    /// What was said while another's message was being handed out.
    said: std::sync::Mutex<Vec<Message>>,
}

async fn by_hand(incoming: Incoming, room: Arc<ByHand>) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    room.members.lock().await.push(says);
    while let Some(message) = hears.recv().await? {
        room.said.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        let mut members = room.members.lock().await;
        let said = std::mem::take(&mut *room.said.lock().unwrap_or_else(PoisonError::into_inner));
        let mut next = 0;
        while let Some(member) = members.get_mut(next) {
            match hand_out(member, &said).await {
                Ok(()) => next += 1,
                Err(_) => _ = members.swap_remove(next),
            }
        }
    }
    Ok(())
}

/// In one write.
async fn hand_out(member: &mut SendHalf<Stream>, said: &[Message]) -> Result<(), Error> {
    for message in said {
        member.feed(message.clone()).await?;
    }
    member.flush().await
}
