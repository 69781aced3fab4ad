//! An extractor for axum.

use super::{Refusal, UpgradeRequest, Upgrades};
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::response::IntoResponse;
use std::net::SocketAddr;
use ws_proto::http::Request;
use ws_proto::http::request::Parts;

/// Takes the request as one for a socket, by the [`Upgrades`] in the router's state; others are refused. Where the service was made with
/// `into_make_service_with_connect_info::<SocketAddr>()`, the address of the peer counts.
impl<S> FromRequestParts<S> for UpgradeRequest
where
    Upgrades: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(addr)| *addr);
        let mut request = Request::new(());
        request.method_mut().clone_from(&parts.method);
        request.uri_mut().clone_from(&parts.uri);
        *request.version_mut() = parts.version;
        std::mem::swap(request.headers_mut(), &mut parts.headers);
        std::mem::swap(request.extensions_mut(), &mut parts.extensions);
        let upgrade = Upgrades::from_ref(state).request(&mut request, peer);
        std::mem::swap(request.headers_mut(), &mut parts.headers);
        std::mem::swap(request.extensions_mut(), &mut parts.extensions);
        upgrade
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.into_response().map(Body::from)
    }
}
