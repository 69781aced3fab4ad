//! How runs of `fuzzing-server` end: what it says, its exit status, and what the report has.

mod program;

use program::{end, interrupt, listening, program, report, run, signal};
use tokio::net::{TcpListener, TcpStream};
use ws_proto::{Config, http};

const SERVER: [&str; 4] = ["fuzzing-server", "--listen", "127.0.0.1:0", "--quiet"];

fn server(more: &[&'static str]) -> Vec<&'static str> {
    [&SERVER[..], more].concat()
}

/// Asks for a URL of the server, and echoes.
async fn echo(url: &str, resource: &str) {
    let stream = TcpStream::connect(url.strip_prefix("ws://").unwrap()).await.unwrap();
    let request = http::Request::get(format!("{url}{resource}")).body(()).unwrap();
    let (mut socket, _) = ws_tokio::connect(stream, request, Config::default()).await.unwrap();
    while let Ok(Some(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_client_that_echoes_passes_and_ends_the_server() {
    for driver in ["tokio", "sync"] {
        let mut child = program(driver, &server(&["--cases", "1.1.*,2.1"])).spawn().unwrap();
        let url = listening(&mut child).await;
        let client = ["testee-client", "--url", &url, "--driver", driver, "--agent", "me", "--shutdown"];
        assert_eq!(run(program("client", &client)).await, (0, String::new()));
        assert_eq!(end(child).await, (0, String::new()));
        let [(agent, verdicts)] = &report(driver, "reports/clients")[..] else { panic!("one agent") };
        assert_eq!((agent.as_str(), verdicts.len()), ("me", 9));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_was_told_to_stop_after_all_cases_has_the_status_of_the_verdicts() {
    let mut child = program("all", &server(&["--cases", "1.1.1"])).spawn().unwrap();
    let url = listening(&mut child).await;
    echo(&url, "/runCase?case=1&agent=me").await;
    echo(&url, "/updateReports?agent=me").await;
    signal("TERM", &child);
    assert_eq!(end(child).await, (0, String::new()));
    assert_eq!(report("all", "reports/clients")[0].1.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_that_ends_early_is_status_2_and_the_report_has_what_it_ran() {
    let mut child = program("early", &server(&["--cases", "1.1.*"])).spawn().unwrap();
    let url = listening(&mut child).await;
    echo(&url, "/runCase?case=1&agent=me").await;
    echo(&url, "/runCase?case=3&agent=me").await;
    // The suite has ended the cases when it tells how they went.
    echo(&url, "/getCaseStatus?case=1&agent=me").await;
    echo(&url, "/getCaseStatus?case=3&agent=me").await;
    interrupt(&child);
    let said = "ws-autobahn: me has run 2 of 8 cases; the first that is missing is 1.1.2\n";
    assert_eq!(end(child).await, (2, said.to_owned()));
    assert_eq!(report("early", "reports/clients")[0].1.len(), 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_no_client_came_to_is_status_2() {
    let said = "ws-autobahn: no client has run a case\n".to_owned();
    let mut child = program("none", &server(&[])).spawn().unwrap();
    let _url = listening(&mut child).await;
    interrupt(&child);
    assert_eq!(end(child).await, (2, said.clone()));
    assert_eq!(run(program("idle", &server(&["--idle-timeout", "1"]))).await, (2, said));
}

#[tokio::test]
async fn what_cannot_be_used_is_found_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let refused: [(&[&str], &str); 5] = [
        (&["--listen", &taken], "cannot be listened at: Address already in use"),
        (&["--listen", "localhost"], "invalid value 'localhost' for '--listen <ADDRESS:PORT>'"),
        (&["--cert", "/nowhere.pem", "--key", "/nowhere.pem"], "/nowhere.pem cannot be used"),
        (&["--cert", "/nowhere.pem"], "--key <FILE>"),
        (
            &["--out", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/reports")],
            "the reports cannot be written to",
        ),
    ];
    for (arguments, sentence) in refused {
        let (status, said) = run(program("unusable", &[&["fuzzing-server"], arguments].concat())).await;
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    }
}
