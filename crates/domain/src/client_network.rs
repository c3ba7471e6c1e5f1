//! The network of a client, by which failed sign-ins are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The IPv4 address, or the /64 network of the IPv6 address: one customer has at least that many
/// IPv6 addresses, and hosts change theirs within it (RFC 8981).
#[must_use]
pub fn client_network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX));
            format!("{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_a_network_are_one_client() {
        for (ip, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
            ("2001:db8:0:7:ffff:2:3:4", "2001:db8:0:7::/64"),
            ("2001:db8:0:8::1", "2001:db8:0:8::/64"),
            ("::1", "::/64"),
        ] {
            let ip = ip.parse().expect("an address");
            assert_eq!(client_network(ip), expected, "{ip}");
        }
    }
}
