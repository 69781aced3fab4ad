//! How runs of `fuzzing-client` end: what it says, its exit status, and what the report has.

mod program;

use program::{echo, end, interrupt, nobody, program, report, run, serve, serve_only};
use std::fs;
use std::future::pending;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const CLIENT: &str = "fuzzing-client";

/// A spec file in the folder of the test, whose timers are short.
fn spec(name: &str, contents: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().to_owned()
}

fn impatient(name: &str, url: &str) -> String {
    let servers = format!(r#"[{{"url": "{url}", "agent": "me"}}]"#);
    spec(name, &format!(r#"{{"servers": {servers}, "options": {{"openHandshakeTimeout": 0.2}}}}"#))
}

#[tokio::test]
async fn a_server_that_echoes_passes() {
    let url = serve(|_, stream| echo(stream)).await;
    let arguments =
        [CLIENT, "--url", &url, "--cases", "1.1.1,2.1,100.1.1", "--beyond", "--agent", "me", "--quiet"];
    assert_eq!(run(program("passes", &arguments)).await, (0, String::new()));
    let [(agent, verdicts)] = &report("passes", "reports/servers")[..] else { panic!("one agent") };
    assert_eq!((agent.as_str(), verdicts.len()), ("me", 3));
}

#[tokio::test]
async fn cases_that_only_try_to_be_refused_are_no_sign_of_another_kind_of_server() {
    let url = serve(|_, stream| echo(stream)).await;
    let arguments = [CLIENT, "--url", &url, "--cases", "100.1.1,100.1.2", "--beyond", "--quiet"];
    assert_eq!(run(program("refused", &arguments)).await, (0, String::new()));
}

#[tokio::test]
async fn a_server_that_falls_short_is_status_1_and_the_case_is_named() {
    let url = serve(async |_, stream: TcpStream| {
        let Ok(incoming) = ws_tokio::accept(stream, ws_proto::Config::default()).await else { return };
        let Ok(mut socket) = incoming.accept(Default::default()).await else { return };
        while let Ok(Some(_)) = socket.recv().await {}
    });
    let url = url.await;
    let arguments = [CLIENT, "--url", &url, "--cases", "1.1.2,2.1", "--quiet", "--agent", "me"];
    let (status, said) = run(program("falls_short", &arguments)).await;
    assert_eq!(status, 1, "{said}");
    assert!(said.starts_with("me: case 1.1.2 is FAILED / ") && said.lines().count() == 1, "{said}");
}

#[tokio::test]
async fn where_nobody_listens_is_status_2() {
    let (_socket, address) = nobody();
    let url = format!("ws://{address}/");
    let (status, said) = run(program("nobody", &[CLIENT, "--url", &url])).await;
    assert_eq!(status, 2, "{said}");
    let sentence = format!("ws-autobahn: {url}: the server cannot be connected to: Connection refused");
    assert!(said.starts_with(&sentence) && said.lines().count() == 1, "{said}");
    assert_eq!(report("nobody", "reports/servers"), []);
}

#[tokio::test]
async fn a_web_server_is_status_2_and_is_given_up_soon() {
    let url = serve(async |_, mut stream: TcpStream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    });
    let url = url.await;
    let (status, said) = run(program("web", &[CLIENT, "--url", &url, "--agent", "me", "--quiet"])).await;
    assert_eq!(status, 2, "{said}");
    let sentence = "no WebSocket server: of 4 opening handshakes none was completed, the last because the server answered with status 200";
    assert!(said.contains(&format!("ws-autobahn: {url}: {sentence}")), "{said}");
    let ran = report("web", "reports/servers")[0].1.len();
    assert!((4..=40).contains(&ran), "{ran} cases");
}

#[tokio::test]
async fn a_server_of_another_protocol_is_status_2() {
    let url = serve(async |_, mut stream: TcpStream| {
        let _ = stream.write_all(b"220 mail.example.com\r\n\r\n\x00\xff").await;
    });
    let url = url.await;
    let (status, said) = run(program("garbage", &[CLIENT, "--url", &url])).await;
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("no WebSocket server") && said.contains("the answer is not HTTP"), "{said}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_status_2() {
    let url = serve(async |_, stream: TcpStream| {
        let _stream = stream;
        pending().await
    });
    let spec = impatient("silent.json", &url.await);
    let (status, said) = run(program("silent", &[CLIENT, "--spec", &spec])).await;
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("no WebSocket server") && said.contains("did not answer in time"), "{said}");
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_is_status_2_and_the_report_has_the_rest() {
    let url = serve_only(5).await;
    let arguments = [CLIENT, "--url", &url, "--agent", "me", "--jobs", "1", "--quiet"];
    let (status, said) = run(program("dies", &arguments)).await;
    assert_eq!(status, 2, "{said}");
    let sentence = "the server cannot be connected to any more, after 5 of 517 cases: Connection refused";
    assert!(said.contains(sentence), "{said}");
    assert_eq!(report("dies", "reports/servers")[0].1.len(), 5);
}

#[tokio::test]
async fn of_two_servers_the_second_is_tested_though_the_first_is_not_there() {
    let (_socket, address) = nobody();
    let url = serve(|_, stream| echo(stream)).await;
    let spec = spec(
        "two.json",
        &format!(
            r#"{{"outdir": "here", "servers": [{{"url": "ws://{address}"}}, {{"url": "{url}", "agent": "b"}}],
                "cases": ["1.1.*"], "exclude-cases": ["1.1.2"], "exclude-agent-cases": {{"b*": ["1.1.3", "1.1.5"]}}}}"#
        ),
    );
    let (status, said) = run(program("two", &[CLIENT, "--spec", &spec, "--quiet"])).await;
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("the server cannot be connected to"), "{said}");
    let [(agent, verdicts)] = &report("two", "here")[..] else { panic!("one agent") };
    assert_eq!((agent.as_str(), verdicts.len()), ("b", 5));
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_run_is_status_2_and_the_report_has_what_was_finished() {
    let (reached, mut until) = mpsc::unbounded_channel();
    let url = serve(move |number, stream| {
        let reached = reached.clone();
        async move {
            if number < 4 {
                return echo(stream).await;
            }
            let _ = reached.send(stream);
            pending().await
        }
    });
    let url = url.await;
    let arguments = [CLIENT, "--url", &url, "--agent", "me", "--jobs", "1", "--quiet"];
    let child = program("interrupted", &arguments).spawn().unwrap();
    let _hanging = until.recv().await.unwrap();
    interrupt(&child);
    let (status, said) = end(child).await;
    assert_eq!(status, 2, "{said}");
    assert_eq!(said, format!("ws-autobahn: {url}: the run was interrupted after 4 of 517 cases\n"));
    assert_eq!(report("interrupted", "reports/servers")[0].1.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_used_is_found_before_the_run() {
    let (_socket, address) = nobody();
    let url = format!("ws://{address}/");
    let file = spec("a_file", "");
    let in_file = format!("{file}/reports");
    let broken = spec("broken.json", "{\"servers\": [");
    let unknown =
        spec("unknown.json", &format!(r#"{{"servers": [{{"url": "{url}"}}], "exclude-case": []}}"#));
    let option = spec(
        "option.json",
        &format!(r#"{{"servers": [{{"url": "{url}", "options": {{"failByDrop": true}}}}]}}"#),
    );
    let same = spec(
        "same.json",
        &format!(r#"{{"servers": [{{"url": "{url}", "agent": "a"}}, {{"url": "{url}", "agent": "a"}}]}}"#),
    );
    let reason = spec("reason.toml", "[[expect]]\ncases = ['1.*']\nreason = ''");
    let refused: [(&[&str], &str); 11] = [
        (&["--url", &url, "--out", &in_file], "the reports cannot be written to"),
        (&["--spec", "/nowhere.json"], "the spec file /nowhere.json cannot be used: No such file"),
        (&["--spec", &broken], "cannot be used: EOF while parsing"),
        (&["--spec", &unknown], "unknown field `exclude-case`, expected one of"),
        (&["--spec", &option], "the option failByDrop is true; only false is supported"),
        (&["--spec", &same], "the spec file has two servers with the agent \"a\""),
        (&["--url", "http://localhost/"], "it begins with neither ws:// nor wss://"),
        (&["--url", &url, "--cases", "8.1"], "no case is selected by \"8.1\""),
        (&["--url", &url, "--beyond", "--cases", "100.3.*"], "none of the selected cases is for this end"),
        (&["--url", &url, "--expected", &reason], "the expectation for 1.* has no reason"),
        (&["--jobs", "0", "--url", &url], "invalid value '0' for '--jobs <N>'"),
    ];
    for (arguments, sentence) in refused {
        let (status, said) = run(program("refused_arguments", &[&[CLIENT], arguments].concat())).await;
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn expectations_fail_in_both_directions() {
    let url = serve(|_, stream| echo(stream)).await;
    let better = spec("better.toml", "[[expect]]\ncases = ['1.1.1']\nbehavior = 'FAILED'\nreason = 'once'");
    let arguments =
        [CLIENT, "--url", &url, "--cases", "1.1.1", "--agent", "me", "--expected", &better, "--quiet"];
    let (status, said) = run(program("better", &arguments)).await;
    assert_eq!((status, said.trim()), (1, "me: case 1.1.1 is OK / OK, expected is FAILED / OK (once)"));
}
