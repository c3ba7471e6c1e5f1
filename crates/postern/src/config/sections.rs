//! Sections that only the binary uses. Those of the API are in [`postern_api::config`].

use std::path::PathBuf;

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

impl Database {
    /// The configured durability, if it is valid.
    pub(super) fn durability(&self) -> Option<Durability> {
        match self.sqlite_durability.as_str() {
            "full" => Some(Durability::Full),
            "normal" => Some(Durability::Normal),
            "off" => Some(Durability::Off),
            _ => None,
        }
    }
}
