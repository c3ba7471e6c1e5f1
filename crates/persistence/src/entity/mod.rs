//! The tables, one file each. Models do not leave this crate: each is converted once, by
//! exhaustive destructuring, so that a new column cannot be forgotten.

use postern_domain::{Id, id::OrgId};
use sea_orm::prelude::Uuid;

pub mod audit_checkpoint;
pub mod audit_event;
pub mod audit_leaf;
pub mod audit_node;
pub mod audit_queue;
pub mod credential;
pub mod feature_override;
pub mod idempotency_key;
pub mod impersonation;
pub mod instance;
pub mod membership;
pub mod org_setting;
pub mod organization;
pub mod refresh_token;
pub mod retention;
pub mod session;
pub mod staff;
pub mod usage_point;
pub mod user;

/// The org as part of a key: the nil id for none.
pub fn org_or_nil(org: Option<OrgId>) -> Uuid {
    org.map_or(Uuid::nil(), Id::uuid)
}

/// The org of such a key; none for the nil id.
pub fn org_unless_nil(id: Uuid) -> Option<OrgId> {
    (!id.is_nil()).then(|| Id::new(id))
}
