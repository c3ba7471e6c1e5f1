//! Memberships of a user.

use serde::Serialize;

use crate::{id::MemberId, org_context::OrgContext, org_ref::OrgRef, role::Role};

/// An org that a user belongs to, with their role in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    pub org: OrgRef,
    /// Display name of the org.
    #[cfg_attr(feature = "openapi", schema(example = "Acme Corporation", max_length = 100))]
    pub org_name: String,
    pub member_id: MemberId,
    pub role: Role,
}

impl From<OrgContext> for Membership {
    fn from(OrgContext { org, member, role }: OrgContext) -> Self {
        Self { org: org.reference(), org_name: org.name, member_id: member, role }
    }
}
