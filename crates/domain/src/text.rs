//! Validation of text input.

mod character;
mod joiner;
mod line;

use url::{Host, Url};

pub use line::{BadText, check_characters, line, normalized};

/// Name of a user or an org: 1 to 100 characters on one line. Returns it trimmed and in NFC.
pub fn name(text: &str) -> Result<String, BadText> {
    line(text, 1..=100)
}

/// A color as `#rrggbb`.
#[must_use]
pub fn is_color(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].chars().all(|c| c.is_ascii_hexdigit())
}

/// Top-level domains that are not public (RFC 6761, RFC 6762, and internal domains of clouds).
const PRIVATE_TOPS: [&str; 7] =
    ["", "localhost", "local", "localdomain", "internal", "intranet", "lan"];

/// URL of a picture for browsers: `https`, public host name, no credentials, default port, at
/// most 500 bytes.
///
/// IP addresses are rejected in every spelling (the URL parser resolves `0x7f000001` to an IPv4
/// address).
#[must_use]
pub fn is_picture_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let public_host = match url.host() {
        Some(Host::Domain(name)) => {
            name.rsplit_once('.').is_some_and(|(_, top)| !PRIVATE_TOPS.contains(&top))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    };
    // Like browsers, the parser accepts line breaks, backslashes and surrounding spaces. Only URLs
    // in normalized form are accepted here.
    let normalized = url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
    text.len() <= 500
        && normalized
        && url.scheme() == "https"
        && public_host
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
}

/// Whether `text` has the form of an e-mail address: the rule of HTML (4.10.5.1.5), with a dot
/// in the domain.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let of_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(of_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_local = |local: &str| {
        (1..=64).contains(&local.len())
            && local
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c))
    };
    let parts = text.rsplit_once('@');
    text.len() <= 254
        && parts.is_some_and(|(local, domain)| {
            is_local(local) && domain.contains('.') && domain.split('.').all(is_label)
        })
}

/// Normalizes an e-mail address for storage and comparison: trimmed and in lower case.
#[must_use]
pub fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_validated() {
        for good in ["ana@acme.example", "a+b.c@x-y.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ana",
            "ana@",
            "@acme.example",
            "ana@acme",
            "a b@acme.example",
            "ana@-acme.example",
            "ana@acme..example",
            "ana\n@acme.example",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn colors_are_ascii_hexadecimal() {
        assert!(is_color("#0aF9c3"), "upper and lower case are accepted");
        for bad in ["", "#12345", "1234567", "#12345g", "#ééé"] {
            assert!(!is_color(bad), "{bad}");
        }
    }

    #[test]
    fn picture_urls_have_public_hosts() {
        assert!(
            is_picture_url("https://cdn.acme.example/logo.svg"),
            "a URL with a public host is accepted"
        );
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
            "https:cdn.acme.example/x",
            "https://cdn.acme.example\\x",
            " https://cdn.acme.example/x",
            "https://cdn.acme.example/\nx",
            "https://metadata.google.internal/x",
            "https://printer.local/x",
            "javascript:alert(1)",
            "logo.svg",
        ] {
            assert!(!is_picture_url(bad), "{bad}");
        }
    }
}
