//! Audit log: events, exports, streams, and the transparency logs that they are verified against.

mod actions;
mod csv;
mod export;
mod filter;
mod format;
mod gap_lines;
mod leaf_set;
mod log;
mod log_reader;
mod read;
mod stream;

pub use self::actions::{AuditActionList, AuditActionView};
use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_audit_events)
        .add(export::export_audit_events)
        .add(stream::stream_audit_events)
        .add(read::read_audit_event)
        .add(log::read_log_checkpoint)
        .add(log::read_log_keys)
        .add(log::read_log_tile)
        .add(log::read_log_entries)
        .add(log::read_log_proof)
        .add(actions::list_audit_actions)
        .add(read::list_platform_audit_events)
        .add(export::export_platform_audit_events)
        .add(stream::stream_platform_audit_events)
        .add(log::read_platform_log_checkpoint)
        .add(log::read_platform_log_keys)
        .add(log::read_platform_log_tile)
        .add(log::read_platform_log_entries)
        .add(log::read_platform_log_proof);
}
