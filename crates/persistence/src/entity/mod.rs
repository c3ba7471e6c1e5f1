//! The tables, one file each. A model never leaves this crate: each is converted once, by exhaustive destructuring, so
//! that a new column cannot be forgotten on the way.

pub mod audit_event;
pub mod credential;
pub mod feature_override;
pub mod idempotency_key;
pub mod impersonation;
pub mod instance;
pub mod membership;
pub mod org_setting;
pub mod organization;
pub mod refresh_token;
pub mod session;
pub mod staff;
pub mod usage_point;
pub mod user;
