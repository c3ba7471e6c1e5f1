//! Memberships of a user.

use serde::Serialize;

use crate::{
    id::MemberId, org::OrgStatus, org_context::OrgContext, org_ref::OrgRef, plan::Plan, role::Role,
};

/// An org that a user belongs to, with their role in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    pub org: OrgRef,
    pub plan: Plan,
    pub status: OrgStatus,
    pub member_id: MemberId,
    pub role: Role,
}

impl From<OrgContext> for Membership {
    fn from(OrgContext { org, member, role }: OrgContext) -> Self {
        let (plan, status) = (org.plan, org.status());
        Self { org: org.reference(), plan, status, member_id: member, role }
    }
}
