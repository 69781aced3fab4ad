//! RFC 6455 §4.1: one connecting attempt to an address at a time.

use crate::support::{accepted, echo_server, proxy, read_head};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use ws_client::{Client, ClientBuilder, Error, Proxy, Stage};

async fn answer(tcp: &mut TcpStream) {
    let head = read_head(tcp).await;
    tcp.write_all(accepted(&head).as_bytes()).await.unwrap();
}

/// All names are this machine.
fn local() -> ClientBuilder {
    Client::builder().resolver(async |_: String| Ok(vec![Ipv4Addr::LOCALHOST.into()]))
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Does nobody else connect, however long the others run?
async fn nobody_comes(listener: &TcpListener) -> bool {
    for _ in 0..200 {
        tokio::select! {
            biased;
            _ = listener.accept() => return false,
            () = yield_now() => {}
        }
    }
    true
}

#[tokio::test]
async fn the_second_waits_until_the_first_is_open_whatever_its_name() {
    let (listener, port) = listener().await;
    let client = local().build();
    let connect = |name: &str| {
        let (client, url) = (client.clone(), format!("ws://{name}:{port}/"));
        tokio::spawn(async move { client.connect(url).await })
    };
    let first = connect("a.test");
    let (mut tcp, _) = listener.accept().await.unwrap();
    let second = connect("b.test");
    assert!(nobody_comes(&listener).await);
    answer(&mut tcp).await;
    let _first = first.await.unwrap().unwrap();
    let (_second, _) = listener.accept().await.unwrap();

    // One that gives up makes way too, and one that fails.
    let third = connect("c.test");
    assert!(nobody_comes(&listener).await);
    second.abort();
    assert!(second.await.is_err());
    let (failing, _) = listener.accept().await.unwrap();
    let fourth = connect("d.test");
    assert!(nobody_comes(&listener).await);
    drop(failing);
    assert!(third.await.unwrap().is_err());
    let (mut last, _) = listener.accept().await.unwrap();
    answer(&mut last).await;
    fourth.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_proxy_at_the_address_of_the_host_is_not_waited_for() {
    let (addr, _asked) = proxy::http(echo_server().await, None).await;
    let client = Client::builder().proxy(Proxy::new(&addr.to_string()).unwrap()).build();
    client.connect("ws://127.0.0.1/").await.unwrap();
}

#[tokio::test]
async fn it_may_be_switched_off() {
    let (listener, port) = listener().await;
    let client = local().one_attempt_at_a_time(false).build();
    let url = format!("ws://a.test:{port}/");
    let connecting = [client.connect(&url), client.connect(&url)].map(Box::pin);
    let [first, second] = connecting;
    let serving = async {
        let (mut a, _) = listener.accept().await.unwrap();
        let (mut b, _) = listener.accept().await.unwrap();
        answer(&mut b).await;
        answer(&mut a).await;
        (a, b)
    };
    let (first, second, _open) = tokio::join!(first, second, serving);
    first.unwrap();
    second.unwrap();
}

#[tokio::test]
async fn waiting_has_the_deadline_of_the_whole() {
    let (listener, port) = listener().await;
    let client = local().connect_timeout(Duration::from_millis(100)).build();
    let url = format!("ws://a.test:{port}/");
    let (first, second) = tokio::join!(client.connect(&url), client.connect(&url));
    drop(listener);
    let stages = [first, second].map(|ended| ended.unwrap_err().stage());
    assert_eq!(stages, [Stage::Handshake, Stage::Connect]);
    let error = client.connect(&url).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
}
