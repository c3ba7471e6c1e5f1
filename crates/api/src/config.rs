//! Configuration sections of the API. `config.default.toml` documents the settings.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use postern_domain::credential::AttemptLimits;
use postern_keystore::KeySchedule;
use serde::{Deserialize, Deserializer, de};

/// Values of `server.cors_origins` for all ports of the same machine: development servers of front
/// ends. The demo allows them.
pub const LOOPBACK_ORIGINS: [&str; 3] =
    ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    pub workers: usize,
    pub public_url: String,
    pub cors_origins: Vec<String>,
    pub cors_headers: Vec<String>,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub client_address_header: String,
    pub body_limit_bytes: usize,
    pub request_timeout_seconds: u64,
    pub keep_alive_seconds: u64,
    pub drain_seconds: u64,
    pub shutdown_timeout_seconds: u64,
    pub max_concurrent_streams: usize,
    pub max_concurrent_streams_per_user: usize,
    pub heartbeat_seconds: u64,
    pub stream_write_timeout_seconds: u64,
}

/// Networks (`10.0.0.0/8`) and single addresses.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let parse = |text: &str| {
        let address = text.parse().map(|ip: IpAddr| IpNet::from(ip.to_canonical()));
        address.or_else(|_| text.parse::<IpNet>())
    };
    let (mut networks, mut invalid) = (Vec::new(), Vec::new());
    for text in Vec::<String>::deserialize(deserializer)? {
        match parse(&text) {
            Ok(network) => networks.push(network),
            Err(_) => invalid.push(text),
        }
    }
    if invalid.is_empty() {
        return Ok(networks);
    }
    let example = "each must be an address or a network, such as 10.0.0.0/8";
    Err(de::Error::custom(format!("{example}; found {}", invalid.join(", "))))
}

impl Server {
    /// Maximum time from the stop signal until the last request has finished.
    #[must_use]
    pub const fn stop_limit(&self) -> Duration {
        Duration::from_secs(self.drain_seconds + self.shutdown_timeout_seconds)
    }

    /// Path of `public_url`, without a trailing slash; empty if it has none.
    #[must_use]
    pub fn base_path(&self) -> &str {
        let after_scheme = self.public_url.find("://").map_or(0, |at| at + "://".len());
        let path = self.public_url[after_scheme..].find('/');
        path.map_or("", |at| &self.public_url[after_scheme + at..])
    }

    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }

    #[must_use]
    pub const fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }

    #[must_use]
    pub const fn stream_write_timeout(&self) -> Duration {
        Duration::from_secs(self.stream_write_timeout_seconds)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    pub audience: String,
    pub access_minutes: i64,
    pub refresh_days: i64,
    pub clock_leeway_seconds: i64,
    pub keys_dir: PathBuf,
    pub key_activation_minutes: i64,
    pub key_overlap_minutes: i64,
}

impl Tokens {
    #[must_use]
    pub const fn key_schedule(&self) -> KeySchedule {
        KeySchedule {
            activation: TimeDelta::minutes(self.key_activation_minutes),
            overlap: TimeDelta::minutes(self.key_overlap_minutes),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    pub max_concurrent_hashes: usize,
    pub max_queued: usize,
    pub queue_timeout_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub window_minutes: i64,
    pub failures_per_account: u64,
    pub failures_per_address: u64,
}

impl SignIn {
    /// Start of the window in which failures count.
    #[must_use]
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::minutes(self.window_minutes)
    }

    /// Limits for failed attempts. The same for all users: different limits for staff would reveal
    /// which accounts are staff.
    #[must_use]
    pub const fn limits(&self) -> AttemptLimits {
        AttemptLimits {
            window: TimeDelta::minutes(self.window_minutes),
            per_account: self.failures_per_account,
            per_address: self.failures_per_address,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impersonation {
    pub minutes: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    pub max_super_admins: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    pub hours: i64,
}

/// Configuration of the API.
#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub sign_in: SignIn,
    pub impersonation: Impersonation,
    pub staff: Staff,
    pub idempotency: Idempotency,
}
