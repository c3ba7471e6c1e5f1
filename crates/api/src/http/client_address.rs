//! The client's IP address, behind any number of trusted proxies.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicI64, Ordering},
};

use actix_web::http::header::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::forwarded::{Hop, Unreadable, newest_first};
use crate::config::Server;

/// The headers in which most proxies write the client's address.
const COMMON: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// The client's IP address: that of the peer, or behind a trusted proxy the rightmost address in
/// the configured header that is not a trusted proxy.
///
/// None if the proxy wrote an element without a readable address, or only another header. The
/// clients behind such a proxy are not one client: counted as the proxy, any of them could lock out
/// all others. Addresses left of that element were sent by the client and prove nothing.
pub fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    server: &Server,
    warnings: &Warnings,
    now: DateTime<Utc>,
) -> Option<IpAddr> {
    match find(peer, headers, &server.client_address_header, &server.trusted_proxies) {
        Ok(address) => Some(address),
        Err(fault) => {
            warnings.log(fault, &server.client_address_header, peer, now);
            None
        }
    }
}

/// A proxy that is not configured as the server expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unreadable(Unreadable),
    /// The proxy sends another header than the configured one.
    OtherHeader,
}

fn find(
    peer: IpAddr,
    headers: &HeaderMap,
    header: &str,
    proxies: &[IpNet],
) -> Result<IpAddr, Fault> {
    let is_trusted = |ip: &IpAddr| proxies.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return Ok(peer);
    }
    let mut last = peer;
    for hop in newest_first(headers, header) {
        match hop {
            Hop::Address(ip) if is_trusted(&ip) => last = ip,
            Hop::Address(ip) => return Ok(ip),
            Hop::Unreadable(reason) => return Err(Fault::Unreadable(reason)),
        }
    }
    let sends_other = !headers.contains_key(header)
        && COMMON.iter().any(|other| *other != header && headers.contains_key(*other));
    if sends_other { Err(Fault::OtherHeader) } else { Ok(last) }
}

/// Warnings about proxies: each kind at most once an hour, because all requests have the same
/// fault.
#[derive(Debug, Default)]
pub struct Warnings {
    /// Times of the last warnings, in seconds since 1970.
    last: [AtomicI64; 4],
}

impl Warnings {
    fn log(&self, fault: Fault, header: &str, peer: IpAddr, now: DateTime<Utc>) {
        let (kind, reason) = match fault {
            Fault::Unreadable(Unreadable::Unknown) => {
                (0, "the proxy sends `unknown`: configure it to send the address")
            }
            Fault::Unreadable(Unreadable::Obfuscated) => {
                (1, "the proxy sends an obfuscated identifier: configure it to send the address")
            }
            Fault::Unreadable(Unreadable::Malformed) => {
                (2, "the header is malformed: correct the configuration of the proxy")
            }
            Fault::OtherHeader => {
                (3, "the proxy sends another header: set server.client_address_header to it")
            }
        };
        let (last, now) = (&self.last[kind], now.timestamp());
        let earlier = last.load(Ordering::Relaxed);
        let is_due = earlier == 0 || now - earlier >= TimeDelta::hours(1).num_seconds();
        // Of concurrent requests, one logs the warning.
        if is_due
            && last.compare_exchange(earlier, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            tracing::warn!(
                %peer, header, reason,
                "client address unknown: recorded as null, only the limit per account applies"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn find_in(peer: &str, header: &str, sent: &[(&'static str, &str)]) -> Result<String, Fault> {
        let proxies = ["10.0.0.0/8".parse().expect("a network")];
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(HeaderName::from_static(name), value);
        }
        let peer = peer.parse().expect("an address");
        find(peer, &headers, header, &proxies).map(|ip| ip.to_string())
    }

    #[test]
    fn headers_count_only_from_trusted_proxies() {
        const XFF: &str = "x-forwarded-for";
        for (peer, sent, expected) in [
            ("192.0.2.1", &[(XFF, "203.0.113.9")][..], "192.0.2.1"),
            ("10.0.0.1", &[(XFF, "203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "198.51.100.1, 203.0.113.9:80, 10.0.0.2")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "198.51.100.1"), (XFF, "203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "10.0.0.3, ::ffff:10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(XFF, "unknown, 203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[("forwarded", "for=198.51.100.1"), (XFF, "203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(find_in(peer, XFF, sent).as_deref(), Ok(expected), "{peer} {sent:?}");
        }
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let both = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "For=\"203.0.113.9:80\"")];
        assert_eq!(find_in("10.0.0.1", "forwarded", &both).as_deref(), Ok("203.0.113.9"));
        assert_eq!(
            find_in("10.0.0.1", "forwarded", &both[..1]),
            Err(Fault::OtherHeader),
            "a client could have sent the other header"
        );
    }

    #[test]
    fn unreadable_addresses_are_unknown() {
        for (value, reason) in [
            ("203.0.113.9, unknown", Unreadable::Unknown),
            ("203.0.113.9, _x", Unreadable::Obfuscated),
            ("203.0.113.9, nonsense, 10.0.0.2", Unreadable::Malformed),
        ] {
            assert_eq!(
                find_in("10.0.0.1", "x-forwarded-for", &[("x-forwarded-for", value)]),
                Err(Fault::Unreadable(reason)),
                "{value}"
            );
        }
    }
}
