//! Validation of text input.

use std::ops::RangeInclusive;

use url::{Host, Url};

/// Whether `text` is one line of visible characters, is already trimmed, and has a length in
/// this range, in characters.
#[must_use]
pub fn is_line(text: &str, length: RangeInclusive<usize>) -> bool {
    length.contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || is_unseen(c))
}

/// Zero-width, line-separating and bidirectional control characters, which make one text look
/// like another.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Name of a user or an org: 1 to 100 characters on one line.
#[must_use]
pub fn is_name(text: &str) -> bool {
    is_line(text, 1..=100)
}

/// Slug of an org: 3 to 40 lower-case ASCII letters, digits and single inner hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
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
    fn names_contain_only_visible_characters() {
        assert!(
            is_name("Ana Costa") && is_name("Élan Vital") && is_name("山田 太郎"),
            "names in all scripts are accepted"
        );
        for bad in
            ["", " Ana", "Ana\n", "\u{200b}", "Ana \u{202e}atsoC", "a\u{2028}b", &"x".repeat(101)]
        {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn slugs_are_validated() {
        for good in ["acme", "a-b", "123"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in
            ["", "ab", "Acme", "-acme", "acme-", "a--b", "a b", "a_b", "äcme", &"a".repeat(41)]
        {
            assert!(!is_slug(bad), "{bad}");
        }
    }

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
