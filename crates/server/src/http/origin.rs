//! Where a request comes from: the public listener with its peer's address, or the operator's Unix socket.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Put into every request's extensions by the listener that took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The public listener; the peer's address.
    Public(IpAddr),
    /// The operator's socket in the data directory.
    Operator,
}

impl Origin {
    /// The client's address: the peer's, or what a trusted peer says in `X-Forwarded-For`, read from the right up to the
    /// first address that is not trusted itself.
    pub(crate) fn client(self, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
        let Self::Public(peer) = self else { return None };
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let mut client = peer.to_canonical();
        if !is_trusted(&client) {
            return Some(client);
        }
        let values = headers.get_all(FORWARDED_FOR).iter().rev().filter_map(|value| value.to_str().ok());
        for hop in values.flat_map(|value| value.rsplit(',')) {
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !is_trusted(&client) {
                break;
            }
        }
        Some(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &str) -> String {
        let trusted = ["127.0.0.0/8".parse().expect("a network")];
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().expect("a header"));
        let origin = Origin::Public(peer.parse().expect("an address"));
        origin.client(&headers, &trusted).expect("an address").to_string()
    }

    #[test]
    fn forwarded_addresses_count_from_trusted_peers_only() {
        assert_eq!(client("127.0.0.1", "10.0.0.1"), "10.0.0.1");
        assert_eq!(client("203.0.113.5", "10.0.0.1"), "203.0.113.5");
        assert_eq!(client("127.0.0.1", "1.1.1.1, 10.0.0.1, 127.0.0.2"), "10.0.0.1");
        assert_eq!(client("127.0.0.1", "1.1.1.1, nonsense"), "127.0.0.1");
        assert_eq!(client("::ffff:127.0.0.1", "10.0.0.1"), "10.0.0.1");
    }
}
