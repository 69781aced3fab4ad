//! `fuzzing-server`.

use anyhow::{Context, Result};
use clap::Args;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use ws_autobahn::fuzzing_server::{self, FuzzingServer, Reporter};
use ws_autobahn::report::Report;
use ws_autobahn::{Case, CaseResult, Timeouts};

use super::plan::{Common, Plan};
use super::progress::Progress;
use super::signals::Stop;

/// Options of `fuzzing-server`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:9001]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A file with the certificate chain (PEM): serves wss://
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// A file with its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Ends when no client has been connected for so many seconds; else the server waits for ever
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    idle_timeout: Option<u32>,
    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "\
The client asks how many cases there are, runs each, in which it sends every message back as it came, and has the reports
written; it reads one text message from the first URL, and the end of the connection from the last:
  /getCaseCount
  /runCase?case=1&agent=NAME        up to the count; or casetuple=6.4.1 instead of case
  /updateReports?agent=NAME         with &shutdownOnComplete=true the server ends then
There are also /getCaseInfo?case=1, /getCaseStatus?case=1&agent=NAME and /stopServer.

The first line on standard output is 'listening on URL', once clients can connect. The server ends when a client asks it
to, by --idle-timeout, and by SIGINT or SIGTERM; then, too, it writes the reports and finds the exit status.

Exit status:
  0  all as wanted
  1  a case fell short, by --fail-on or --expected
  2  it could not listen, no client came, a client did not run all cases, or the arguments are wrong

Examples:
  ws-autobahn fuzzing-server                             until a client, or Ctrl-C, ends it
  ws-autobahn fuzzing-server --idle-timeout 30 &         in CI
  my-echo-client ws://127.0.0.1:9001; wait $!
  ws-autobahn fuzzing-server --spec fuzzingserver.json";

/// Tests clients.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let plan = Plan::new(&options.common, "reports/clients", Case::tests_clients)?;
    let spec = plan.spec.as_ref();
    let files = match (options.cert.as_deref(), options.key.as_deref()) {
        (Some(cert), Some(key)) => Some((cert, key)),
        _ => spec.and_then(|spec| Some((spec.cert.as_deref()?, spec.key.as_deref()?))),
    };
    let tls = files.map(|(cert, key)| acceptor(cert, key)).transpose()?;
    let address = match (options.listen, spec.and_then(|spec| spec.url.as_deref())) {
        (Some(address), _) => address.to_string(),
        (None, Some(url)) => listen_address(url)?,
        (None, None) => DEFAULT_ADDRESS.to_owned(),
    };
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("{address} cannot be listened at"))?;
    let address = listener.local_addr().context("the address is not known")?;
    let mut stop = Stop::new()?;
    println!("listening on {}://{address}", if tls.is_some() { "wss" } else { "ws" });
    // Who does not read it does not need it.
    let _ = std::io::stdout().flush();
    let progress = Progress::new(plan.cases.len(), options.common.quiet);
    let writer = Arc::new(Writer { plan, progress });
    let plan = &writer.plan;
    let settings = fuzzing_server::Options {
        excluded: plan.excluded(),
        timeouts: plan.spec.as_ref().map(|spec| spec.options.change(Timeouts::default())).unwrap_or_default(),
    };
    let server = FuzzingServer::new(plan.cases.clone(), settings, Shared(Arc::clone(&writer)));
    tokio::select! {
        ended = server.listen(listener, tls) => ended.context("no more connections can be accepted")?,
        () = stop.told() => {}
        () = idle(&server, options.idle_timeout) => {}
    }
    writer.progress.clear();
    let report = server.report();
    let unfinished = server.unfinished(&report).into_iter().map(anyhow::Error::msg);
    Ok(plan.finish(&report, unfinished.collect()))
}

async fn idle(server: &FuzzingServer, seconds: Option<u32>) {
    match seconds {
        Some(seconds) => server.idle(Duration::from_secs(seconds.into())).await,
        None => std::future::pending().await,
    }
}

/// Writes reports when a client asks for them.
struct Writer {
    plan: Plan,
    progress: Progress,
}

struct Shared(Arc<Writer>);

impl Reporter for Shared {
    fn done(&self, result: &CaseResult) {
        self.0.progress.done(result);
    }

    fn write(&self, report: &Report) {
        if let Err(error) = self.0.plan.write(report) {
            super::tell(&error);
        }
    }
}

fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor> {
    let unusable = |path: &Path| format!("{} cannot be used", path.display());
    let certs = CertificateDer::pem_file_iter(cert).with_context(|| unusable(cert))?;
    let certs = certs.collect::<Result<Vec<_>, _>>().with_context(|| unusable(cert))?;
    let key_der = PrivateKeyDer::from_pem_file(key).with_context(|| unusable(key))?;
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certs, key_der)
        .with_context(|| unusable(cert))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// From `ws://127.0.0.1:9001` in a spec file.
fn listen_address(url: &str) -> Result<String> {
    let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
    let authority = rest.and_then(|rest| rest.split('/').next()).filter(|authority| authority.contains(':'));
    authority.map(str::to_owned).with_context(|| format!("{url:?} names no address and port to listen at"))
}

const DEFAULT_ADDRESS: &str = "127.0.0.1:9001";
