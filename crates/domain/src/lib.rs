//! The words and the rules of Postern: who may do what, what a decision changes, and what the record says of it.
//!
//! Pure by intention: no I/O, no async, no database, no HTTP, no clock. Whatever varies from call to call (the time, an
//! id, a limit from the configuration) comes in as a parameter, so that every rule can be tested by calling it.
//!
//! Read [`policy`] for how a caller becomes a [`policy::Grant`], [`change`] for why nothing is saved unrecorded, and
//! [`member`] for what a feature looks like.

pub mod action;
pub mod actor;
pub mod change;
pub mod clock;
pub mod credential;
pub mod entry;
pub mod event;
pub mod export;
pub mod feature;
pub mod id;
pub mod impersonation;
pub mod justification;
pub mod member;
pub mod metadata;
pub mod operation;
pub mod org;
pub mod password;
pub mod permission;
pub mod policy;
pub mod retention;
pub mod role;
pub mod scope;
pub mod session;
pub mod settings;
pub mod staff;
pub mod text;
mod truncation;
pub mod user;
pub mod verify;
mod words;

pub use id::Id;

/// An error and its causes on one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        source = cause.source();
    }
    line
}
