//! Ranges and formats of settings, which no type can check.

use postern_api::config as api;
use postern_domain::{impersonation::Impersonation, retention::Retention};

use super::{
    section_reader::Rule,
    sections::{Audit, Database, Log},
    urls,
};

pub fn validate_server(section: &api::Server, rule: Rule<'_>) {
    rule(
        section.listen.parse::<std::net::SocketAddr>().is_ok(),
        "listen: must be an IP address and a port, such as 127.0.0.1:8080",
    );
    let public_url = urls::check_public_url(&section.public_url);
    let accepted = public_url.as_ref().err().map_or(urls::PUBLIC_URL, |accepted| accepted);
    rule(public_url.is_ok(), &format!("public_url: {accepted}"));
    let is_header = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    rule(
        is_header(&section.client_address_header),
        "client_address_header: must be the name of a header in lower case, such as \
         x-forwarded-for",
    );
    validate_cors(section, rule);
    validate_server_limits(section, rule);
}

fn validate_cors(section: &api::Server, rule: Rule<'_>) {
    let is_origin = |text: &String| {
        api::LOOPBACK_ORIGINS.contains(&text.as_str())
            || url::Url::parse(text).is_ok_and(|url| {
                url.origin().is_tuple() && url.origin().ascii_serialization() == *text
            }) && !text.contains('*')
    };
    rule(
        section.cors_origins.iter().all(is_origin),
        "cors_origins: each must be a scheme and a host, such as https://admin.vendor.example; \
         only http://localhost:*, http://127.0.0.1:* and http://[::1]:* stand for all ports",
    );
    // `*` would not include `Authorization`, and would hide which agents send data.
    let is_name = |text: &String| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    rule(
        section.cors_headers.iter().all(is_name),
        "cors_headers: each must be a header name of letters, digits, - and _; there is no `*`",
    );
}

fn validate_server_limits(section: &api::Server, rule: Rule<'_>) {
    rule(section.workers <= 1024, "workers: must be at most 1024");
    rule(
        (1024..=16 << 20).contains(&section.body_limit_bytes),
        "body_limit_bytes: must be from 1024 to 16777216",
    );
    rule(
        (1..=300).contains(&section.request_timeout_seconds),
        "request_timeout_seconds: must be from 1 to 300",
    );
    rule(
        (1..=3600).contains(&section.keep_alive_seconds),
        "keep_alive_seconds: must be from 1 to 3600",
    );
    rule(section.drain_seconds <= 300, "drain_seconds: must be at most 300");
    rule(
        (1..=100_000).contains(&section.max_concurrent_streams),
        "max_concurrent_streams: must be from 1 to 100000",
    );
    rule(
        (1..=section.max_concurrent_streams).contains(&section.max_concurrent_streams_per_user),
        "max_concurrent_streams_per_user: must be from 1 to max_concurrent_streams",
    );
    rule(
        (1..=300).contains(&section.heartbeat_seconds),
        "heartbeat_seconds: must be from 1 to 300",
    );
    rule(
        (1..=300).contains(&section.stream_write_timeout_seconds),
        "stream_write_timeout_seconds: must be from 1 to 300",
    );
    rule(
        (1..=300).contains(&section.shutdown_timeout_seconds),
        "shutdown_timeout_seconds: must be from 1 to 300",
    );
}

pub fn validate_tokens(section: &api::Tokens, rule: Rule<'_>) {
    rule(!section.audience.is_empty(), "audience: must not be empty");
    rule((1..=60).contains(&section.access_minutes), "access_minutes: must be from 1 to 60");
    rule((1..=365).contains(&section.refresh_days), "refresh_days: must be from 1 to 365");
    rule(
        (0..=60).contains(&section.clock_leeway_seconds),
        "clock_leeway_seconds: must be from 0 to 60",
    );
    rule(
        (0..=1440).contains(&section.key_activation_minutes),
        "key_activation_minutes: must be from 0 to 1440",
    );
    let longest = Impersonation::LONGEST.num_minutes().max(section.access_minutes);
    rule(
        section.key_overlap_minutes >= longest,
        "key_overlap_minutes: must be at least 30 and at least access_minutes",
    );
}

pub fn validate_passwords(section: &api::Passwords, rule: Rule<'_>) {
    let least = 8 * section.parallelism;
    rule(
        (least..=1 << 20).contains(&section.memory_kib),
        "memory_kib: must be from 8 times parallelism to 1048576",
    );
    rule((1..=32).contains(&section.iterations), "iterations: must be from 1 to 32");
    rule((1..=16).contains(&section.parallelism), "parallelism: must be from 1 to 16");
    rule(section.max_concurrent_hashes <= 256, "max_concurrent_hashes: must be at most 256");
    rule(section.max_queued >= 1, "max_queued: must be at least 1");
    rule(
        (1..=300).contains(&section.queue_timeout_seconds),
        "queue_timeout_seconds: must be from 1 to 300",
    );
}

