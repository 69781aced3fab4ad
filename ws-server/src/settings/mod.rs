//! The settings of a server from a file or the environment.

mod drain;
mod error;
mod listen;
mod value;

pub use error::SettingsError;
pub use listen::Listeners;

use crate::{Config, IpNet, MemoryBudget, Origins, Server, ServerBuilder};
use drain::DrainSettings;
use listen::TlsFiles;
use serde::Deserialize;
use std::ffi::OsString;
use std::fmt;
use std::time::Duration;
use value::Every;

/// The settings of a server from TOML, the environment or any other format of `serde`: everything of [`ServerBuilder`] and [`Config`] that is
/// no code, with the same names and defaults, and what to listen on.
///
/// | field | value |
/// |---|---|
/// | `listen` | list of `ws://address:port`, `wss://address:port` (with `tls`), `unix:/path`, `inherited` |
/// | `tls.certificate`, `tls.key` | files (PEM) |
/// | `tls.others` | list of further `{ certificate, key }`, chosen by the name that a client asks for |
/// | `tls.client_authorities` | a file (PEM); asks clients for a certificate |
/// | `tls.clients_must` | `true` lets nobody in without one |
/// | `origins` | list of origins; `same` stands for the server's own, `any` for all |
/// | `hosts`, `trusted_proxies` | lists |
/// | `proxy_protocol`, `compression` | `true` or `false` |
/// | `max_connections`, `max_connections_per_address`, `max_handshakes` | numbers |
/// | `memory_budget` | number of bytes |
/// | `max_message_bytes`, `max_frame_bytes`, `max_fragments`, `max_control_frames`, `max_head_bytes`, `max_headers`, `max_send_queue_bytes` | numbers |
/// | `max_lifetime`, `handshake_timeout`, `close_timeout`, `pong_timeout`, `idle_timeout` | such as `"10s"`, `"5m"`, `"1h 30m"` |
/// | `ping_interval` | the same, or `"never"` |
/// | `drain.grace`, `drain.spread` | such as `"30s"`: how the server stops, by [`drain`](Self::drain); 10 s of grace by default |
/// | `drain.restarts` | `true` says 1012 then |
///
/// A field that is not there has the default of its setter; one that is not known is an error.
///
/// ```
/// # async fn example() -> Result<(), ws_server::SettingsError> {
/// use ws_server::Settings;
///
/// let text = r#"
///     listen = ["ws://127.0.0.1:9001", "unix:/run/chat.sock"]
///     origins = ["same", "https://app.example.com"]
///     max_connections = 20000
///     idle_timeout = "10m"
/// "#;
/// // CHAT_MAX_CONNECTIONS=30000 would go before what the text says, and CHAT_TLS__KEY is `key` of `tls`.
/// let settings = Settings::from_toml_and_vars(text, "CHAT_", std::env::vars_os())?;
/// let server = settings.bind().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    #[serde(deserialize_with = "value::list")]
    listen: Vec<String>,
    tls: Option<TlsFiles>,
    #[serde(deserialize_with = "value::some_list")]
    origins: Option<Vec<String>>,
    #[serde(deserialize_with = "value::some_list")]
    hosts: Option<Vec<String>>,
    #[serde(deserialize_with = "value::list")]
    trusted_proxies: Vec<String>,
    proxy_protocol: bool,
    compression: bool,
    max_connections: Option<usize>,
    max_connections_per_address: Option<usize>,
    max_handshakes: Option<usize>,
    memory_budget: Option<usize>,
    max_message_bytes: Option<usize>,
    max_frame_bytes: Option<usize>,
    max_fragments: Option<usize>,
    max_control_frames: Option<u32>,
    max_head_bytes: Option<usize>,
    max_headers: Option<usize>,
    max_send_queue_bytes: Option<usize>,
    #[serde(deserialize_with = "value::duration")]
    max_lifetime: Option<Duration>,
    #[serde(deserialize_with = "value::duration")]
    handshake_timeout: Option<Duration>,
    #[serde(deserialize_with = "value::duration")]
    close_timeout: Option<Duration>,
    #[serde(deserialize_with = "value::every")]
    ping_interval: Option<Every>,
    #[serde(deserialize_with = "value::duration")]
    pong_timeout: Option<Duration>,
    #[serde(deserialize_with = "value::duration")]
    idle_timeout: Option<Duration>,
    drain: DrainSettings,
}

