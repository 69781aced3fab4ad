//! The subcommands that test endpoints, and the one that compares runs.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use ws_autobahn::expected::Expected;
use ws_autobahn::fuzzing_client::{self, Options};
use ws_autobahn::fuzzing_server::{FuzzingServer, Reporter};
use ws_autobahn::report::{Format, Report, Severity};
use ws_autobahn::spec::{Server, Spec};
use ws_autobahn::{Case, CaseResult, Endpoint, Selection, compare};

/// Options that both kinds of test have.
#[derive(Args, Debug)]
struct Common {
    /// Patterns of the cases to run, as 6.* or 7.1.5
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    cases: Vec<String>,
    /// Patterns of the cases to leave out
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Run the cases too that the original suite does not have, numbered from 100
    #[arg(long)]
    beyond: bool,
    /// A spec file of the original suite; options of the command line go before what it says
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Where the reports go
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What the reports are to be
    #[arg(long, value_delimiter = ',', default_values_t = [FormatName::Json, FormatName::Html, FormatName::Junit])]
    format: Vec<FormatName>,
    /// Which cases make the exit status 1
    #[arg(long, value_enum, default_value_t = FailOn::Failed)]
    fail_on: FailOn,
    /// What is known not to be OK, with reasons; any difference makes the exit status 1
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// No progress and no table, only what went wrong
    #[arg(long, short)]
    quiet: bool,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// index.json and a file for each case, as the original suite writes them
    Json,
    /// index.html, one page
    Html,
    /// junit.xml
    Junit,
}

impl std::fmt::Display for FormatName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
        })
    }
}

/// The least that makes the exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Cases that are FAILED, or whose connection was not closed as it must be
    Failed,
    /// Also those that are NON-STRICT, or closed with another code than wanted
    NonStrict,
    /// Also those that are UNIMPLEMENTED
    Unimplemented,
    /// None
    Never,
}

impl FailOn {
    const fn severity(self) -> Severity {
        match self {
            Self::Failed | Self::Never => Severity::Failed,
            Self::NonStrict => Severity::NonStrict,
            Self::Unimplemented => Severity::Unimplemented,
        }
    }
}

/// Options of `fuzzing-client`.
#[derive(Args, Debug)]
pub(crate) struct ClientOptions {
    /// The server to test, ws:// or wss://; its certificate is not checked
    #[arg(long, value_name = "URL", required_unless_present = "spec")]
    url: Option<String>,
    /// What the reports call the server; else what it calls itself
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// How many cases run at the same time; 1 where round trips are to be measured
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    common: Common,
}

/// Options of `fuzzing-server`.
#[derive(Args, Debug)]
pub(crate) struct ServerOptions {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// A certificate in PEM, for wss://
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key to it
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Options of `compare`.
#[derive(Args, Debug)]
pub(crate) struct CompareOptions {
    /// The index.json of one run
    left: PathBuf,
    /// The index.json of another
    right: PathBuf,
}

/// Tests servers.
pub(crate) async fn client(options: ClientOptions) -> Result<ExitCode> {
    let common = &options.common;
    let run = Run::new(common, "reports/servers", Case::tests_servers)?;
    let servers = match (&options.url, &run.spec) {
        (Some(url), _) => {
            vec![Server { url: url.clone(), agent: options.agent.clone(), ..Server::default() }]
        }
        (None, Some(spec)) => spec.servers.clone(),
        (None, None) => Vec::new(),
    };
    if servers.is_empty() {
        bail!("there is no server to test: the spec file names none");
    }
    let mut report = Report::new();
    let mut trouble = None;
    for server in servers {
        let mut endpoint =
            Endpoint::new(&server.url, server.hostname.as_deref()).map_err(anyhow::Error::msg)?;
        endpoint.target.origin.clone_from(&server.origin);
        endpoint.target.protocols.clone_from(&server.protocols);
        let mut settings =
            Options { target: endpoint.target.clone(), agent: server.agent.clone(), ..Options::default() };
        settings.jobs = options.jobs.unwrap_or(settings.jobs);
        let excluded = |case: &Arc<Case>| match (&run.spec, &server.agent) {
            (Some(spec), Some(agent)) => spec.excludes(agent, &case.id.to_string()),
            _ => false,
        };
        let cases: Vec<_> = run.cases.iter().filter(|case| !excluded(case)).cloned().collect();
        let progress = Progress::new(cases.len(), common.quiet);
        let testing = fuzzing_client::run(endpoint, cases, settings, |result| {
            progress.done(&result);
            report.add(result);
        });
        let ended = tokio::select! {
            ended = testing => ended.with_context(|| format!("{} cannot be connected to", server.url)),
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("the run was interrupted")),
        };
        progress.clear();
        if let Err(error) = ended {
            trouble = Some(error);
            break;
        }
    }
    run.finish(common, &report, trouble)
}

