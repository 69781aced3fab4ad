//! The runtimes that a `Runner` sets up.

mod echo;

use echo::echo;
use std::convert::Infallible;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use ws_server::proto::http::Request;
use ws_server::{Config, Message, Runner, Server};

const THREE: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// Serves, and is its own client.
async fn talk(listener: TcpListener) -> Result<(), Infallible> {
    let addr = listener.local_addr().unwrap();
    Server::builder().listeners([listener.into()]).unwrap().serve(echo);
    let stream = TcpStream::connect(addr).await.unwrap();
    let request = Request::get(format!("ws://{addr}/")).body(()).unwrap();
    let (mut client, _) = ws_tokio::connect(stream, request, Config::default()).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    Ok(())
}

#[test]
fn one_runtime_has_a_worker_for_each_thread() {
    let listening = Runner::new().threads(THREE).bind("127.0.0.1:0").unwrap();
    let calls = AtomicUsize::new(0);
    let Ok(()) = listening.run(async |listener| {
        calls.fetch_add(1, Ordering::Relaxed);
        assert_eq!(Handle::current().metrics().num_workers(), 3);
        talk(listener).await
    });
    assert_eq!(calls.into_inner(), 1);
}

#[test]
fn a_runtime_for_each_core_listens_on_the_same_port() {
    let listening = Runner::per_core().threads(THREE).bind("127.0.0.1:0").unwrap();
    let addr = listening.local_addr().unwrap();
    let (calls, served) = (AtomicUsize::new(0), Semaphore::new(0));
    let Ok(()) = listening.run(async |listener| {
        calls.fetch_add(1, Ordering::Relaxed);
        assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
        assert_eq!(listener.local_addr().unwrap(), addr);
        // The kernel may give the client to another of the three: no server ends before all clients were served.
        talk(listener).await?;
        served.add_permits(1);
        drop(served.acquire_many(3).await.unwrap());
        Ok::<_, Infallible>(())
    });
    assert_eq!(calls.into_inner(), 3);
}

#[test]
fn an_error_on_one_core_is_returned_when_all_have_ended() {
    let listening = Runner::per_core().threads(THREE).bind("127.0.0.1:0").unwrap();
    let calls = AtomicUsize::new(0);
    let ended = listening.run(async |_| match calls.fetch_add(1, Ordering::Relaxed) {
        1 => Err("the second"),
        _ => Ok(()),
    });
    assert_eq!((ended, calls.into_inner()), (Err("the second"), 3));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let listening = Runner::new().bind("127.0.0.1:0").unwrap();
    let addr = listening.local_addr().unwrap();
    for runner in [Runner::new(), Runner::per_core()] {
        assert_eq!(runner.bind(addr).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
