//! Settings from TOML and the environment, and what is told of those that cannot be used.

mod client;
mod common;
mod echo;

use client::{connect, exchange, open};
use echo::echo;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use ws_server::proto::http::Request;
use ws_server::{Drain, Message, Settings, SettingsError};

/// A folder of its own for each test, which goes with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ws-server-settings-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A certificate and its key.
    fn certificate(&self, name: &str) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(self.0.join(format!("{name}.pem")), made.cert.pem()).unwrap();
        std::fs::write(self.0.join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
    }

    /// Settings with TLS; both are names of files in the folder.
    fn tls(&self, certificate: &str, key: &str) -> Settings {
        let path = |name: &str| self.0.join(name).display().to_string();
        let text = format!(
            "listen = ['wss://127.0.0.1:0']\n[tls]\ncertificate = '{}'\nkey = '{}'",
            path(certificate),
            path(key)
        );
        Settings::from_toml(&text).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn fault(text: &str) -> String {
    let settings = match Settings::from_toml(text) {
        Ok(settings) => settings,
        Err(error) => return sentence(error),
    };
    sentence(settings.bind().await.err().unwrap())
}

#[expect(clippy::needless_pass_by_value, reason = "it is the last that is done with it")]
fn sentence(error: SettingsError) -> String {
    let sentence = error.to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    sentence
}

#[tokio::test]
async fn a_server_is_made_of_toml() {
    let text = "
        listen = ['ws://127.0.0.1:0', 'ws://127.0.0.1:0']
        origins = ['same', 'https://app.example.com']
        max_connections = 2
        memory_budget = 1000000
        max_message_bytes = 10
        compression = false
        ping_interval = 'never'
        idle_timeout = '1h 30m'
        trusted_proxies = ['10.0.0.0/8']
    ";
    let server = Settings::from_toml(text).unwrap().bind().await.unwrap();
    let addrs: Vec<SocketAddr> =
        server.listeners().iter().filter_map(|listener| listener.local_addr()).collect();
    server.serve(echo);
    let [first, second] = addrs[..] else { panic!("{addrs:?}") };
    let listed = Request::get(format!("ws://{first}/")).header("origin", "https://app.example.com").body(());
    let (mut client, response) = open(first, listed.unwrap()).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
    client.send("ten bytes!").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("ten bytes!")));
    client.send("eleven byte").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    let _other = connect(second, "/").await;
}

