//! Keys and cryptography of Postern. Except for `postern-tlog`, the only crate that uses *ring*.
//!
//! Two key folders: [`AuditKeys`] signs checkpoints and authenticates queued audit events;
//! [`KeyRing`] and [`Secrets`] belong to the API server. Other modules are primitives over bytes.

mod access;
mod audit_keys;
mod cipher;
pub mod digest;
mod key_error;
mod keyfile;
mod mac;
pub mod random;
mod secrets;
mod signing;
mod token_keys;

pub use audit_keys::{AuditKeys, checkpoints::SignError};
pub use cipher::{Cipher, InvalidCiphertext};
pub use key_error::KeyError;
pub use keyfile::check_folder;
pub use mac::MacKey;
pub use random::RandomError;
pub use secrets::Secrets;
pub use signing::{InvalidKey, SigningKey, verify};
pub use token_keys::{KeyRing, KeySchedule, TokenKey};
