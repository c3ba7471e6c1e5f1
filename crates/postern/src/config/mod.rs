//! The configuration: `config.default.toml`, overridden by a file, overridden by the environment.
//! All errors are reported together.

mod faults;
mod section_reader;
mod sections;
mod validate;

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use figment::{
    Figment, Provider,
    providers::{Env, Format, Toml},
    value::Dict,
};
use postern_api::config as api;
use postern_keystore::{AuditKeys, KeyError};
use postern_persistence::Options;

pub use faults::Faults;
use section_reader::SectionReader;
pub use sections::{Audit, Database, Log, LogFormat};

/// Defaults and manual of all settings.
pub const DEFAULT: &str = include_str!("../../../../config.default.toml");

#[derive(Clone)]
pub struct Config {
    pub api: api::Config,
    pub database: Database,
    pub audit: Audit,
    pub log: Log,
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
        let settings: Dict = overrides
            .data()
            .map_err(|errors| Faults(errors.into_iter().map(|fault| fault.to_string()).collect()))?
            .into_values()
            .flatten()
            .collect();
        let defaults = Figment::from(Toml::string(DEFAULT));
        let default_settings: Dict = defaults.extract().expect("the defaults are valid");
        let mut reader =
            SectionReader::new(defaults.merge(overrides), &settings, &default_settings);
        let server = reader.section("server", validate::validate_server);
        let tokens = reader.section("tokens", validate::validate_tokens);
        let passwords = reader.section("passwords", validate::validate_passwords);
        let sign_in = reader.section("sign_in", validate::validate_sign_in);
        let impersonation = reader.section("impersonation", validate::validate_impersonation);
        let staff = reader.section("staff", validate::validate_staff);
        let idempotency = reader.section("idempotency", validate::validate_idempotency);
        let database = reader.section("database", validate::validate_database);
        let audit = reader.section("audit", validate::validate_audit);
        let log = reader.section("log", validate::validate_log);
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
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => Err(Faults(reader.faults)),
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
            durability: self.database.sqlite_durability,
            audit_keys: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(toml: &str) -> Vec<String> {
        Config::read(Toml::string(toml)).err().map(|faults| faults.0).unwrap_or_default()
    }

    #[test]
    fn defaults_are_valid() {
        assert_eq!(faults(""), Vec::<String>::new());
    }

    #[test]
    fn all_unknown_settings_and_wrong_types_are_reported() {
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
    fn errors_of_all_kinds_are_reported_together() {
        let errors = faults(
            "[server]\nprot = 1\n[sign_in]\nfailures_per_address = -1\n[impersonation]\n\
             minutes = 31\n[passwords]\nmax_queued = 0",
        );
        assert_eq!(errors.len(), 4, "{errors:?}");
    }

    #[test]
    fn all_values_out_of_range_are_reported() {
        let errors = faults(
            "[impersonation]\nminutes = 31\n[log]\nformat = \"xml\"\n[server]\n\
             listen = \"nowhere\"",
        );
        assert_eq!(errors.len(), 3, "{errors:?}");
    }
}
