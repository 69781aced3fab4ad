//! How our clients are told on the command line where to go, whatever drives them.

use crate::pem;
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use ws_client::{Client, Config, Proxy, Roots, blocking};

/// How to connect.
#[derive(Args, Clone, Debug)]
pub struct Way {
    /// A file of certificates (PEM): trusts these authorities, and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A proxy to connect through, as SCHEME://USER:PASSWORD@HOST:PORT; the scheme is http, https or socks5, and user and password may be missing
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Does not offer permessage-deflate
    #[arg(long)]
    no_deflate: bool,
    /// tokio, or std sockets that block
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Driver {
    Tokio,
    Sync,
}

/// A client on the driver that was asked for.
#[derive(Debug)]
pub enum Either {
    /// On tokio.
    Tokio(Client),
    /// On std sockets.
    Sync(blocking::Client),
}

/// The settings of both have the same names.
macro_rules! client {
    ($builder:expr, $way:expr) => {{
        let mut builder = $builder.config($way.config()?);
        if let Some(path) = &$way.ca {
            builder = builder.roots(Roots::Added).add_roots(pem::certificates(path)?);
        }
        if let Some(url) = &$way.proxy {
            builder = builder.proxy(Proxy::new(url)?);
        }
        builder.build()
    }};
}

impl Way {
    /// The client that was asked for.
    ///
    /// # Errors
    /// A file or a URL is wrong.
    pub fn client(&self) -> Result<Either> {
        Ok(match self.driver {
            Driver::Tokio => Either::Tokio(client!(Client::builder(), self)),
            Driver::Sync => Either::Sync(client!(blocking::Client::builder(), self)),
        })
    }

    fn config(&self) -> Result<Config> {
        let config = Config::builder();
        #[cfg(feature = "deflate")]
        let config = if self.no_deflate { config.deflate(None) } else { config };
        #[cfg(not(feature = "deflate"))]
        let _never_compressed = self.no_deflate;
        Ok(config.build()?)
    }
}
