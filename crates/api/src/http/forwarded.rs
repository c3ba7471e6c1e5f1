//! Addresses in the headers of proxies: `X-Forwarded-For` and its relatives, and `Forwarded`
//! (RFC 7239).

use std::net::{IpAddr, Ipv6Addr};

use actix_web::http::header::{HeaderMap, HeaderValue};

/// Element of the header: a client or proxy on the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    Address(IpAddr),
    /// No address can be read from it.
    Unreadable(Unreadable),
}

/// Reason that an element has no readable address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// `unknown` (RFC 7239, 6.2).
    Unknown,
    /// An obfuscated identifier such as `_a1b2` (RFC 7239, 6.3).
    Obfuscated,
    Malformed,
}

/// The elements of a header, the newest first. All headers of this name form one list.
///
/// Lists are split at every comma, and elements of `Forwarded` at every semicolon, even between
/// quotes: no address contains one, and a quote that a client leaves open must not swallow the
/// element that the proxy appends. Elements are decoded one by one for the same reason.
pub fn newest_first<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = Hop> + 'h {
    let parse = if name.eq_ignore_ascii_case("forwarded") { parse_forwarded } else { parse_node };
    let values: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
    values.into_iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')).filter_map(
        move |element| match std::str::from_utf8(element).map(str::trim) {
            // Empty elements are ignored (RFC 9110, 5.6.1).
            Ok("") => None,
            Ok(element) => Some(parse(element)),
            Err(_) => Some(Hop::Unreadable(Unreadable::Malformed)),
        },
    )
}

/// The address of an element such as `for="[2001:db8::1]:4711";proto=https`.
fn parse_forwarded(element: &str) -> Hop {
    let mut nodes = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    match (nodes.next(), nodes.next()) {
        (Some(node), None) => parse_node(node),
        _ => Hop::Unreadable(Unreadable::Malformed),
    }
}

/// A node: an address in one of the forms that proxies write, with or without a port.
fn parse_node(node: &str) -> Hop {
    let quoted = node.strip_prefix('"').and_then(|node| node.strip_suffix('"'));
    let node = quoted.unwrap_or(node).trim();
    let name = node.split_once(':').map_or(node, |(name, _)| name);
    match parse_address(node) {
        Some(address) => Hop::Address(address.to_canonical()),
        None if name.eq_ignore_ascii_case("unknown") => Hop::Unreadable(Unreadable::Unknown),
        None if name.starts_with('_') => Hop::Unreadable(Unreadable::Obfuscated),
        None => Hop::Unreadable(Unreadable::Malformed),
    }
}

fn parse_address(node: &str) -> Option<IpAddr> {
    if let Some(rest) = node.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let has_valid_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return has_valid_port.then(|| parse_ipv6(host)).flatten().map(IpAddr::V6);
    }
    match node.split_once(':') {
        Some((host, port)) if !port.contains(':') => {
            is_port(port).then(|| host.parse().ok()).flatten().map(IpAddr::V4)
        }
        Some(_) => parse_ipv6(node).map(IpAddr::V6),
        None => node.parse().ok().map(IpAddr::V4),
    }
}

/// An IPv6 address with or without a zone (RFC 4007), which has a meaning only to the proxy.
fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    text.split_once('%').map_or(text, |(address, _)| address).parse().ok()
}

/// A port, or an obfuscated one (RFC 7239, 6).
fn is_port(text: &str) -> bool {
    let is_obfuscated = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.parse::<u16>().is_ok() || text.strip_prefix('_').is_some_and(is_obfuscated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderName;

    fn hops(name: &'static str, values: &[&str]) -> Vec<Hop> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            headers.append(HeaderName::from_static(name), value);
        }
        newest_first(&headers, name).collect()
    }

    fn address(text: &str) -> Hop {
        Hop::Address(text.parse().expect("an address"))
    }

    #[test]
    fn all_forms_of_rfc_7239_are_read() {
        for (element, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", address("192.0.2.60")),
            ("For=\"[2001:db8:cafe::17]:4711\"", address("2001:db8:cafe::17")),
            ("proto=https; FOR = \"192.0.2.43:47011\" ;host=a.example", address("192.0.2.43")),
            ("for=\"192.0.2.43:_port\"", address("192.0.2.43")),
            ("for=\"[::ffff:192.0.2.43]\"", address("192.0.2.43")),
            ("for=unknown", Hop::Unreadable(Unreadable::Unknown)),
            ("for=\"Unknown:80\"", Hop::Unreadable(Unreadable::Unknown)),
            ("for=_gazonk", Hop::Unreadable(Unreadable::Obfuscated)),
            ("for=\"_SEVKISEK:_1\"", Hop::Unreadable(Unreadable::Obfuscated)),
            ("proto=https", Hop::Unreadable(Unreadable::Malformed)),
            ("for=192.0.2.1;for=192.0.2.2", Hop::Unreadable(Unreadable::Malformed)),
            ("192.0.2.1", Hop::Unreadable(Unreadable::Malformed)),
            ("for=\"192.0.2.1:99999\"", Hop::Unreadable(Unreadable::Malformed)),
        ] {
            assert_eq!(hops("forwarded", &[element]), [expected], "{element}");
        }
    }

    #[test]
    fn clients_cannot_hide_the_element_of_the_proxy() {
        for sent in ["\"", "for=\"", "for=\"\\", "\u{e9}", ";;=", ",", "for=1.2.3.4;x=\"a"] {
            let line = format!("{sent}, for=203.0.113.9");
            assert_eq!(hops("forwarded", &[&line])[0], address("203.0.113.9"), "{sent}");
            let line = format!("{sent}, 203.0.113.9");
            assert_eq!(
                hops("x-forwarded-for", &[sent, &line])[0],
                address("203.0.113.9"),
                "{sent}"
            );
        }
    }

    /// Every address is read in every form, whatever a client sends before it.
    #[test]
    fn every_address_is_read_in_every_form() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..2_000 {
            let v6 = Ipv6Addr::from_bits(u128::from(random()) << 64 | u128::from(random()));
            let (v4, port) =
                (v6.to_ipv4().unwrap_or_else(|| [192, 0, 2, 7].into()), random() % 65_536);
            let noise: String = random()
                .to_le_bytes()
                .map(|byte| char::from(byte | 0x20))
                .iter()
                .filter(|c| !c.is_control())
                .collect();
            for (node, expected) in [
                (v4.to_string(), IpAddr::V4(v4)),
                (format!("{v4}:{port}"), IpAddr::V4(v4)),
                (v6.to_string(), IpAddr::V6(v6)),
                (format!("[{v6}]"), IpAddr::V6(v6)),
                (format!("[{v6}]:{port}"), IpAddr::V6(v6)),
                (format!("\"[{v6}%eth0]:{port}\""), IpAddr::V6(v6)),
            ] {
                let expected = Hop::Address(expected.to_canonical());
                let line = format!("{noise},{node} ,");
                assert_eq!(hops("x-real-ip", &[&line])[0], expected, "{line}");
                let line = format!("{noise}, by=_x;for={node}");
                assert_eq!(hops("forwarded", &[&line])[0], expected, "{line}");
            }
        }
    }
}