impl Settings {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`SettingsError`] names the line or the field.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        Self::from_toml_and_vars(text, "", std::iter::empty::<(OsString, OsString)>())
    }

    /// Reads TOML, which may be empty, and then those of the variables whose name begins with `prefix`: what follows it is the field, with `__`
    /// before a field of a field, and lists have commas between. What a variable says goes before the text. An empty prefix takes none. Those of
    /// the process are [`std::env::vars_os`]; variables whose names are not Unicode are nobody's.
    ///
    /// # Errors
    /// [`SettingsError`] names the line or the field.
    pub fn from_toml_and_vars(
        text: &str,
        prefix: &str,
        vars: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Result<Self, SettingsError> {
        let mut table: toml::Table = text.parse().map_err(|error| SettingsError::syntax(text, &error))?;
        for (name, value) in vars {
            let Ok(name) = name.into().into_string() else { continue };
            match name.strip_prefix(prefix) {
                Some(field) if !prefix.is_empty() && !field.is_empty() => {
                    let value = value.into().into_string().map_err(|value| SettingsError::Field {
                        field: field.into(),
                        value: Some(value.display().to_string().into()),
                        error: "it is not Unicode".into(),
                    })?;
                    value::set(&mut table, &field.to_ascii_lowercase(), value);
                }
                Some(_) | None => {}
            }
        }
        serde_path_to_error::deserialize(toml::Value::Table(table.clone())).map_err(|error| {
            let field = error.path().to_string();
            // The types of this crate are nobody's business who writes settings.
            let message = error.inner().message();
            let message = message.replace("expected usize", NUMBER).replace("expected u32", NUMBER);
            let value = value::shown(&table, &field);
            SettingsError::Field { field: field.into(), value: value.map(Into::into), error: message.into() }
        })
    }

    /// Everything but what to listen on; add your hooks to it.
    ///
    /// # Errors
    /// [`SettingsError`] names the field.
    pub fn builder(&self) -> Result<ServerBuilder, SettingsError> {
        self.contradictions()?;
        self.drain.check()?;
        let mut builder = Server::builder()
            .config(self.config()?)
            .origins(self.origins()?)
            .trusted_proxies(self.trusted_proxies()?)
            .proxy_protocol(self.proxy_protocol);
        if let Some(hosts) = &self.hosts {
            builder = builder.hosts(hosts.iter().map(String::as_str));
        }
        if let Some(limit) = self.max_connections {
            builder = builder.max_connections(limit);
        }
        if let Some(limit) = self.max_connections_per_address {
            builder = builder.max_connections_per_address(limit);
        }
        if let Some(limit) = self.max_handshakes {
            builder = builder.max_handshakes(limit);
        }
        if let Some(bytes) = self.memory_budget {
            builder = builder.memory_budget(MemoryBudget::new(bytes));
        }
        if let Some(lifetime) = self.max_lifetime {
            builder = builder.max_lifetime(lifetime);
        }
        builder.check()?;
        Ok(builder)
    }

    /// Checks all of it, and listens.
    ///
    /// # Errors
    /// [`SettingsError`] names the field, or why it cannot listen.
    pub async fn bind(&self) -> Result<Server, SettingsError> {
        let builder = self.builder()?;
        Ok(builder.listeners(self.listen().await?.listeners)?)
    }

    /// Where two settings cannot both be meant.
    fn contradictions(&self) -> Result<(), SettingsError> {
        let at_most = |(lesser, value): (&'static str, Option<usize>),
                       (greater, limit): (&'static str, Option<usize>)| {
            match (value, limit) {
                (Some(value), Some(limit)) if value > limit => {
                    Err(SettingsError::Contradiction { lesser, value, greater, limit })
                }
                _ => Ok(()),
            }
        };
        let connections = ("max_connections", self.max_connections);
        at_most(("max_connections_per_address", self.max_connections_per_address), connections)?;
        at_most(("max_handshakes", self.max_handshakes), connections)?;
        let message = ("max_message_bytes", self.max_message_bytes);
        at_most(("max_frame_bytes", self.max_frame_bytes), message)?;
        at_most(message, ("memory_budget", self.memory_budget))
    }

    fn config(&self) -> Result<Config, SettingsError> {
        let mut config = Config::builder();
        macro_rules! set {
            ($($name:ident),*) => {
                $(if let Some(value) = self.$name {
                    config = config.$name(value);
                })*
            };
        }
        set!(
            max_message_bytes,
            max_frame_bytes,
            max_fragments,
            max_control_frames,
            max_head_bytes,
            max_headers
        );
        set!(max_send_queue_bytes, handshake_timeout, close_timeout, pong_timeout);
        if let Some(Every(interval)) = self.ping_interval {
            config = config.ping_interval(interval);
        }
        config = config.idle_timeout(self.idle_timeout);
        #[cfg(feature = "deflate")]
        if !self.compression {
            config = config.deflate(None);
        }
        #[cfg(not(feature = "deflate"))]
        let _never_compressed = self.compression;
        config.build().map_err(SettingsError::Config)
    }

    fn origins(&self) -> Result<Origins, SettingsError> {
        let Some(words) = &self.origins else { return Ok(Origins::same()) };
        let (same, listed): (Vec<_>, Vec<_>) =
            words.iter().map(String::as_str).partition(|word| *word == "same");
        if listed == ["any"] && same.is_empty() {
            return Ok(Origins::any());
        }
        if listed.contains(&"any") {
            return Err(SettingsError::Value {
                field: "origins",
                value: words.join(", ").into(),
                advice: "\"any\" lets all others in as well: write it alone, or leave it out".into(),
            });
        }
        let origins = Origins::listed(listed).map_err(SettingsError::Origin)?;
        Ok(if same.is_empty() { origins } else { origins.or_same() })
    }

    fn trusted_proxies(&self) -> Result<Vec<IpNet>, SettingsError> {
        let network = |text: &String| {
            text.parse().map_err(|_| SettingsError::Value {
                field: "trusted_proxies",
                value: text.as_str().into(),
                advice: "write a network such as 10.0.0.0/8, and one address as 10.0.0.7/32".into(),
            })
        };
        self.trusted_proxies.iter().map(network).collect()
    }
}

const NUMBER: &str = "expected a whole number";

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls: None,
            origins: None,
            hosts: None,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            compression: true,
            max_connections: None,
            max_connections_per_address: None,
            max_handshakes: None,
            memory_budget: None,
            max_message_bytes: None,
            max_frame_bytes: None,
            max_fragments: None,
            max_control_frames: None,
            max_head_bytes: None,
            max_headers: None,
            max_send_queue_bytes: None,
            max_lifetime: None,
            handshake_timeout: None,
            close_timeout: None,
            ping_interval: None,
            pong_timeout: None,
            idle_timeout: None,
            drain: DrainSettings::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("listen", &self.listen).finish_non_exhaustive()
    }
}
