//! Context of operations in an org.

use crate::{id::MemberId, org::Org, role::Role};

/// An org and the caller's membership in it.
#[derive(Debug, Clone)]
pub struct OrgContext {
    pub org: Org,
    pub member: MemberId,
    pub role: Role,
}
