//! The configuration: `config.default.toml`, overridden by a file, overridden by the environment.
//! All errors are reported together.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use figment::{
    Figment, Provider,
    providers::{Env, Format, Toml},
    value::{Dict, Value},
};
use postern_api::config as api;
use postern_domain::{impersonation::Impersonation, retention::Retention};
use postern_persistence::{AuditKeys, Durability, Options, keyfile::KeyError};
use serde::{Deserialize, de::DeserializeOwned};

/// Defaults and manual of all settings.
pub const DEFAULT: &str = include_str!("../../../config.default.toml");

#[derive(Clone)]
pub struct Config {
    pub api: api::Config,
    pub database: Database,
    pub audit: Audit,
    pub log: Log,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub owner_url: String,
    pub tenant_role: String,
    pub platform_role: String,
    pub audit_owner_role: String,
    pub prepared_statements: bool,
    pub max_connections: u32,
    pub acquire_timeout_seconds: u64,
    pub statement_timeout_seconds: u64,
    pub sqlite_durability: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    pub log_origin: String,
    pub keys_dir: PathBuf,
    pub retention_days: i64,
    pub sequencer_interval_milliseconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: String,
    pub filter: String,
}

/// All errors of a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} error(s):{}", .0.len(), format_list(.0))]
pub struct Faults(Vec<String>);

fn format_list(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut text, fault| {
        write!(text, "\n  - {fault}").expect("writing to a string does not fail");
        text
    })
}

impl Faults {
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }
}

impl Config {
    /// Reads the defaults, `file` and the environment. Later ones take precedence.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Faults(vec![format!("{}: file not found", file.display())]));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        Self::read(figment.merge(Env::prefixed("POSTERN__").split("__")))
    }

    /// Reads the defaults and `overrides`, which take precedence.
    pub fn read(overrides: impl Provider) -> Result<Self, Faults> {
        let given = match overrides.data() {
            Ok(given) => given.into_values().fold(Dict::new(), |mut all, dict| {
                all.extend(dict);
                all
            }),
            Err(error) => {
                return Err(Faults(error.into_iter().map(|fault| fault.to_string()).collect()));
            }
        };
        let defaults = Figment::from(Toml::string(DEFAULT));
        let known: Dict = defaults.extract().expect("the defaults are valid");
        let mut reading = SectionReader { figment: defaults.merge(overrides), faults: Vec::new() };
        compare(&given, &known, "", &mut reading.faults);

        // Sections are read separately, so that an error in one does not hide errors in others.
        let server = reading.section("server", validate_server);
        let tokens = reading.section("tokens", validate_tokens);
        let passwords = reading.section("passwords", validate_passwords);
        let sign_in = reading.section("sign_in", |section: &api::SignIn, rule| {
            rule(
                (1..=1440).contains(&section.window_minutes),
                "window_minutes: must be from 1 to 1440",
            );
            rule(section.failures_per_account >= 1, "failures_per_account: must be at least 1");
            rule(section.failures_per_address >= 1, "failures_per_address: must be at least 1");
        });
        let impersonation =
            reading.section("impersonation", |section: &api::Impersonation, rule| {
                rule(
                    (1..=Impersonation::LONGEST.num_minutes()).contains(&section.minutes),
                    "minutes: must be from 1 to 30",
                );
            });
        let staff = reading.section("staff", |section: &api::Staff, rule| {
            rule(section.max_super_admins >= 1, "max_super_admins: must be at least 1");
        });
        let idempotency = reading.section("idempotency", |section: &api::Idempotency, rule| {
            rule((1..=720).contains(&section.hours), "hours: must be from 1 to 720");
        });
        let database = reading.section("database", validate_database);
        let audit = reading.section("audit", validate_audit);
        let log = reading.section("log", |section: &Log, rule| {
            rule(
                ["text", "json"].contains(&section.format.as_str()),
                "format: must be text or json",
            );
            rule(
                tracing_subscriber::EnvFilter::try_new(&section.filter).is_ok(),
                "filter: must be an EnvFilter, such as `info` or `warn,postern_api=debug`",
            );
        });
        let all = || {
            let api = api::Config {
                server: server?,
                tokens: tokens?,
                passwords: passwords?,
                sign_in: sign_in?,
                impersonation: impersonation?,
                staff: staff?,
                idempotency: idempotency?,
            };
            Some(Self { api, database: database?, audit: audit?, log: log? })
        };
        match all() {
            Some(config) if reading.faults.is_empty() => Ok(config),
            _ => Err(Faults(reading.faults)),
        }
    }

    /// Origin of all logs: the configured one, otherwise host and port of `public_url`.
    #[must_use]
    pub fn log_origin(&self) -> &str {
        let host = self
            .api
            .server
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        if self.audit.log_origin.is_empty() { host } else { &self.audit.log_origin }
    }

    /// Options for connections that write audit events. Creates the audit keys if there are none.
    pub fn store_options(&self, now: DateTime<Utc>) -> Result<Options, KeyError> {
        let audit_keys = AuditKeys::open(
            &self.audit.keys_dir,
            self.log_origin(),
            !self.audit.log_origin.is_empty(),
            now,
        )?;
        Ok(Options { audit_keys: Some(Arc::new(audit_keys)), ..self.store() })
    }

    /// Options for connections that write no audit events.
    #[must_use]
    pub fn store(&self) -> Options {
        Options {
            url: self.database.url.clone(),
            owner_url: Some(self.database.owner_url.clone()).filter(|url| !url.is_empty()),
            tenant_role: self.database.tenant_role.clone(),
            platform_role: self.database.platform_role.clone(),
            audit_owner_role: self.database.audit_owner_role.clone(),
            prepared_statements: self.database.prepared_statements,
            max_connections: self.database.max_connections,
            acquire_timeout: Duration::from_secs(self.database.acquire_timeout_seconds),
            statement_timeout: Duration::from_secs(self.database.statement_timeout_seconds),
            durability: durability(&self.database.sqlite_durability).unwrap_or(Durability::Full),
            audit_keys: None,
        }
    }
}

