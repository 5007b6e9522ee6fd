//! Which addresses a name may lead to. Checked after resolving: a name on the list can point anywhere (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How far an endpoint's connections may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressReach {
    /// The public internet.
    Public,
    /// Also the practice's own network: `allow_private: true`.
    PrivateToo,
    /// Only the practice's own network: what is not encrypted must not leave Handoff.
    PrivateOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Public,
    /// Loopback, RFC 1918, RFC 6598 and RFC 4193.
    Private,
    /// Link-local (where clouds keep their metadata), multicast, reserved.
    Never,
}

/// A name led only to addresses that its endpoint may not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name resolves to addresses that this endpoint may not reach")]
pub struct Forbidden;

/// Why there is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error("the name does not resolve")]
    Unresolved(#[from] std::io::Error),
}

impl AddressReach {
    pub fn permits(self, address: IpAddr) -> bool {
        match (scope(address), self) {
            (Scope::Public, AddressReach::Public | AddressReach::PrivateToo) => true,
            (Scope::Private, AddressReach::PrivateToo | AddressReach::PrivateOnly) => true,
            (Scope::Public, AddressReach::PrivateOnly) | (Scope::Private, AddressReach::Public) | (Scope::Never, _) => {
                false
            }
        }
    }

    /// The addresses of `host` that may be reached, in the resolver's order.
    ///
    /// # Errors
    /// When the name does not resolve, or to forbidden addresses only.
    pub async fn resolve(self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, port)).await?;
        let permitted: Vec<SocketAddr> = found.filter(|address| self.permits(address.ip())).collect();
        match permitted.is_empty() {
            true => Err(Forbidden.into()),
            false => Ok(permitted),
        }
    }
}

/// The HTTP client's resolver. A host written as an address does not pass here: endpoints check those by themselves.
pub(super) struct Resolver(pub AddressReach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            match reach.resolve(name.as_str(), 0).await {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                // As itself, so that it is found again among the causes of the request's failure.
                Err(NoAddress::Forbidden(forbidden)) => Err(forbidden.into()),
                Err(NoAddress::Unresolved(error)) => Err(error.into()),
            }
        })
    }
}

fn scope(address: IpAddr) -> Scope {
    match address {
        IpAddr::V4(v4) => scope_v4(v4),
        IpAddr::V6(v6) => scope_v6(v6),
    }
}

fn scope_v4(address: Ipv4Addr) -> Scope {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) | (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Scope::Private,
        (0, ..) | (169, 254, _) | (192, 0, 0) | (198, 18..=19, _) | (224.., ..) => Scope::Never,
        _ => Scope::Public,
    }
}

fn scope_v6(address: Ipv6Addr) -> Scope {
    if let Some(v4) = address.to_ipv4_mapped() {
        return scope_v4(v4);
    }
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        scope_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Scope::Private,
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        [0xfc00..=0xfdff, ..] => Scope::Private,
        // Global unicast is 2000::/3; Teredo (RFC 4380) hides where it leads.
        [0x2001, 0, ..] => Scope::Never,
        [0x2000..=0x3fff, ..] => Scope::Public,
        _ => Scope::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_by_where_they_lead() {
        for (address, expected) in [
            ("93.184.216.34", Scope::Public),
            ("172.15.0.1", Scope::Public),
            ("172.32.0.1", Scope::Public),
            ("100.63.0.1", Scope::Public),
            ("127.0.0.1", Scope::Private),
            ("127.9.9.9", Scope::Private),
            ("10.0.0.1", Scope::Private),
            ("172.16.0.1", Scope::Private),
            ("172.31.255.255", Scope::Private),
            ("192.168.1.1", Scope::Private),
            ("100.64.0.1", Scope::Private),
            ("169.254.169.254", Scope::Never),
            ("0.0.0.0", Scope::Never),
            ("224.0.0.1", Scope::Never),
            ("255.255.255.255", Scope::Never),
            ("2606:2800:220:1::1", Scope::Public),
            ("::1", Scope::Private),
            ("fd00::1", Scope::Private),
            ("::ffff:127.0.0.1", Scope::Private),
            ("::ffff:169.254.169.254", Scope::Never),
            ("64:ff9b::7f00:1", Scope::Private),
            ("64:ff9b::a9fe:a9fe", Scope::Never),
            ("2002:a9fe:a9fe::1", Scope::Never),
            ("2002:5db8:d822::1", Scope::Public),
            ("fe80::1", Scope::Never),
            ("ff02::1", Scope::Never),
            ("2001:0:1::1", Scope::Never),
            ("::", Scope::Never),
        ] {
            assert_eq!(scope(address.parse().expect("an address")), expected, "{address}");
        }
    }

    #[test]
    fn reach_says_how_far() {
        let (public, private, never) = ("93.184.216.34", "10.0.0.1", "169.254.169.254");
        for (reach, address, permitted) in [
            (AddressReach::Public, public, true),
            (AddressReach::Public, private, false),
            (AddressReach::PrivateToo, public, true),
            (AddressReach::PrivateToo, private, true),
            (AddressReach::PrivateOnly, public, false),
            (AddressReach::PrivateOnly, private, true),
            (AddressReach::Public, never, false),
            (AddressReach::PrivateToo, never, false),
            (AddressReach::PrivateOnly, never, false),
        ] {
            assert_eq!(reach.permits(address.parse().expect("an address")), permitted, "{reach:?} {address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_forbidden_unless_allowed() {
        let found = AddressReach::Public.resolve("localhost", 80).await;
        assert!(matches!(found, Err(NoAddress::Forbidden(Forbidden))));
        let found = AddressReach::PrivateToo.resolve("localhost", 80).await.expect("resolved");
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        assert!(AddressReach::PrivateOnly.resolve("[::1]", 80).await.is_ok());
    }
}
