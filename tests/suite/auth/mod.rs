//! Signing in and out, tokens and signing keys.

mod access_tokens;
mod login;
mod logout;
mod refresh;
mod signing_keys;
mod suspended;
pub mod token_forger;
