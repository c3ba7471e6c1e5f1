//! The configuration: `config.default.toml`, overridden by a file, overridden by the environment.
//! All errors are reported together.

mod defaults;
mod environment;
mod faults;
mod section_reader;
mod sections;
mod urls;
mod validate;

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use figment::{
    Figment, Provider,
    providers::{Format, Toml},
    value::Dict,
};
use postern_api::config as api;
use postern_keystore::{AuditKeys, KeyError};
use postern_persistence::Options;

pub use defaults::DEFAULT;
use environment::Environment;
use faults::Fault;
pub use faults::Faults;
use section_reader::SectionReader;
pub use sections::{Audit, Database, Log, LogFormat};

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
                return Err(Faults(vec![Fault::of_file(format!(
                    "{}: file not found",
                    file.display()
                ))]));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let (environment, faults) = Environment::of_process();
        Self::read_after(faults, figment.merge(environment))
    }

    /// Reads the defaults and `overrides`, which take precedence.
    pub fn read(overrides: impl Provider) -> Result<Self, Faults> {
        Self::read_after(Vec::new(), overrides)
    }

    /// Fails with `faults`, which were found before, and those of `overrides`.
    fn read_after(faults: Vec<Fault>, overrides: impl Provider) -> Result<Self, Faults> {
        let settings: Dict = overrides
            .data()
            .map_err(|errors| {
                Faults(errors.into_iter().map(|error| Fault::of_file(error.to_string())).collect())
            })?
            .into_values()
            .flatten()
            .collect();
        let defaults = Figment::from(Toml::string(DEFAULT));
        let default_settings: Dict = defaults.extract().expect("the defaults are valid");
        let mut reader = SectionReader::new(defaults.merge(overrides), settings, default_settings);
        reader.faults.splice(0..0, faults);
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
        let faults = Config::read(Toml::string(toml)).err().map(|faults| faults.0);
        faults.unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn defaults_are_valid() {
        assert_eq!(faults(""), Vec::<String>::new());
    }

    #[test]
    fn all_unknown_settings_and_wrong_types_are_reported() {
        let errors = faults(
            "[server]\nlisten = 8080\nprot = 1\ncors_origins = \"*\"\n[tokens]\n\
             access_minutes = \"ten\"\n[mail]\nhost = \"x\"\n[server.listen2]\na = 1",
        );
        for expected in [
            "server.listen: expected a string, found a whole number; must be an IP address and a \
             port, such as 127.0.0.1:8080",
            "server.prot: unknown setting",
            "server.listen2: unknown setting",
            "tokens.access_minutes: expected a whole number, found a string; must be from 1 to 60",
            "mail: unknown setting",
        ] {
            assert!(errors.iter().any(|error| error == expected), "no {expected} in {errors:?}");
        }
        assert!(
            errors.iter().any(|error| error.starts_with(
                "server.cors_origins: expected a list such as [\"a\", \"b\"], found a string; each"
            )),
            "a list has an example: {errors:?}"
        );
        assert_eq!(errors.len(), 6, "{errors:?}");
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let proxies = |list: &str| {
            let toml = format!("[server]\ntrusted_proxies = {list}");
            Config::read(Toml::string(&toml)).map(|config| config.api.server.trusted_proxies)
        };
        let nets = proxies(r#"["10.0.0.0/8", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.2"]"#);
        let nets: Vec<_> =
            nets.expect("the proxies are valid").iter().map(ToString::to_string).collect();
        assert_eq!(nets, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::1/128", "192.0.2.2/32"]);
        assert_eq!(
            faults("[server]\ntrusted_proxies = [\"proxy\"]"),
            ["server.trusted_proxies: each must be an address or a network, such as 10.0.0.0/8; \
              found proxy"]
        );
        assert_eq!(
            faults("[server]\nclient_address_header = \"X Real IP\"").len(),
            1,
            "a header is a name"
        );
    }

    #[test]
    fn all_invalid_elements_of_a_list_are_reported() {
        let errors = faults(
            "[server]\ntrusted_proxies = [\"10.0.0.1/33\", \"10.0.0.0/8\", 5, \"x\", true]\n\
             cors_headers = [7, \"x-a\"]\ncors_origins = [[], \"*\"]",
        );
        for expected in [
            "server.trusted_proxies: expected a list of strings such as [\"a\", \"b\"], found 5, \
             true in it",
            "server.trusted_proxies: each must be an address or a network, such as 10.0.0.0/8; \
             found 10.0.0.1/33, x",
            "server.cors_headers: expected a list of strings such as [\"a\", \"b\"], found 7 in \
             it; each must be a header name of letters, digits, - and _; there is no `*`",
        ] {
            assert!(errors.iter().any(|error| error == expected), "no {expected} in {errors:?}");
        }
        assert!(
            errors.iter().any(|error| error.starts_with(
                "server.cors_origins: expected a list of strings such as [\"a\", \"b\"], found a \
                 list in it; each must be a scheme"
            )),
            "the rule is added: {errors:?}"
        );
        assert_eq!(errors.len(), 4, "{errors:?}");
    }

    #[test]
    fn cors_settings_are_origins_and_header_names() {
        let cors = |origin: &str, header: &str| {
            faults(&format!(
                "[server]\ncors_origins = [\"{origin}\"]\ncors_headers = [\"{header}\"]"
            ))
        };
        assert_eq!(cors("http://[::1]:*", "x-datadog-trace-id"), Vec::<String>::new());
        for origin in ["*", "http://*:5173", "http://localhost:*/", "https://vendor.example:*"] {
            let errors = cors(origin, "x-a");
            assert!(
                errors.len() == 1 && errors[0].contains("cors_origins"),
                "{origin}: {errors:?}"
            );
        }
        for header in ["*", "", "x y", "x:", "x,y"] {
            let errors = cors("https://vendor.example", header);
            assert!(
                errors.len() == 1 && errors[0].contains("cors_headers"),
                "{header}: {errors:?}"
            );
        }
    }

    #[test]
    fn all_errors_of_a_section_are_reported() {
        let errors = faults(
            "[tokens]\naccess_minutes = \"ten\"\nrefresh_days = 0\nkey_activation_minutes = -1\n\
             audience = 7\n[database]\nmax_connections = -5\nacquire_timeout_seconds = -1\n\
             sqlite_durability = \"some\"\nstatement_timeout_seconds = 5000\n\
             prepared_statements = \"no\"",
        );
        for expected in [
            "tokens.access_minutes: expected a whole number, found a string; must be from 1 to 60",
            "tokens.audience: expected a string, found a whole number; must not be empty",
            "tokens.refresh_days: must be from 1 to 365",
            "tokens.key_activation_minutes: must be from 0 to 1440",
            "database.max_connections: out of range; must be from 2 to 1000",
            "database.acquire_timeout_seconds: out of range; must be from 1 to 300",
            "database.sqlite_durability: must be one of full, normal, off",
            "database.statement_timeout_seconds: must be from 1 to 3600",
            "database.prepared_statements: expected true or false, found a string",
        ] {
            assert!(errors.iter().any(|error| error == expected), "no {expected} in {errors:?}");
        }
        assert_eq!(errors.len(), 9, "{errors:?}");
    }

    #[test]
    fn rules_over_several_settings_wait_for_valid_ones() {
        assert_eq!(
            faults(
                "[server]\nmax_concurrent_streams = \"1000\"\nmax_concurrent_streams_per_user = 900"
            ),
            ["server.max_concurrent_streams: expected a whole number, found a string; \
              must be from 1 to 100000"],
            "900 may be valid"
        );
        assert_eq!(
            faults("[server]\nmax_concurrent_streams = 4"),
            ["server.max_concurrent_streams_per_user: must be from 1 to max_concurrent_streams \
              (has its default)"]
        );
    }
}
