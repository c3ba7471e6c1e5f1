//! Domain model and rules of Postern: authorization, state transitions and their audit events.
//!
//! Pure: no I/O, no async, no database, no HTTP, no clock. Everything that varies between calls
//! (time, ids, configured limits) is a parameter, so that each rule can be tested by calling it.
//!
//! Start with [`policy`] (how a caller gets a [`policy::Grant`]), [`change`] (state and audit
//! event are saved together) and [`member`] (an example of a resource).

pub mod access;
pub mod action;
pub mod actor;
pub mod change;
pub mod client_network;
pub mod clock;
pub mod credential;
pub mod effect;
pub mod end_cause;
pub mod erasure;
pub mod event;
pub mod event_draft;
pub mod feature;
pub mod id;
pub mod impersonation;
pub mod impersonation_start;
pub mod impersonation_view;
pub mod justification;
pub mod letter_case;
pub mod member;
pub mod membership;
pub mod metadata;
pub mod mode;
pub mod operation;
pub mod org;
pub mod org_context;
pub mod org_key;
pub mod org_ref;
pub mod password;
pub mod permission;
pub mod plan;
pub mod policy;
pub mod retention;
pub mod role;
pub mod samples;
pub mod scope;
pub mod session;
pub mod settings;
pub mod slug;
pub mod staff;
mod string_enums;
pub mod text;
pub mod tier;
mod truncation;
pub mod user;

pub use id::Id;
pub use postern_audit_log::string_enum;

/// Formats an error and its causes on one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        if !line.ends_with(&message) {
            line = format!("{line}: {message}");
        }
        source = cause.source();
    }
    line
}
