//! Rules for the URLs in the configuration.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

/// Accepted values of `server.public_url`.
pub const PUBLIC_URL: &str = "must be http:// or https://, a host and optionally a path, without a \
     trailing slash, such as https://admin.vendor.example or https://vendor.example/postern";

/// Checks `server.public_url`. Clients compare it with the issuer of tokens byte by byte, so it
/// has one spelling. Returns the accepted values for a value that is not accepted.
pub fn check_public_url(text: &str) -> Result<(), Cow<'static, str>> {
    let url = Url::parse(text).map_err(|_| PUBLIC_URL)?;
    let is_plain = ["http", "https"].contains(&url.scheme())
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let path = url.path().trim_end_matches('/');
    let is_plain_path = path.split('/').skip(1).all(|segment| {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        !segment.is_empty() && segment.bytes().all(is_unreserved)
    });
    if !is_plain || !is_plain_path || text.ends_with('/') {
        return Err(PUBLIC_URL.into());
    }
    let canonical = url.as_str().trim_end_matches('/');
    if canonical != text {
        return Err(format!("must be written as {canonical}").into());
    }
    match path.split('/').nth(1) {
        Some(first) if postern_api::is_first_segment(first) => Err(format!(
            "must not have a path that begins with /{first}, because paths of the server do"
        )
        .into()),
        _ => Ok(()),
    }
}

/// Reports whether SQLite would keep the database of this URL in memory, or in a temporary file
/// per connection. The server and each command open it several times, and need one database.
pub fn is_temporary_sqlite(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("sqlite:") else { return false };
    let (file, query) = rest.split_once('?').unwrap_or((rest, ""));
    let file = percent_decode_str(file.trim_start_matches("//")).decode_utf8_lossy();
    let is_memory = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        (name == "mode" && value == "memory") || (name == "vfs" && value == "memdb")
    };
    file.is_empty()
        || file.trim_start_matches("file:").starts_with(":memory:")
        || url::form_urlencoded::parse(query.as_bytes()).any(is_memory)
}

/// Parameters of PostgreSQL URLs that sqlx knows. It ignores others.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Checks a PostgreSQL URL for several hosts and for parameters that would be ignored. Returns the
/// accepted values if there are any. Other URLs are accepted.
pub fn check_postgres(url: &str) -> Result<(), String> {
    let Some((_, rest)) =
        url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))
    else {
        return Ok(());
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let hosts = address.split('/').next().and_then(|login| login.rsplit('@').next());
    let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let has_several = |(name, value): &(Cow<'_, str>, Cow<'_, str>)| {
        name.starts_with("host") && value.contains(',') || name == "target_session_attrs"
    };
    if hosts.is_some_and(|hosts| hosts.contains(',')) || parameters.iter().any(has_several) {
        return Err("must have one host; for failover, use an address that moves to the new \
                    primary, PgBouncer or HAProxy"
            .to_owned());
    }
    let is_known = |name: &str| name.starts_with("options[") || POSTGRES_PARAMETERS.contains(&name);
    match parameters.iter().find(|(name, _)| !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "must not have the parameter {name}; accepted parameters: {}, options[…]",
            POSTGRES_PARAMETERS.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_have_one_spelling() {
        for url in [
            "http://localhost:8080",
            "https://admin.vendor.example",
            "https://vendor.example/postern",
            "https://vendor.example:8443/a/b.c_d~e-f",
            "http://[::1]:8080",
        ] {
            assert_eq!(check_public_url(url), Ok(()), "{url} is accepted");
        }
        for url in [
            "",
            "localhost:8080",
            "http://",
            "ftp://vendor.example",
            "https://vendor.example/",
            "https://vendor.example/postern/",
            "https://vendor.example//postern",
            "https://user:secret@vendor.example",
            "https://vendor.example?a=b",
            "https://vendor.example#a",
            "https://vendor.example/a%2Fb",
            "https://vendor.example/a b",
        ] {
            assert_eq!(check_public_url(url), Err(PUBLIC_URL.into()), "{url} is rejected");
        }
        for (url, canonical) in [
            ("https://Vendor.example", "https://vendor.example"),
            ("https://vendor.example:443/a", "https://vendor.example/a"),
            ("https://vendor.example/a/../b", "https://vendor.example/b"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(
                check_public_url(url),
                Err(format!("must be written as {canonical}").into()),
                "{url} has another spelling"
            );
        }
        for url in ["https://vendor.example/v1", "https://vendor.example/docs/postern"] {
            assert!(
                check_public_url(url).is_err_and(|text| text.contains("paths of the server")),
                "{url} is ambiguous"
            );
        }
    }

    #[test]
    fn sqlite_databases_without_a_file_are_found() {
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:///:memory:?mode=memory",
            "sqlite::memory:?cache=shared",
            "sqlite:%3Amemory%3A",
            "sqlite:file::memory:",
            "sqlite://name?mode=memory&cache=shared",
            "sqlite://name?cache=shared&mode=memory",
            "sqlite://name?mode=%6Demory",
            "sqlite://name?vfs=memdb",
            "sqlite:",
            "sqlite://",
            "sqlite://?mode=rwc",
        ] {
            assert!(is_temporary_sqlite(url), "{url} has no file");
        }
        for url in [
            "sqlite://data/postern.db",
            "sqlite:postern.db",
            "sqlite:///var/lib/postern.db?mode=rwc",
            "sqlite://memory.db",
            "postgres://host/database?mode=memory",
        ] {
            assert!(!is_temporary_sqlite(url), "{url} has a file, or is a server");
        }
    }

    #[test]
    fn postgres_urls_have_one_host_and_known_parameters() {
        for url in [
            "postgres://user:a,b@db.example/postern",
            "postgres://user@%2Frun%2Fpostgresql/postern?sslmode=require&options[a]=b",
            "sqlite://data/postern.db?mode=rwc",
            "",
        ] {
            assert_eq!(check_postgres(url), Ok(()), "{url} is accepted");
        }
        for (url, text) in [
            ("postgres://user@a.example,b.example/postern", "one host"),
            ("postgres://user@a.example/postern?target_session_attrs=read-write", "one host"),
            ("postgresql://user@a.example/postern?host=a,b", "one host"),
            ("postgres://user@a.example/postern?keepalives=1", "parameter keepalives"),
        ] {
            let error = check_postgres(url).expect_err("the URL is rejected");
            assert!(error.contains(text), "{url}: {error}");
        }
    }
}