fn durability(word: &str) -> Option<Durability> {
    match word {
        "full" => Some(Durability::Full),
        "normal" => Some(Durability::Normal),
        "off" => Some(Durability::Off),
        _ => None,
    }
}

/// Reads sections and collects their errors.
struct SectionReader {
    figment: Figment,
    faults: Vec<String>,
}

impl SectionReader {
    /// Reads a section and checks values that no type can check. `None` if it cannot be read.
    fn section<T: DeserializeOwned>(
        &mut self,
        name: &str,
        judge: impl FnOnce(&T, &mut dyn FnMut(bool, &str)),
    ) -> Option<T> {
        match self.figment.extract_inner::<T>(name) {
            Ok(section) => {
                judge(&section, &mut |holds, expected| {
                    if !holds {
                        self.faults.push(format!("{name}.{expected}"));
                    }
                });
                Some(section)
            }
            // Unknown settings and wrong types have been reported: what is left is a number out of
            // the range of its type.
            Err(errors) => {
                for error in errors {
                    let setting =
                        error.path.iter().find(|part| *part != name).cloned().unwrap_or_default();
                    let fault = format!("{name}.{setting}: {}", error.kind);
                    if !setting.is_empty()
                        && !self
                            .faults
                            .iter()
                            .any(|fault| fault.starts_with(&format!("{name}.{setting}:")))
                    {
                        self.faults.push(fault);
                    }
                }
                None
            }
        }
    }
}

