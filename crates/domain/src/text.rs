//! What text may look like where people type it.

use std::ops::RangeInclusive;

use url::{Host, Url};

/// One line of visible text of so many characters, with nothing but spaces around it cut off beforehand.
#[must_use]
pub fn is_line(text: &str, length: RangeInclusive<usize>) -> bool {
    length.contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

/// A name of a person or an org: 1 to 100 characters on one line.
#[must_use]
pub fn is_name(text: &str) -> bool {
    is_line(text, 1..=100)
}

/// An org's short name in addresses: 3 to 40 lower-case letters, digits and single hyphens inside.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// A colour as `#rrggbb`.
#[must_use]
pub fn is_colour(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].chars().all(|c| c.is_ascii_hexdigit())
}

/// An address of a picture that a browser may load: `https`, a public host name, no credentials, the usual port.
///
/// Addresses in numbers are refused in every spelling (the URL parser resolves `0x7f000001` to an IPv4 address).
#[must_use]
pub fn is_picture_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let public_host = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost") && !name.ends_with('.'),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    };
    text.len() <= 500
        && url.scheme() == "https"
        && public_host
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
}

/// An e-mail address as it is kept and compared: trimmed and in lower case.
#[must_use]
pub fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for good in ["acme", "a-b", "123"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "ab", "Acme", "-acme", "acme-", "a--b", "a b", "a_b", "äcme", &"a".repeat(41)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn a_colour_is_ascii() {
        assert!(is_colour("#0aF9c3"));
        for bad in ["", "#12345", "1234567", "#12345g", "#ééé"] {
            assert!(!is_colour(bad), "{bad}");
        }
    }

    #[test]
    fn pictures_come_from_public_hosts_only() {
        assert!(is_picture_url("https://cdn.acme.example/logo.svg"));
        for bad in [
            "http://cdn.acme.example/logo.svg",
            "https://localhost/x",
            "https://a.localhost/x",
            "https://127.0.0.1/x",
            "https://0x7f000001/x",
            "https://2130706433/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://user@acme.example/x",
            "https://acme.example:22/x",
            "javascript:alert(1)",
            "logo.svg",
        ] {
            assert!(!is_picture_url(bad), "{bad}");
        }
    }
}
