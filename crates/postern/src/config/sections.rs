//! Sections that only the binary uses. Those of the API are in [`postern_api::config`].

use std::path::PathBuf;

use postern_domain::string_enum;
use postern_persistence::Durability;
use serde::Deserialize;

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
    pub sqlite_durability: Durability,
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
    pub format: LogFormat,
    pub filter: String,
}

string_enum! {
    /// Format of log lines.
    LogFormat {
        Text = "text",
        Json = "json",
    }
}
