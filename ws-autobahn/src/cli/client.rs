//! `fuzzing-client`.

use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;
use ws_autobahn::fuzzing_client;
use ws_autobahn::report::Report;
use ws_autobahn::spec::{Server, Spec};
use ws_autobahn::{Case, Endpoint};

use super::plan::{Common, Plan};
use super::progress::Progress;
use super::signals::Stop;

/// Options of `fuzzing-client`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The server to test, ws:// or wss://; its certificate is not checked
    #[arg(long, value_name = "URL", required_unless_present = "spec")]
    url: Option<String>,
    /// What the reports call the server [default: what it calls itself in the header Server]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// How many cases run at the same time; 1 where round trips are to be measured [default: the number of processors, but 4 to 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "\
The server has to send each text or binary message back as it came, on the path of the URL, up to 16 MiB. Where it offers
no compression, the cases of sections 12 and 13 are UNIMPLEMENTED, which is no failure unless --fail-on says so.

Exit status:
  0  all as wanted
  1  a case fell short, by --fail-on or --expected
  2  the run could not be made or finished: the server cannot be connected to, speaks no WebSocket or has died, the run was
     interrupted (SIGINT, SIGTERM), the arguments are wrong. The reports have what was finished

Examples:
  ws-autobahn fuzzing-client --url ws://127.0.0.1:9001/
  ws-autobahn fuzzing-client --url ws://127.0.0.1:9001/ --cases '1.*,7.*' --exclude 7.1.6 --out /tmp/reports
  ws-autobahn fuzzing-client --url ws://127.0.0.1:9001/ --beyond --expected expected.toml --quiet
  ws-autobahn fuzzing-client --spec fuzzingclient.json

expected.toml has an entry for all cases that are not OK for the same reason; close is what the reports call behaviorClose:
  [[expect]]
  cases = ['6.4.*']
  behavior = 'NON-STRICT'
  close = 'OK'
  reason = 'text is checked when a frame is complete'";

/// Tests servers, one after the other.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let plan = Plan::new(&options.common, "reports/servers", Case::tests_servers)?;
    let mut servers = Vec::new();
    for server in options.servers(plan.spec.as_ref())? {
        let mut endpoint =
            Endpoint::new(&server.url, server.hostname.as_deref()).map_err(anyhow::Error::msg)?;
        endpoint.target.origin.clone_from(&server.origin);
        endpoint.target.protocols.clone_from(&server.protocols);
        servers.push((server, endpoint));
    }
    let mut report = Report::new();
    let mut troubles = Vec::new();
    let mut stop = Stop::new()?;
    for (server, endpoint) in servers {
        let settings = options.settings(&plan, &server, &endpoint);
        let agent = settings.agent.as_deref().unwrap_or_default();
        let excluded = |case: &Arc<Case>| {
            plan.spec.as_ref().is_some_and(|spec| spec.excludes(agent, &case.id.to_string()))
        };
        let cases: Vec<_> = plan.cases.iter().filter(|case| !excluded(case)).cloned().collect();
        let (total, mut done) = (cases.len(), 0);
        let progress = Progress::new(total, options.common.quiet);
        let testing = fuzzing_client::run(endpoint, cases, settings, |result| {
            done += 1;
            progress.done(&result);
            report.add(result);
        });
        let ended = tokio::select! {
            ended = testing => Some(ended),
            () = stop.told() => None,
        };
        progress.clear();
        match ended {
            Some(Ok(())) => {}
            // Another server may be well.
            Some(Err(error)) => troubles.push(anyhow::Error::new(error).context(server.url)),
            None => {
                troubles
                    .push(anyhow!("{}: the run was interrupted after {done} of {total} cases", server.url));
                break;
            }
        }
    }
    Ok(plan.finish(&report, troubles))
}

impl Options {
    /// The servers to test, each with a name of its own in the reports.
    fn servers(&self, spec: Option<&Spec>) -> Result<Vec<Server>> {
        let mut servers = match (&self.url, spec) {
            (Some(url), _) => vec![Server { url: url.clone(), ..Server::default() }],
            (None, spec) => spec.map(|spec| spec.servers.clone()).unwrap_or_default(),
        };
        match (&self.agent, servers.as_mut_slice()) {
            (_, []) => bail!("there is no server to test: the spec file names none, and there is no --url"),
            (None, [_]) => {}
            (Some(agent), [server]) => server.agent = Some(agent.clone()),
            (Some(_), _) => bail!("--agent names one server, and the spec file has {}", servers.len()),
            (None, servers) => {
                for server in servers {
                    server.agent.get_or_insert_with(|| server.url.clone());
                }
            }
        }
        let mut names: Vec<_> = servers.iter().filter_map(|server| server.agent.as_deref()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            bail!(
                "the spec file has two servers with the agent {name:?}; the reports cannot tell them apart"
            );
        }
        Ok(servers)
    }

    fn settings(&self, plan: &Plan, server: &Server, endpoint: &Endpoint) -> fuzzing_client::Options {
        let mut settings = fuzzing_client::Options {
            target: endpoint.target.clone(),
            agent: server.agent.clone(),
            ..fuzzing_client::Options::default()
        };
        if let Some(jobs) = self.jobs {
            settings.jobs = jobs.into();
        }
        if let Some(spec) = &plan.spec {
            settings.timeouts = server.options.change(spec.options.change(settings.timeouts));
        }
        settings
    }
}