pub fn validate_database(section: &Database, rule: Rule<'_>) {
    let known = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| section.url.starts_with(scheme));
    rule(known, "url: must begin with sqlite:, postgres:// or postgresql://");
    rule(
        !urls::is_temporary_sqlite(&section.url),
        "url: must name a file: SQLite databases in memory are not supported, because the server \
         opens several connections and they would not share one; for a temporary database, use a \
         file in a temporary directory, such as sqlite:///tmp/postern.db",
    );
    let url = urls::check_postgres(&section.url);
    rule(url.is_ok(), &format!("url: {}", url.err().unwrap_or_default()));
    let owner_url = urls::check_postgres(&section.owner_url);
    rule(owner_url.is_ok(), &format!("owner_url: {}", owner_url.err().unwrap_or_default()));
    let postgres = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    rule(
        section.owner_url.is_empty() || postgres(&section.owner_url),
        "owner_url: must be empty, or begin with postgres:// or postgresql://",
    );
    rule(
        is_role(&section.tenant_role),
        "tenant_role: must be a lower-case name of letters, digits and _, at most 63",
    );
    rule(
        is_role(&section.platform_role),
        "platform_role: must be a lower-case name of letters, digits and _, at most 63",
    );
    rule(
        is_role(&section.audit_owner_role),
        "audit_owner_role: must be a lower-case name of letters, digits and _, at most 63",
    );
    rule(
        section.tenant_role != section.platform_role,
        "platform_role: must differ from tenant_role",
    );
    let distinct = section.audit_owner_role != section.tenant_role
        && section.audit_owner_role != section.platform_role;
    rule(distinct, "audit_owner_role: must differ from tenant_role and platform_role");
    rule((2..=1000).contains(&section.max_connections), "max_connections: must be from 2 to 1000");
    rule(
        (1..=300).contains(&section.acquire_timeout_seconds),
        "acquire_timeout_seconds: must be from 1 to 300",
    );
    rule(
        (1..=3600).contains(&section.statement_timeout_seconds),
        "statement_timeout_seconds: must be from 1 to 3600",
    );
}

pub fn validate_audit(section: &Audit, rule: Rule<'_>) {
    // C2SP signed-note: key names have no spaces and no plus sign.
    let plain = section.log_origin.bytes().all(|b| b.is_ascii_graphic() && b != b'+');
    rule(
        plain && section.log_origin.len() <= 200,
        "log_origin: must be at most 200 ASCII characters without spaces and plus signs",
    );
    rule(
        (Retention::SHORTEST..=Retention::LONGEST).contains(&section.retention_days),
        "retention_days: must be from 30 to 2557",
    );
    rule(
        (10..=60_000).contains(&section.sequencer_interval_milliseconds),
        "sequencer_interval_milliseconds: must be from 10 to 60000",
    );
}

/// Checks for a role name that PostgreSQL accepts without quotes.
fn is_role(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    // `SET ROLE none` resets the role.
    letters
        && name != "none"
        && name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
}

pub fn validate_sign_in(section: &api::SignIn, rule: Rule<'_>) {
    rule((1..=1440).contains(&section.window_minutes), "window_minutes: must be from 1 to 1440");
    rule(section.failures_per_account >= 1, "failures_per_account: must be at least 1");
    rule(section.failures_per_address >= 1, "failures_per_address: must be at least 1");
}

pub fn validate_impersonation(section: &api::Impersonation, rule: Rule<'_>) {
    rule(
        (1..=Impersonation::LONGEST.num_minutes()).contains(&section.minutes),
        "minutes: must be from 1 to 30",
    );
}

pub fn validate_staff(section: &api::Staff, rule: Rule<'_>) {
    rule(section.max_super_admins >= 1, "max_super_admins: must be at least 1");
}

pub fn validate_idempotency(section: &api::Idempotency, rule: Rule<'_>) {
    rule((1..=720).contains(&section.hours), "hours: must be from 1 to 720");
}

pub fn validate_log(section: &Log, rule: Rule<'_>) {
    rule(
        tracing_subscriber::EnvFilter::try_new(&section.filter).is_ok(),
        "filter: must be an EnvFilter, such as `info` or `warn,postern_api=debug`",
    );
}
