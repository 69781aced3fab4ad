//! What the opening handshake settled.

use crate::Role;
#[cfg(feature = "deflate")]
use crate::deflate::DeflateParams;
use crate::handshake::Subprotocol;

/// What the opening handshake settled: who we are, the subprotocol and the extensions. A [`Connection`](crate::Connection) starts from it.
#[derive(Clone, Debug)]
pub struct Negotiated {
    role: Role,
    subprotocol: Option<Subprotocol>,
    #[cfg(feature = "deflate")]
    deflate: Option<DeflateParams>,
}

impl Negotiated {
    /// Neither subprotocol nor extension. Use it directly where the handshake was done elsewhere (an HTTP framework, a tunnel).
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            subprotocol: None,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Sets the subprotocol that both ends agreed on (§1.9).
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocol = Some(subprotocol);
        self
    }

    /// Sets the parameters of permessage-deflate that both ends agreed on (RFC 7692 §7.1).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn with_deflate(mut self, params: DeflateParams) -> Self {
        self.deflate = Some(params);
        self
    }

    /// The end that we are.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The subprotocol, when one was agreed on.
    #[must_use]
    pub const fn subprotocol(&self) -> Option<&Subprotocol> {
        self.subprotocol.as_ref()
    }

    /// The parameters of permessage-deflate, when it was agreed on.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(&self) -> Option<&DeflateParams> {
        self.deflate.as_ref()
    }
}