/// Tests clients.
pub(crate) async fn server(options: ServerOptions) -> Result<ExitCode> {
    let common = &options.common;
    let run = Run::new(common, "reports/clients", Case::tests_clients)?;
    let spec = run.spec.as_ref();
    let tls = match (options.cert.as_deref(), options.key.as_deref()) {
        (Some(cert), Some(key)) => Some(acceptor(cert, key)?),
        _ => match spec.and_then(|spec| Some((spec.cert.as_deref()?, spec.key.as_deref()?))) {
            Some((cert, key)) => Some(acceptor(cert, key)?),
            None => None,
        },
    };
    let address = match spec.and_then(|spec| spec.url.as_deref()) {
        Some(url) => listen_address(url)?,
        None => options.listen.to_string(),
    };
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("{address} cannot be listened at"))?;
    let address = listener.local_addr().context("the address is not known")?;
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    eprintln!("Tests clients at {scheme}://{address} with {} cases.", run.cases.len());
    let excluded = spec.map(|spec| spec.exclude_agent_cases.clone()).unwrap_or_default();
    let writer = Arc::new(Writer {
        out: run.out.clone(),
        formats: run.formats.clone(),
        fails_from: common.fail_on.severity(),
        progress: Progress::new(run.cases.len(), common.quiet),
        error: Mutex::new(None),
    });
    let server = FuzzingServer::new(run.cases.clone(), excluded, Shared(Arc::clone(&writer)));
    tokio::select! {
        ended = server.listen(listener, tls) => ended.context("no more connections can be accepted")?,
        _ = tokio::signal::ctrl_c() => {}
    }
    writer.progress.clear();
    let trouble = writer.error.lock().unwrap_or_else(PoisonError::into_inner).take();
    run.finish(common, &server.report(), trouble)
}

/// Compares two runs.
pub(crate) fn compare(options: &CompareOptions) -> Result<ExitCode> {
    let (left, right) = (compare::read_index(&options.left)?, compare::read_index(&options.right)?);
    let mut different = 0;
    for (name, other, differences) in compare::pairs(&left, &right) {
        println!("{name} and {other}: {} cases differ", differences.len());
        for difference in &differences {
            println!("  {difference}");
        }
        different += differences.len();
    }
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What is the same for both kinds of test.
struct Run {
    cases: Vec<Arc<Case>>,
    spec: Option<Spec>,
    expected: Option<Expected>,
    out: PathBuf,
    formats: Vec<Format>,
}

impl Run {
    fn new(common: &Common, default_out: &str, audience: fn(&Case) -> bool) -> Result<Self> {
        let spec = common.spec.as_deref().map(Spec::read).transpose()?;
        let mut selection =
            spec.as_ref().map_or_else(Selection::default, |spec| spec.selection(common.beyond));
        selection.beyond = common.beyond;
        if !common.cases.is_empty() {
            selection.cases.clone_from(&common.cases);
        }
        selection.exclude.extend(common.exclude.iter().cloned());
        let out = common
            .out
            .clone()
            .or_else(|| spec.as_ref()?.outdir.clone())
            .unwrap_or_else(|| default_out.into());
        // Found out now, and not after the run.
        std::fs::create_dir_all(&out).with_context(|| format!("{} cannot be written to", out.display()))?;
        let probe = out.join(".ws-autobahn");
        std::fs::write(&probe, b"").with_context(|| format!("{} cannot be written to", out.display()))?;
        std::fs::remove_file(&probe).with_context(|| format!("{} cannot be written to", out.display()))?;
        let formats = common.format.iter().map(|format| match format {
            FormatName::Json => Format::Json,
            FormatName::Html => Format::Html,
            FormatName::Junit => Format::Junit,
        });
        Ok(Self {
            cases: selection.resolve()?.into_iter().filter(|case| audience(case)).collect(),
            expected: common.expected.as_deref().map(Expected::read).transpose()?,
            out,
            formats: formats.collect(),
            spec,
        })
    }

    /// Writes the reports and tells how it went.
    fn finish(&self, common: &Common, report: &Report, trouble: Option<anyhow::Error>) -> Result<ExitCode> {
        report.write(&self.out, &self.formats, common.fail_on.severity())?;
        if !common.quiet {
            print!("{}", report.to_table());
        }
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        if report.agents().next().is_none() {
            bail!("no case was run");
        }
        for agent in report.agents() {
            if !report.results(agent).any(CaseResult::was_open) {
                bail!("{agent} speaks no WebSocket: not one opening handshake was completed");
            }
        }
        let fell_short = match &self.expected {
            Some(expected) => {
                let surprises = expected.check(report);
                for surprise in &surprises {
                    eprintln!("{surprise}");
                }
                !surprises.is_empty()
            }
            None => common.fail_on != FailOn::Never && report.severity() >= common.fail_on.severity(),
        };
        Ok(if fell_short { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

/// Writes reports when a client asks for them.
struct Writer {
    out: PathBuf,
    formats: Vec<Format>,
    fails_from: Severity,
    progress: Progress,
    error: Mutex<Option<anyhow::Error>>,
}

struct Shared(Arc<Writer>);

impl Reporter for Shared {
    fn done(&self, result: &CaseResult) {
        self.0.progress.done(result);
    }

    fn write(&self, report: &Report) {
        if let Err(error) = report.write(&self.0.out, &self.0.formats, self.0.fails_from) {
            *self.0.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
        }
    }
}

/// One line on a terminal that tells how far it is.
struct Progress {
    total: usize,
    done: AtomicUsize,
    bad: AtomicUsize,
    shown: bool,
}

impl Progress {
    fn new(total: usize, quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        Self { total, done: AtomicUsize::new(0), bad: AtomicUsize::new(0), shown }
    }

    fn done(&self, result: &CaseResult) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let bad = u8::from(result.severity() > Severity::Unimplemented);
        let bad = self.bad.fetch_add(usize::from(bad), Ordering::Relaxed) + usize::from(bad);
        if self.shown {
            let filled = (done * WIDTH / self.total.max(1)).min(WIDTH);
            let bar = "█".repeat(filled) + &"░".repeat(WIDTH - filled);
            eprint!("\r{bar} {done}/{} {bad} not OK, last {}   ", self.total, result.case.id);
            // Only a picture; the terminal may be gone.
            let _ = std::io::stderr().flush();
        }
    }

    fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

const WIDTH: usize = 30;

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
