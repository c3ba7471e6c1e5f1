//! Authentication primitives: signing keys, access and refresh tokens, and password hashing.

mod eddsa;
mod hasher;
mod keys;
mod tokens;
mod verified;

pub use hasher::{Busy, Hasher};
pub use keys::{KeyRing, Secrets};
pub use tokens::{Claims, RefreshToken, Tokens};
