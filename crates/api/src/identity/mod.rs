//! How people and tokens are proved: the signing keys, the tokens made with them, and the hashing of passwords.

mod eddsa;
mod hasher;
mod keys;
mod tokens;
mod verified;

pub use hasher::{Busy, Hasher};
pub use keys::{KeyRing, Secrets};
pub use tokens::{Claims, RefreshToken, Tokens};
