//! Pages on what people want of a client, with a snippet for each thing. The overview with all defaults is `docs/CLIENT.md` of the repository.

#[cfg(feature = "blocking")]
#[doc = include_str!("../docs/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../docs/proxies.md")]
pub mod proxies {}

#[doc = include_str!("../docs/reconnecting.md")]
pub mod reconnecting {}

#[doc = include_str!("../docs/streaming.md")]
pub mod streaming {}

#[cfg(feature = "tls")]
#[doc = include_str!("../docs/tls.md")]
pub mod tls {}
