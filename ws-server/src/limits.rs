//! How many connections there may be, and for how long.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use ws_proto::Entropy;
use ws_tokio::MemoryBudget;

/// How many connections there may be, and for how long; see the builder for what each means.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: Option<usize>,
    pub(crate) max_handshakes: usize,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) memory_budget: Option<MemoryBudget>,
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    pub(crate) entropy: Entropy,
}

impl Limits {
    pub(crate) fn new(entropy: Entropy) -> Self {
        Self {
            max_connections: 65_536,
            max_connections_per_address: Some(1_024),
            max_handshakes: 1_024,
            max_lifetime: None,
            memory_budget: None,
            trusted_proxies: Vec::new(),
            entropy,
        }
    }

    /// How long a connection may live: up to a tenth less than the setting, at random, so that connections that began together do not end
    /// together.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        let max = self.max_lifetime?;
        let mut random = [0; 4];
        self.entropy.fill(&mut random);
        let share = f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX);
        Some(max.mul_f64(1.0 - share / 10.0))
    }

    /// Does this address belong to a proxy whose word is taken?
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    /// As whom to count connections of this address, and how many there may be; `None` where they are not limited.
    pub(crate) fn of_address(&self, address: IpAddr) -> Option<(AddressKey, usize)> {
        let limit = self.max_connections_per_address?;
        if address.to_canonical().is_loopback() || self.trusts(address) {
            return None;
        }
        Some((AddressKey::of(address), limit))
    }
}

/// An address as it is counted: IPv6 by its first 64 bits, for whoever has one address there has all others of the network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AddressKey {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl AddressKey {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(octets) => IpAddr::from(*octets).fmt(f),
            Self::V6([a, b, c, d, e, g, h, i]) => {
                let address = Ipv6Addr::from([*a, *b, *c, *d, *e, *g, *h, *i, 0, 0, 0, 0, 0, 0, 0, 0]);
                write!(f, "{address}/64")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(Entropy::os())
    }

    #[test]
    fn addresses_of_ipv6_count_by_their_network_and_mapped_ones_as_ipv4() {
        let key = |address: &str| AddressKey::of(address.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:0:0:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(format!("{:?}", key("2001:db8::1")), "2001:db8::/64");
    }

    #[test]
    fn this_machine_and_trusted_proxies_are_not_limited() {
        let mut limits = limits();
        limits.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let limited = |address: &str| limits.of_address(address.parse().unwrap()).is_some();
        assert!(
            !limited("127.0.0.1") && !limited("::1") && !limited("10.1.2.3") && !limited("::ffff:10.1.2.3")
        );
        assert!(limited("192.0.2.1") && limited("2001:db8::1"));
    }

    #[test]
    fn lifetimes_are_spread_over_their_last_tenth() {
        let mut limits = limits();
        assert_eq!(limits.lifetime(), None);
        limits.max_lifetime = Some(Duration::from_secs(100));
        let lifetimes: Vec<_> = (0..100).filter_map(|_| limits.lifetime()).collect();
        let within = Duration::from_secs(90)..=Duration::from_secs(100);
        assert!(lifetimes.iter().all(|lifetime| within.contains(lifetime)));
        let (first, last) = (lifetimes.iter().min(), lifetimes.iter().max());
        assert!(first < Some(&Duration::from_secs(93)) && last > Some(&Duration::from_secs(97)));
    }
}