fn validate_server(section: &api::Server, rule: &mut dyn FnMut(bool, &str)) {
    rule(
        section.listen.parse::<std::net::SocketAddr>().is_ok(),
        "listen: must be an IP address and a port, such as 127.0.0.1:8080",
    );
    let is_http =
        section.public_url.starts_with("https://") || section.public_url.starts_with("http://");
    rule(
        is_http && !section.public_url.ends_with('/'),
        "public_url: must begin with https:// or http:// and not end with a slash",
    );
    let origin = |text: &String| {
        url::Url::parse(text)
            .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == *text)
    };
    rule(
        section.cors_origins.iter().all(origin),
        "cors_origins: each must be a scheme and a host, such as https://admin.vendor.example",
    );
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

fn validate_tokens(section: &api::Tokens, rule: &mut dyn FnMut(bool, &str)) {
    rule(!section.audience.is_empty(), "audience: must not be empty");
    rule((1..=60).contains(&section.access_minutes), "access_minutes: must be from 1 to 60");
    rule((1..=365).contains(&section.refresh_days), "refresh_days: must be from 1 to 365");
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

fn validate_passwords(section: &api::Passwords, rule: &mut dyn FnMut(bool, &str)) {
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

fn validate_database(section: &Database, rule: &mut dyn FnMut(bool, &str)) {
    let known = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| section.url.starts_with(scheme));
    rule(known, "url: must begin with sqlite:, postgres:// or postgresql://");
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
    rule(
        durability(&section.sqlite_durability).is_some(),
        "sqlite_durability: must be full, normal or off",
    );
}

fn validate_audit(section: &Audit, rule: &mut dyn FnMut(bool, &str)) {
    // C2SP signed-note: key names have no spaces and no plus sign.
    let plain = section.log_origin.bytes().all(|b| b.is_ascii_graphic() && b != b'+');
    rule(
        plain && section.log_origin.len() <= 200,
        "name: must be at most 200 ASCII characters without spaces and plus signs",
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

/// Reports settings that are unknown or differ in type from their default.
fn compare(given: &Dict, known: &Dict, at: &str, faults: &mut Vec<String>) {
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (known.get(key), value) {
            (None, _) => faults.push(format!("{path}: unknown setting")),
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) => {
                compare(given, known, &path, faults)
            }
            (Some(Value::Dict(..)), _) => {
                faults.push(format!("{path}: is a section, not a setting"))
            }
            (Some(default), value) if kind(default) != kind(value) => {
                faults.push(format!("{path}: expected {}, found {}", kind(default), kind(value)));
            }
            _ => {}
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "a string",
        Value::Bool(..) => "true or false",
        Value::Num(..) => "a number",
        Value::Array(..) => "a list",
        Value::Dict(..) => "a section",
        Value::Empty(..) => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(toml: &str) -> Vec<String> {
        Config::read(Toml::string(toml)).err().map(|faults| faults.0).unwrap_or_default()
    }

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(faults(""), Vec::<String>::new());
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let errors = faults(
            "[server]\nlisten = 8080\nprot = 1\n[tokens]\naccess_minutes = \"ten\"\n\
             [mail]\nhost = \"x\"\n[server.listen2]\na = 1",
        );
        for expected in [
            "server.listen: expected a string, found a number",
            "server.prot: unknown setting",
            "server.listen2: unknown setting",
            "tokens.access_minutes: expected a number, found a string",
            "mail: unknown setting",
        ] {
            assert!(errors.iter().any(|error| error == expected), "no {expected} in {errors:?}");
        }
    }

    #[test]
    fn faults_of_every_kind_are_told_together() {
        let errors = faults(
            "[server]\nprot = 1\n[sign_in]\nfailures_per_address = -1\n[impersonation]\n\
             minutes = 31\n[passwords]\nqueue = 0",
        );
        assert_eq!(errors.len(), 4, "{errors:?}");
    }

    #[test]
    fn figures_out_of_range_are_told_together() {
        let errors = faults(
            "[impersonation]\nminutes = 31\n[log]\nformat = \"xml\"\n[server]\n\
             listen = \"nowhere\"",
        );
        assert_eq!(errors.len(), 3, "{errors:?}");
    }
}
