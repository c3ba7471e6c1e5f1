//! Effects: consequences of a change that saving applies in the same transaction.

use crate::{
    end_cause::EndCause,
    id::{OrgId, SessionId, UserId},
};

/// A consequence of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ends active impersonations, each with its own audit event.
    EndImpersonations(ImpersonationsOf),
    /// Ends all sessions of a user except one, and the impersonations started in them.
    EndOtherSessions { user: UserId, kept_session: SessionId },
}

/// The impersonations that a change makes invalid. [`crate::policy`] rejects requests under them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpersonationsOf {
    /// The session they were started in.
    Session(SessionId),
    /// The sessions of a staff member, except one.
    OtherSessions { user: UserId, kept_session: SessionId },
    /// A staff member who loses their tier.
    Staff(UserId),
    /// A user who is granted a tier: staff cannot be impersonated.
    NewStaff(UserId),
    /// A suspended user, as staff member or as impersonated user. Users are suspended in the
    /// database only: no operation does it yet.
    Suspended(UserId),
    /// The membership of the impersonated user.
    Membership { org: OrgId, target: UserId },
    /// The org.
    Org(OrgId),
}

impl ImpersonationsOf {
    #[must_use]
    pub const fn cause(self) -> EndCause {
        match self {
            Self::Session(_) => EndCause::SessionEnded,
            Self::OtherSessions { .. } => EndCause::CredentialsChanged,
            Self::Staff(_) | Self::NewStaff(_) => EndCause::TierChanged,
            Self::Suspended(_) => EndCause::Suspended,
            Self::Membership { .. } => EndCause::MembershipChanged,
            Self::Org(_) => EndCause::OrgDeleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::{
        actor::{Caller, Person},
        change::Change,
        credential::NewPassword,
        event::Source,
        id::Id,
        justification::{Justification, Reason},
        member::{LockedMember, Member},
        org::Org,
        plan::Plan,
        role::Role,
        session::Session,
        staff::LockedStaff,
        tier::Tier,
        user::User,
    };

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn user() -> User {
        User {
            id: Id::new(Uuid::from_u128(1)),
            email: "sam@postern.example".into(),
            name: "Sam".into(),
            image_url: None,
            created_at: NOW,
            suspended_at: None,
        }
    }

    fn session() -> Session {
        let id = Id::new(Uuid::from_u128(2));
        Session::open(id, &user(), None, NOW, Duration::hours(1), &Source::default())
            .into_parts()
            .0
            .0
    }

    fn ends<T>(change: &Change<T>, impersonations: ImpersonationsOf) {
        assert_eq!(
            change.effects(),
            [Effect::EndImpersonations(impersonations)],
            "the change ends exactly these impersonations"
        );
    }

    #[test]
    fn ending_a_session_ends_its_impersonations() {
        let of = ImpersonationsOf::Session(session().id);
        ends(&session().sign_out("sam", NOW), of);
        ends(&session().revoke("sam", NOW), of);
        ends(&session().refresh_reused(&user(), NOW), of);
        let ended = session().sign_out("sam", NOW).into_parts().0;
        assert_eq!(ended.revoke("sam", NOW).effects(), [], "an ended session has no effects left");
    }

    #[test]
    fn changing_a_password_ends_the_other_sessions() {
        let User { id, name, email, .. } = user();
        let kept_session = session().id;
        let person = Person { id, email, name };
        let caller = Caller { person, tier: None, session: kept_session, impersonation: None };
        let change = NewPassword::by(&caller, "hash".to_owned().into(), NOW);
        assert_eq!(
            change.effects(),
            [Effect::EndOtherSessions { user: id, kept_session }],
            "the session of the caller is kept"
        );
    }

    #[test]
    fn removing_staff_ends_their_impersonations() {
        let justification = || Justification {
            reason: Reason::try_from("leaves the support team".to_owned()).expect("long enough"),
            ticket: None,
        };
        let staff = |tier| LockedStaff {
            user: user(),
            current: Some((tier, NOW)),
            caller: None,
            super_admins: 2,
        };
        let removed =
            staff(Tier::Support).set_tier(None, 2, &justification(), NOW).expect("allowed");
        ends(&removed, ImpersonationsOf::Staff(user().id));
        let raised = staff(Tier::Support)
            .set_tier(Some(Tier::Operations), 2, &justification(), NOW)
            .expect("allowed");
        assert_eq!(raised.effects(), [], "a staff member who stays keeps their impersonations");
        let new = LockedStaff { current: None, ..staff(Tier::Support) };
        let granted = new.set_tier(Some(Tier::Support), 2, &justification(), NOW).expect("allowed");
        ends(&granted, ImpersonationsOf::NewStaff(user().id));
    }

    #[test]
    fn removing_a_member_or_an_org_ends_its_impersonations() {
        let org = Org {
            id: Id::new(Uuid::from_u128(3)),
            slug: "acme".into(),
            name: "Acme".into(),
            plan: Plan::Starter,
            trial_ends_at: None,
            limits: Plan::Starter.limits(),
            created_at: NOW,
            deletion_requested_at: None,
        };
        let User { id, name, email, .. } = user();
        let member = Member {
            id: Id::new(Uuid::from_u128(4)),
            user_id: id,
            email,
            name,
            role: Role::Member,
            created_at: NOW,
        };
        let locked = LockedMember { org: org.id, member, own_role: Role::Owner, owners: 1 };
        let removed = locked.remove().expect("allowed");
        ends(&removed, ImpersonationsOf::Membership { org: org.id, target: id });
        let of = ImpersonationsOf::Org(org.id);
        ends(&org.request_deletion("acme", NOW).expect("confirmed"), of);
    }
}
