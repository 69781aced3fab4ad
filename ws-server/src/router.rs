//! Which handler is for which path.

use crate::{BoxError, Incoming};
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use ws_proto::bytes::Bytes;
use ws_proto::http::{Response, StatusCode};

/// Handlers by path, for servers with more than one. Other paths are answered with 404.
///
/// `{name}` stands for one segment of the path, `{*name}` for the rest of it; [`Incoming::param`] has what stood there, as it was sent:
/// percent-encoding is not undone. A path without one goes before a path with one.
///
/// ```
/// # fn example(server: ws_server::Server) -> Result<(), ws_server::RouteError> {
/// use ws_server::{Acceptance, Router};
///
/// let router = Router::new()
///     .route("/echo", async |incoming| {
///         let mut socket = incoming.accept(Acceptance::default()).await?;
///         while let Some(message) = socket.recv().await? {
///             socket.send(message).await?;
///         }
///         Ok(())
///     })?
///     .route("/rooms/{room}", async |incoming| {
///         let room = incoming.param("room").unwrap_or_default().to_owned();
///         let mut socket = incoming.accept(Acceptance::default()).await?;
///         Ok(socket.send(format!("welcome to {room}")).await?)
///     })?;
/// server.serve(router.into_handler());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Router(matchit::Router<Arc<Handler>>);

type Handler = dyn Fn(Incoming) -> Running + Send + Sync;
type Running = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

impl Router {
    /// Without a path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs this handler for this path.
    ///
    /// # Errors
    /// [`RouteError`]: the path is there already, or cannot be told from one that is, or its braces are not as they should be.
    pub fn route<H, F>(mut self, path: &str, handler: H) -> Result<Self, RouteError>
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let handler: Arc<Handler> = Arc::new(move |incoming| Box::pin(handler(incoming)));
        match self.0.insert(path, handler) {
            Ok(()) => Ok(self),
            Err(error) => Err(RouteError { path: path.into(), error: error.to_string().into() }),
        }
    }

    /// What [`Server::serve`](crate::Server::serve) takes.
    pub fn into_handler(self) -> impl Fn(Incoming) -> Running + Send + Sync + 'static {
        move |mut incoming| {
            let matched = self.0.at(incoming.request().uri().path()).map(|matched| {
                let params = matched.params.iter().map(|(name, value)| (name.into(), value.into()));
                (Arc::clone(matched.value), params.collect())
            });
            match matched {
                Ok((handler, params)) => {
                    incoming.set_params(params);
                    handler(incoming)
                }
                Err(_) => Box::pin(async {
                    let mut response = Response::new(Bytes::from_static(b"there is nothing at this path\n"));
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    Ok(incoming.reject(response).await?)
                }),
            }
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").finish_non_exhaustive()
    }
}

/// What stood for the names of a path.
pub(crate) type Params = HashMap<Box<str>, Box<str>>;

/// A path that cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteError {
    path: Box<str>,
    error: Box<str>,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be routed: {}", self.path, self.error)
    }
}

impl std::error::Error for RouteError {}