#[tokio::test]
async fn variables_go_before_the_text() {
    let vars = [
        ("CHAT_LISTEN", "ws://127.0.0.1:0, ws://127.0.0.1:0"),
        ("CHAT_ORIGINS", "any"),
        ("CHAT_HANDSHAKE_TIMEOUT", "20ms"),
        ("CHAT_MAX_CONNECTIONS", "7"),
        ("OTHER_MAX_CONNECTIONS", "what is not ours is not looked at"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let text = "max_connections = 1\nlisten = 'ws://256.0.0.1:1'";
    let server = Settings::from_toml_and_vars(text, "CHAT_", vars).unwrap().bind().await.unwrap();
    assert_eq!(server.listeners().len(), 2);
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    let _one = connect(addr, "/").await;
    let foreign =
        Request::get(format!("ws://{addr}/")).header("origin", "https://elsewhere.example").body(());
    open(addr, foreign.unwrap()).await.unwrap();
    assert!(exchange(addr, b"").await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn how_the_server_stops_is_a_setting_too() {
    let vars = [("CHAT_DRAIN__GRACE", "1m"), ("CHAT_DRAIN__RESTARTS", "true")];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let text = "listen = 'ws://127.0.0.1:0'\n[drain]\ngrace = '5s'\nspread = '0s'";
    let settings = Settings::from_toml_and_vars(text, "CHAT_", vars).unwrap();
    let expected = Drain::new(Duration::from_secs(60)).spread(Duration::ZERO).restarts();
    assert_eq!(settings.drain(), expected);
    assert_eq!(Settings::from_toml("").unwrap().drain(), Drain::new(Duration::from_secs(10)));

    let server = settings.bind().await.unwrap();
    let addr = server.local_addr().unwrap();
    let running = server.serve(echo);
    let mut client = connect(addr, "/").await;
    let receiving = tokio::spawn(async move {
        client.recv().await.unwrap();
        client.close_info().unwrap().received.code
    });
    assert_eq!(running.stop(settings.drain()).await.clean, 1);
    assert_eq!(receiving.await.unwrap(), ws_server::CloseCode::SERVICE_RESTART);

    let sentence = fault("[drain]\ngrase = '5s'").await;
    assert!(sentence.contains("drain") && sentence.contains("unknown field `grase`"), "{sentence}");
}

#[tokio::test]
async fn tls_is_read_from_files() {
    let folder = Folder::new("read");
    folder.certificate("localhost");
    let settings = folder.tls("localhost.pem", "localhost.key");
    let listening = settings.listen().await.unwrap();
    listening.tls.unwrap().reload().unwrap();
    assert_eq!(listening.listeners.len(), 1);
    settings.builder().unwrap().listeners(listening.listeners).unwrap();

    folder.certificate("other");
    let path = |name: &str| folder.0.join(name).display().to_string();
    let text = format!(
        "listen = ['wss://127.0.0.1:0', 'ws://127.0.0.1:0']
        tls = {{ certificate = '{}', key = '{}', client_authorities = '{}', clients_must = true, others = [{{ certificate = '{}', key = '{}' }}] }}",
        path("localhost.pem"),
        path("localhost.key"),
        path("other.pem"),
        path("other.pem"),
        path("other.key"),
    );
    assert_eq!(Settings::from_toml(&text).unwrap().bind().await.unwrap().listeners().len(), 2);
}

#[tokio::test]
async fn an_unknown_field_is_named_with_those_there_are() {
    let sentence = fault("max_conections = 7").await;
    assert!(
        sentence.starts_with(
            "the setting max_conections cannot be 7: unknown field `max_conections`, expected one of `listen`, "
        ) && sentence.ends_with("; correct it, or leave it out"),
        "{sentence}"
    );
    let sentence = fault("[tls]\ncertificate = 'a'\nkeys = 'b'").await;
    assert!(
        sentence.starts_with("the setting tls.keys cannot be \"b\": unknown field `keys`, expected one of "),
        "{sentence}"
    );
    let sentence = fault("[tls]\ncertificate = 'a'").await;
    assert!(sentence.contains("tls") && sentence.contains("missing field `key`"), "{sentence}");
}

#[tokio::test]
async fn a_value_of_another_kind_is_named_with_what_was_expected() {
    let sentence = fault("max_connections = 'many'").await;
    assert_eq!(
        sentence,
        "the setting max_connections cannot be \"many\": invalid type: string \"many\", expected a whole number; \
         correct it, or leave it out"
    );
    let sentence = fault("max_connections = -1").await;
    assert!(sentence.starts_with("the setting max_connections cannot be -1: "), "{sentence}");
    let sentence = fault("idle_timeout = 'soon'").await;
    assert!(
        sentence.starts_with("the setting idle_timeout cannot be \"soon\": \"soon\" is no time ("),
        "{sentence}"
    );
    assert!(sentence.contains("write it as \"30s\", \"5m\" or \"1h 30m\""), "{sentence}");
    let sentence = fault("a = 1\nlisten = [").await;
    assert!(sentence.starts_with("line 2 of the settings is no TOML: "), "{sentence}");
    assert!(sentence.ends_with("; correct it"), "{sentence}");
}

#[tokio::test]
async fn values_that_mean_nothing_are_told_with_what_to_write() {
    for (text, expected) in [
        ("", "the setting listen cannot be \"\": name at least one place, such as ws://127.0.0.1:9001"),
        (
            "listen = '127.0.0.1:9001'",
            "the setting listen cannot be \"127.0.0.1:9001\": write ws://127.0.0.1:9001, wss://[::]:443, unix:/run/chat.sock or inherited",
        ),
        (
            "listen = 'wss://127.0.0.1:0'",
            "the setting listen cannot be \"wss://127.0.0.1:0\": wss:// takes tls.certificate and tls.key; name them, or write ws://",
        ),
        (
            "trusted_proxies = ['10.0.0.300']",
            "the setting trusted_proxies cannot be \"10.0.0.300\": write a network such as 10.0.0.0/8, and one address as 10.0.0.7/32",
        ),
        (
            "origins = ['any', 'https://a.example']",
            "the setting origins cannot be \"any, https://a.example\": \"any\" lets all others in as well: write it alone, or leave it out",
        ),
        (
            "hosts = ['https://a.example']",
            "hosts: \"https://a.example\" is no name of a host; write it without a scheme and a port",
        ),
        (
            "listen = 'ws://127.0.0.1:0'\n[tls]\ncertificate = 'a'\nkey = 'b'",
            "the setting listen cannot be \"ws://127.0.0.1:0\": there is a certificate and nothing that speaks TLS; write wss://, or leave tls out",
        ),
        (
            "listen = 'wss://127.0.0.1:0'\n[tls]\ncertificate = 'a'\nkey = 'b'\nclients_must = true",
            "the setting tls.clients_must cannot be \"true\": tls.client_authorities must say whose certificates count; name the file, or leave it out",
        ),
        ("memory_budget = 0", "memory_budget must be more than zero"),
        ("max_handshakes = 0", "max_handshakes must be more than zero"),
        ("pong_timeout = '0s'", "pong_timeout must be more than zero"),
    ] {
        assert_eq!(fault(text).await, expected);
    }
    let sentence = fault("origins = ['example.com']").await;
    assert!(
        sentence.starts_with("origins: \"example.com\" is no origin such as https://example.com: "),
        "{sentence}"
    );
}

#[tokio::test]
async fn limits_that_contradict_are_told_together() {
    for (text, expected) in [
        (
            "max_frame_bytes = 2000\nmax_message_bytes = 1000",
            "max_frame_bytes is 2000 and max_message_bytes is 1000: lower the first or raise the second",
        ),
        (
            "max_connections_per_address = 20\nmax_connections = 10",
            "max_connections_per_address is 20 and max_connections is 10: lower the first or raise the second",
        ),
        (
            "max_message_bytes = 2000\nmemory_budget = 1000",
            "max_message_bytes is 2000 and memory_budget is 1000: lower the first or raise the second",
        ),
        (
            "[drain]\ngrace = '5s'\nspread = '1m 30s'",
            "the setting drain.spread cannot be \"1m 30s\": it is longer than drain.grace, which is 5s; lower it, or raise that",
        ),
        (
            "proxy_protocol = true",
            "proxy_protocol is on and trusted_proxies is empty: name the networks of the proxies, or switch it off",
        ),
    ] {
        assert_eq!(fault(text).await, expected);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_named_and_those_of_others_are_not_looked_at() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let settings = |vars: [(OsString, OsString); 1]| Settings::from_toml_and_vars("", "CHAT_", vars);
    assert!(settings([(bytes(b"OTHER_\xff"), bytes(b"\xff"))]).is_ok());
    assert!(settings([(bytes(b"OTHER"), bytes(b"\xff"))]).is_ok());
    let told = sentence(settings([(bytes(b"CHAT_LISTEN"), bytes(b"ws://\xff"))]).err().unwrap());
    assert_eq!(
        told,
        "the setting LISTEN cannot be ws://\u{fffd}: it is not Unicode; correct it, or leave it out"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let (_taken, addr) = common::server().await;
    let expected = format!(
        "listen: cannot listen on {addr}: something listens there already; stop it, or choose another"
    );
    assert_eq!(fault(&format!("listen = 'ws://{addr}'")).await, expected);
    let sentence = fault("listen = 'unix:/nowhere/chat.sock'").await;
    assert!(sentence.starts_with("listen: cannot listen on /nowhere/chat.sock: "), "{sentence}");
    assert!(sentence.ends_with("; correct it, or choose another"), "{sentence}");
}

#[tokio::test]
async fn a_key_that_cannot_be_read_or_does_not_fit_is_named() {
    let folder = Folder::new("faults");
    folder.certificate("localhost");
    folder.certificate("other");
    let tell = async |certificate: &str, key: &str| {
        sentence(folder.tls(certificate, key).bind().await.err().unwrap())
    };
    let path = |name: &str| Path::new(&folder.0).join(name).display().to_string();

    let told = tell("localhost.pem", "missing.key").await;
    assert!(told.starts_with(&format!("tls.key: {} cannot be read: ", path("missing.key"))), "{told}");
    assert!(told.ends_with("; check the path and who may read it"), "{told}");

    let told = tell("missing.pem", "localhost.key").await;
    assert!(
        told.starts_with(&format!("tls.certificate: {} cannot be read: ", path("missing.pem"))),
        "{told}"
    );

    let told = tell("localhost.pem", "localhost.pem").await;
    assert!(
        told.starts_with(&format!("tls.key: {} holds no private key in PEM: ", path("localhost.pem"))),
        "{told}"
    );

    let told = tell("localhost.pem", "other.key").await;
    let files = format!("{} and {}", path("localhost.pem"), path("other.key"));
    assert_eq!(
        told,
        format!(
            "tls.key: {files} cannot be used: the key is not that of the certificate; name the one it was made with"
        )
    );

    let [certificate, key, other] = ["localhost.pem", "localhost.key", "other.key"].map(path);
    let text = format!(
        "listen = 'wss://127.0.0.1:0'
        tls = {{ certificate = '{certificate}', key = '{key}', others = [{{ certificate = '{certificate}', key = '{other}' }}] }}"
    );
    let told = fault(&text).await;
    assert!(told.starts_with("tls.others: ") && told.contains("is not that of the certificate"), "{told}");
}
