//! Members of orgs and their roles.
//!
//! Two invariants: callers cannot change members with a role above their own, or grant such a role;
//! and an org always has an owner. The second requires a lock on the owners, which a concurrency
//! test in `postern-tests` checks.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    actor::Actor,
    change::Change,
    effect::{Effect, ImpersonationsOf},
    event_draft::{EventDraft, Target, TargetType},
    id::{MemberId, OrgId, UserId},
    permission::Permission,
    role::Role,
};

/// Membership of a user in an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    pub id: MemberId,
    pub user_id: UserId,
    /// E-mail address for sign-in.
    #[cfg_attr(feature = "openapi", schema(example = "bo@acme.example", max_length = 254))]
    pub email: String,
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Bo Lind", max_length = 100))]
    pub name: String,
    pub role: Role,
    /// Time of joining the org.
    pub created_at: DateTime<Utc>,
}

/// A member to remove from the org.
#[derive(Debug)]
pub struct RemovedMember(pub Member);

/// Reason for which a membership cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    #[error("you cannot change members with a role above yours, or grant a role above yours")]
    AboveOwnRole,
    #[error("the last owner cannot be removed or demoted")]
    LastOwner,
    #[error("promotion to admin or owner is blocked under impersonation")]
    PromotionUnderImpersonation,
}

impl Member {
    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(TargetType::Member, self.id, &self.email)
    }
}

/// A member with the data that a change of the membership depends on, read under a lock.
#[derive(Debug)]
pub struct LockedMember {
    pub org: OrgId,
    pub member: Member,
    /// The caller's current role.
    pub own_role: Role,
    /// Number of owners of the org.
    pub owners: u64,
}

impl LockedMember {
    /// Changes the member's role.
    pub fn change_role(self, role: Role, actor: &Actor) -> Result<Change<Member>, MemberError> {
        self.check_caller_may_manage()?;
        if role > self.own_role {
            return Err(MemberError::AboveOwnRole);
        }
        let member = self.member;
        if role == member.role {
            return Ok(Change::unchanged(member));
        }
        let impersonated = actor.caller().is_some_and(|caller| caller.impersonation().is_some());
        if impersonated && role > member.role && role >= Role::Admin {
            return Err(MemberError::PromotionUnderImpersonation);
        }
        check_owner_remains(&member, self.owners)?;
        let predicate = format!("changed {} from {} to {role}", member.email, member.role);
        let draft = EventDraft::new(Action::UserRoleChanged, member.target(), predicate)
            .with_change("role", member.role, role);
        Ok(Change::recorded(Member { role, ..member }, draft))
    }

    /// Removes the member from the org.
    pub fn remove(self) -> Result<Change<RemovedMember>, MemberError> {
        self.check_caller_may_manage()?;
        let member = self.member;
        check_owner_remains(&member, self.owners)?;
        let predicate = format!("removed {} from the org", member.email);
        let draft = EventDraft::new(Action::UserRemoved, member.target(), predicate)
            .with_metadata("role", member.role)
            .with_metadata("user_id", member.user_id);
        let impersonations = ImpersonationsOf::Membership { org: self.org, target: member.user_id };
        Ok(Change::recorded(RemovedMember(member), draft)
            .with_effect(Effect::EndImpersonations(impersonations)))
    }

    /// Checks the caller's role again under the lock: it may have changed since authorization.
    fn check_caller_may_manage(&self) -> Result<(), MemberError> {
        let still_manages = Permission::MembersManage.granted_to_role(self.own_role);
        if still_manages && self.member.role <= self.own_role {
            Ok(())
        } else {
            Err(MemberError::AboveOwnRole)
        }
    }
}

fn check_owner_remains(member: &Member, owners: u64) -> Result<(), MemberError> {
    if member.role == Role::Owner && owners <= 1 { Err(MemberError::LastOwner) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use uuid::Uuid;

    fn locked_member(role: Role, own_role: Role, owners: u64) -> LockedMember {
        let nil = Uuid::nil();
        let member = Member {
            id: Id::new(nil),
            user_id: Id::new(nil),
            email: "bo@acme.example".into(),
            name: "Bo".into(),
            role,
            created_at: DateTime::UNIX_EPOCH,
        };
        LockedMember { org: Id::new(nil), member, own_role, owners }
    }

    const ACTOR: Actor = Actor::Cli { command: "test" };

    /// Checks the rules for all triples of roles.
    #[test]
    fn role_changes_are_limited_by_own_role() {
        for own in Role::ALL.iter().copied() {
            for old in Role::ALL.iter().copied() {
                let reach = own >= Role::Admin && old <= own;
                for new in Role::ALL.iter().copied() {
                    let changed = locked_member(old, own, 2).change_role(new, &ACTOR);
                    assert_eq!(
                        changed.is_ok(),
                        reach && new <= own,
                        "{own} changes {old} to {new}"
                    );
                    if let Ok(change) = changed {
                        assert_eq!(
                            change.event().is_some(),
                            old != new,
                            "an event is recorded if and only if the role changes"
                        );
                    }
                }
                assert_eq!(
                    locked_member(old, own, 2).remove().is_ok(),
                    reach,
                    "{own} removes {old}"
                );
            }
        }
    }

    #[test]
    fn last_owner_cannot_be_demoted_or_removed() {
        for role in [Role::Viewer, Role::Member, Role::Admin] {
            let demoted = locked_member(Role::Owner, Role::Owner, 1).change_role(role, &ACTOR);
            assert_eq!(
                demoted.err(),
                Some(MemberError::LastOwner),
                "the last owner cannot become {role}"
            );
        }
        assert_eq!(
            locked_member(Role::Owner, Role::Owner, 1).remove().err(),
            Some(MemberError::LastOwner),
            "the last owner cannot be removed"
        );
        assert!(
            locked_member(Role::Owner, Role::Owner, 2).remove().is_ok(),
            "one of two owners can be removed"
        );
        assert!(
            locked_member(Role::Admin, Role::Owner, 1).remove().is_ok(),
            "the limit applies to owners only"
        );
    }
}
