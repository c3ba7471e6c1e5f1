//! Logging to standard error, as text or JSON.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Installs the global subscriber. The configuration has been validated: its filter parses.
pub fn install(config: &Log) {
    let filter = EnvFilter::new(&config.filter);
    let builder =
        fmt().with_env_filter(filter).with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    match config.format {
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
        }
        LogFormat::Text => builder.init(),
    }
}
