//! The command line.

use clap::Parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use ws_client::proto::http::{HeaderName, HeaderValue};

/// The command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "wscat",
    about = "Talks to a WebSocket server, line by line",
    after_long_help = MORE,
    max_term_width = 110
)]
pub struct Options {
    /// Where to connect to: ws://… or wss://…
    pub(super) url: String,

    /// Adds a header to the opening request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Offers a subprotocol; may be repeated, the preferred first
    #[arg(short = 's', long = "subprotocol", value_name = "NAME")]
    pub(super) subprotocols: Vec<String>,
    /// Sends this Origin, as a page would
    #[arg(short, long, value_name = "URL")]
    pub(super) origin: Option<String>,
    /// Logs in with user and password (basic); without a password, it is taken from WSCAT_PASSWORD
    #[arg(short, long, value_name = "USER[:PASSWORD]")]
    pub(super) user: Option<String>,
    /// Logs in with the token in WSCAT_TOKEN (bearer)
    #[arg(long, conflicts_with = "user")]
    pub(super) bearer: bool,
    /// Follows so many redirects; credentials do not leave their origin
    #[arg(short = 'L', long, value_name = "N", default_value_t = 0)]
    pub(super) redirects: u8,
    /// Does not offer compression (permessage-deflate)
    #[arg(long)]
    pub(super) no_compression: bool,

    /// Connects through a proxy, as SCHEME://USER:PASSWORD@HOST:PORT; the scheme is http, https or socks5, and user and password may be
    /// missing. Otherwise the usual environment variables decide
    #[arg(short = 'x', long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// Connects directly, whatever the environment variables say
    #[arg(long, conflicts_with = "proxy")]
    pub(super) no_proxy: bool,

    /// Trusts the authorities in this file (PEM), and no others
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Shows the server this certificate (PEM, with those between it and its authority)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// Accepts ANY certificate: whoever is on the way can read and change everything. For test servers only
    #[arg(long, conflicts_with = "ca")]
    pub(super) insecure: bool,

    /// Gives up when connecting takes longer
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub(super) connect_timeout: Duration,
    /// Pings after so long a silence, and takes the connection for lost when nothing comes back for as long
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "20")]
    pub(super) ping_interval: Duration,
    /// The longest message that is taken
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub(super) max_message_bytes: usize,

    /// Sends lines as binary messages
    #[arg(short, long)]
    pub(super) binary: bool,
    /// Shows JSON over several lines
    #[arg(short, long, conflicts_with = "raw")]
    pub(super) json: bool,
    /// Writes messages as they are: no line breaks between them, binary as bytes
    #[arg(long)]
    pub(super) raw: bool,
    /// Tells what was agreed on, and shows pings and pongs
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Obeys commands in standard input too, where it is no terminal
    #[arg(long)]
    pub(super) commands: bool,
    /// Sends this as a first message; may be repeated
    #[arg(short, long = "message", value_name = "TEXT")]
    pub(super) messages: Vec<String>,
    /// Ends when so many messages came
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) exit_after: Option<NonZeroUsize>,
    /// Goes on receiving for so long behind the end of standard input
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) wait: Option<Duration>,
    /// Neither reads nor writes the history of lines
    #[arg(long)]
    pub(super) no_history: bool,
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| "the name of the header is no token")?;
    let mut value: HeaderValue = value
        .trim()
        .parse()
        .map_err(|_| "the value of the header has characters that a header cannot have")?;
    // It may be a credential.
    value.set_sensitive(true);
    Ok((name, value))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "this is no number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "this is no time to wait".to_owned())
}

const MORE: &str = "\
On a terminal, what is typed is sent line by line, and what comes is shown above the prompt. A line that begins with a slash is a
command; /help shows them: /text, /binary, /hex 00ff, /ping, /close 1000 bye, /info, /quit. Ctrl-D closes. Lines are remembered
below XDG_STATE_HOME, but for those that begin with a space.

Where standard input is no terminal, each of its lines is a message, whatever it begins with (--commands changes that). At its end
the connection is closed: at once, or when --exit-after or --wait says so. What the server sends until then is still shown.
Messages go to standard output, one a line (binary as hexadecimal digits); everything else goes to standard error.

Exit status:
  0  the connection was closed as both ends wanted
  1  there was no connection: the reason is on standard error
  2  the command line, or a file that it names, is wrong
  3  the connection was lost, or one end broke a rule
  4  the server closed with a code that tells of a fault: any but 1000, 1001 and none
  5  fewer messages came than --exit-after wanted

Environment:
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY   the way to the server
  WSCAT_TOKEN, WSCAT_PASSWORD                    what --bearer and --user log in with
  NO_COLOR                                       no colours

Examples:
  wscat wss://echo.example.com/
  wscat -v -s chat.v2 -H 'X-Room: 7' --user ada wss://chat.example.com/
  echo '{\"op\":\"status\"}' | wscat -j -n 1 ws://localhost:9001/api
  wscat --json --wait 60 wss://feed.example.com/ </dev/null
  wscat -x socks5://localhost:1080 --ca test-ca.pem wss://intern.example.com/
  printf '/ping\\n/close 4000 done\\n' | wscat --commands -w 1 ws://localhost:9001/";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_its_help_tells_everything() {
        Options::command().debug_assert();
        let help = Options::command().render_long_help().to_string();
        for told in
            ["Exit status:", "WSCAT_TOKEN", "NO_COLOR", "Examples:", "/hex", "--exit-after", "--insecure"]
        {
            assert!(help.contains(told), "{told}");
        }
    }

    #[test]
    fn headers_and_seconds_are_read_as_people_write_them() {
        let (name, value) = header("X-Room: a:b").unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-room", &b"a:b"[..]));
        assert!(!format!("{value:?}").contains("a:b"));
        for wrong in ["none", "a b: c", "a: \u{7f}"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err() && seconds("soon").is_err());
    }
}
