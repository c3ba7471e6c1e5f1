//! Authentication primitives: access and refresh tokens, and password hashing.

mod claims;
mod eddsa;
mod hasher;
mod refresh_token;
mod signature_cache;
mod tokens;

pub use claims::Claims;
pub use hasher::{Busy, Hasher};
pub use refresh_token::RefreshToken;
pub use tokens::{TokenError, Tokens};
