//! The configuration: `config.default.toml`, then a file, then the environment. Whatever is wrong with it is told at once.

use std::{fmt::Write, path::Path, time::Duration};

use figment::{
    Figment, Provider,
    providers::{Env, Format, Toml},
    value::{Dict, Value},
};
use postern_api::config as api;
use postern_domain::impersonation::Impersonation;
use postern_persistence::{Durability, Options};
use serde::{Deserialize, de::DeserializeOwned};

/// The defaults, and the manual.
pub const DEFAULT: &str = include_str!("../../../config.default.toml");

#[derive(Debug, Clone)]
pub struct Config {
    pub api: api::Config,
    pub database: Database,
    pub log: Log,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub max_connections: u32,
    pub acquire_timeout_seconds: u64,
    pub statement_timeout_seconds: u64,
    pub sqlite_durability: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: String,
    pub filter: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} fault(s):{}", .0.len(), listed(.0))]
pub struct Faults(Vec<String>);

fn listed(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut text, fault| {
        write!(text, "\n  - {fault}").expect("a string can be written to");
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
    /// Reads the defaults, the file if there is one, and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Faults(vec![format!("{}: there is no such file", file.display())]));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        Self::read(figment.merge(Env::prefixed("POSTERN__").split("__")))
    }

    /// Reads the defaults with something on top of them.
    pub fn read(overrides: impl Provider) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let given = match overrides.data() {
            Ok(given) => given.into_values().fold(Dict::new(), |mut all, dict| {
                all.extend(dict);
                all
            }),
            Err(error) => return Err(Faults(error.into_iter().map(|fault| fault.to_string()).collect())),
        };
        let defaults = Figment::from(Toml::string(DEFAULT));
        let known: Dict = defaults.extract().expect("the defaults are sound");
        compare(&given, &known, "", &mut faults);
        if faults.is_empty()
            && let Some(config) = Self::extract(&defaults.merge(overrides), &mut faults)
        {
            config.judge(&mut faults);
            if faults.is_empty() {
                return Ok(config);
            }
        }
        Err(Faults(faults))
    }

    fn extract(figment: &Figment, faults: &mut Vec<String>) -> Option<Self> {
        // Each section by itself, so that a fault in one does not hide those in the others.
        let server = section(figment, "server", faults);
        let tokens = section(figment, "tokens", faults);
        let passwords = section(figment, "passwords", faults);
        let sign_in = section(figment, "sign_in", faults);
        let impersonation = section(figment, "impersonation", faults);
        let staff = section(figment, "staff", faults);
        let idempotency = section(figment, "idempotency", faults);
        let database = section(figment, "database", faults);
        let log = section(figment, "log", faults);
        Some(Self {
            api: api::Config {
                server: server?,
                tokens: tokens?,
                passwords: passwords?,
                sign_in: sign_in?,
                impersonation: impersonation?,
                staff: staff?,
                idempotency: idempotency?,
            },
            database: database?,
            log: log?,
        })
    }

    /// What no type can say.
    fn judge(&self, faults: &mut Vec<String>) {
        let Self { api, database, log } = self;
        let mut rule = |holds: bool, fault: &str| {
            if !holds {
                faults.push(fault.to_owned());
            }
        };
        rule(api.server.listen.parse::<std::net::SocketAddr>().is_ok(), "server.listen: an address and a port, as in 127.0.0.1:8080");
        let url = &api.server.public_url;
        let web = url.starts_with("https://") || url.starts_with("http://");
        rule(web && !url.ends_with('/'), "server.public_url: begins with https:// or http:// and does not end with a slash");
        rule((1024..=16 << 20).contains(&api.server.body_limit_bytes), "server.body_limit_bytes: from 1024 to 16777216");
        rule((1..=300).contains(&api.server.request_timeout_seconds), "server.request_timeout_seconds: from 1 to 300");
        rule((1..=3600).contains(&api.server.keep_alive_seconds), "server.keep_alive_seconds: from 1 to 3600");
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.url.starts_with(scheme));
        rule(known, "database.url: begins with sqlite:, postgres:// or postgresql://");
        rule((2..=1000).contains(&database.max_connections), "database.max_connections: from 2 to 1000");
        rule((1..=300).contains(&database.acquire_timeout_seconds), "database.acquire_timeout_seconds: from 1 to 300");
        rule((1..=3600).contains(&database.statement_timeout_seconds), "database.statement_timeout_seconds: from 1 to 3600");
        rule(durability(&database.sqlite_durability).is_some(), "database.sqlite_durability: full, normal or off");
        rule((1..=60).contains(&api.tokens.access_minutes), "tokens.access_minutes: from 1 to 60");
        rule((1..=365).contains(&api.tokens.refresh_days), "tokens.refresh_days: from 1 to 365");
        rule((0..=1440).contains(&api.tokens.key_activation_minutes), "tokens.key_activation_minutes: from 0 to 1440");
        let longest = Impersonation::LONGEST.num_minutes().max(api.tokens.access_minutes);
        rule(api.tokens.key_overlap_minutes >= longest, "tokens.key_overlap_minutes: not less than the longest token lives");
        rule(api.passwords.memory_kib >= 8 && api.passwords.memory_kib <= 1 << 20, "passwords.memory_kib: from 8 to 1048576");
        rule((1..=32).contains(&api.passwords.iterations), "passwords.iterations: from 1 to 32");
        rule((1..=16).contains(&api.passwords.parallelism), "passwords.parallelism: from 1 to 16");
        rule((1..=1440).contains(&api.sign_in.window_minutes), "sign_in.window_minutes: from 1 to 1440");
        rule((1..=30).contains(&api.impersonation.minutes), "impersonation.minutes: from 1 to 30");
        rule(api.staff.max_super_admins >= 1, "staff.max_super_admins: at least 1");
        rule((1..=720).contains(&api.idempotency.hours), "idempotency.hours: from 1 to 720");
        rule(["text", "json"].contains(&log.format.as_str()), "log.format: text or json");
        rule(tracing_subscriber::EnvFilter::try_new(&log.filter).is_ok(), "log.filter: as in `info` or `warn,postern_api=debug`");
    }

    /// How to reach the database.
    #[must_use]
    pub fn store(&self) -> Options {
        Options {
            url: self.database.url.clone(),
            max_connections: self.database.max_connections,
            acquire_timeout: Duration::from_secs(self.database.acquire_timeout_seconds),
            statement_timeout: Duration::from_secs(self.database.statement_timeout_seconds),
            durability: durability(&self.database.sqlite_durability).unwrap_or(Durability::Full),
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

fn section<T: DeserializeOwned>(figment: &Figment, name: &str, faults: &mut Vec<String>) -> Option<T> {
    match figment.extract_inner(name) {
        Ok(section) => Some(section),
        Err(errors) => {
            let settings = |error: &figment::Error| error.path.iter().find(|part| *part != name).cloned().unwrap_or_default();
            faults.extend(errors.into_iter().map(|error| format!("{name}.{}: {}", settings(&error), error.kind)));
            None
        }
    }
}

/// Every key that is given must be known, and of the kind that its default is.
fn compare(given: &Dict, known: &Dict, at: &str, faults: &mut Vec<String>) {
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (known.get(key), value) {
            (None, _) => faults.push(format!("{path}: there is no such setting")),
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) => compare(given, known, &path, faults),
            (Some(Value::Dict(..)), _) => faults.push(format!("{path}: is a section, not a setting")),
            (Some(default), value) if !same_kind(default, value) => {
                faults.push(format!("{path}: expected {}, found {}", kind(default), kind(value)));
            }
            _ => {}
        }
    }
}

fn same_kind(default: &Value, value: &Value) -> bool {
    // A text that looks like a number comes out of the environment as one.
    let text_of_number = matches!(default, Value::String(..)) && matches!(value, Value::Num(..) | Value::Bool(..));
    kind(default) == kind(value) && !text_of_number
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "a text",
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
        let told =
            faults("[server]\nlisten = 8080\nprot = 1\n[tokens]\naccess_minutes = \"ten\"\n[mail]\nhost = \"x\"\n[server.listen2]\na = 1");
        for expected in [
            "server.listen: expected a text, found a number",
            "server.prot: there is no such setting",
            "server.listen2: there is no such setting",
            "tokens.access_minutes: expected a number, found a text",
            "mail: there is no such setting",
        ] {
            assert!(told.iter().any(|fault| fault == expected), "{expected} is not among {told:?}");
        }
    }

    #[test]
    fn figures_out_of_range_are_told_together() {
        let told = faults("[impersonation]\nminutes = 31\n[log]\nformat = \"xml\"\n[server]\nlisten = \"nowhere\"");
        assert_eq!(told.len(), 3, "{told:?}");
    }
}
