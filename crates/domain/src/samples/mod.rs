//! A sample event of each action, made by the transitions themselves, so that the wording of
//! summaries is visible in review (`openapi/audit-actions.md`).

mod personas;

use chrono::Duration;
use uuid::Uuid;

use self::personas::{NOW, bo, caller, impersonating, justification, org, reason, started, user};
use crate::{
    access::{self, AccessedLogs, LogAccess, RequestLine},
    action::Action,
    actor::{Actor, Caller},
    change::Change,
    credential::{NewPassword, NewUser},
    end_cause::EndCause,
    erasure,
    event::{Event, Source},
    event_draft::{EventDraft, TargetType},
    id::Id,
    member::LockedMember,
    org::Org,
    plan::Plan,
    retention::{self, Retention},
    role::Role,
    session::{Session, sign_in_failed},
    settings::{Branding, Edit, Settings},
    staff::LockedStaff,
    tier::Tier,
};

/// Summaries of sample events of the action, one for each wording.
#[must_use]
pub fn summaries(action: Action) -> Vec<String> {
    let samples = std::iter::once(sample(action)).chain(further(action));
    samples
        .map(|(actor, draft)| {
            assert_eq!(draft.action, action, "a sample is of its action");
            let id = Id::new(Uuid::nil());
            Event::of(draft, id, NOW, &actor, None, Source::default()).summary
        })
        .collect()
}

/// Type of the target of the action's events.
#[must_use]
pub fn target_type(action: Action) -> TargetType {
    sample(action).1.target.kind
}

fn sample(action: Action) -> (Actor, EventDraft) {
    match action {
        Action::AuthLoginSucceeded
        | Action::AuthLoginFailed
        | Action::AuthLoggedOut
        | Action::AuthRefreshReused
        | Action::AuthSessionRevoked
        | Action::UserCreated
        | Action::UserProfileUpdated
        | Action::UserPasswordChanged => of_user(action),
        Action::UserRoleChanged
        | Action::UserRemoved
        | Action::OrgCreated
        | Action::OrgUpdated
        | Action::OrgDeletionRequested
        | Action::SettingsUpdated => of_org(action),
        Action::StaffTierChanged
        | Action::SearchPerformed
        | Action::ImpersonationStarted
        | Action::ImpersonationEnded
        | Action::ImpersonationRequest
        | Action::PermissionDenied => of_staff(action),
        Action::AuditEntryRejected
        | Action::AuditExported
        | Action::AuditViewed
        | Action::AuditRetentionChanged
        | Action::AuditRetentionApplied
        | Action::PrivacyErased => of_log(action),
    }
}

/// Samples of the other wordings of an action.
fn further(action: Action) -> Vec<(Actor, EventDraft)> {
    let staff = || Actor::Caller(Box::new(caller("Kai Berg", Some(Tier::SuperAdmin))));
    match action {
        Action::ImpersonationEnded => {
            let causes = EndCause::ALL.iter().filter(|cause| **cause != EndCause::Ended);
            let sam = caller("Sam Okoro", Some(Tier::Support));
            causes.map(|cause| (Actor::System, ended(&sam, *cause))).collect()
        }
        Action::StaffTierChanged => {
            vec![(staff(), tier_set(Some(Tier::Operations))), (staff(), tier_set(None))]
        }
        Action::AuditViewed => [AccessedLogs::All, AccessedLogs::Platform]
            .map(|logs| (staff(), access::log_viewed(logs, LogAccess::Read, None::<()>)))
            .into(),
        Action::AuditRetentionChanged => {
            let retention = || Retention { org: org().reference(), days: None, held_since: None };
            let frozen = Retention { held_since: Some(NOW), ..retention() };
            let hold = retention().hold(&reason(), NOW);
            let release = frozen.release(&reason());
            vec![
                (Actor::Cli { command: "postern retention hold" }, draft(hold)),
                (Actor::Cli { command: "postern retention release" }, draft(release)),
            ]
        }
        _ => Vec::new(),
    }
}

/// End of Sam's impersonation of Ana.
fn ended(sam: &Caller, cause: EndCause) -> EventDraft {
    draft(started(sam).into_parts().0.0.end(cause, NOW).expect("it is active"))
}

/// Change of Kim's tier from support.
fn tier_set(tier: Option<Tier>) -> EventDraft {
    let user = user("Kim Lee", "kim@postern.example");
    let current = Some((Tier::Support, NOW));
    let staff = LockedStaff { user, current, caller: None, super_admins: 1 };
    draft(staff.set_tier(tier, 2, &justification(), NOW).expect("an operator changes tiers"))
}

fn of_user(action: Action) -> (Actor, EventDraft) {
    let ana = user("Ana Costa", "ana@acme.example");
    let context = Source::default();
    let session = || {
        let opened =
            Session::open(Id::new(Uuid::nil()), &ana, None, NOW, Duration::days(1), &context);
        opened.into_parts().0.0
    };
    let draft = match action {
        Action::AuthLoginSucceeded => {
            draft(Session::open(Id::new(Uuid::nil()), &ana, None, NOW, Duration::days(1), &context))
        }
        Action::AuthLoginFailed => sign_in_failed("ana@acme.example"),
        Action::AuthLoggedOut => draft(session().sign_out(&ana.email, NOW)),
        Action::AuthRefreshReused => draft(session().refresh_reused(&ana, NOW)),
        Action::UserProfileUpdated => draft(ana.update_profile(Some("Ana C.".into()), None)),
        Action::UserPasswordChanged => {
            draft(NewPassword::by(&caller("Ana Costa", None), "hash".to_owned().into(), NOW))
        }
        Action::UserCreated => {
            let hash = "hash".to_owned().into();
            let change = NewUser::new(ana.id, ana.email, ana.name, hash, NOW);
            return (Actor::Cli { command: "postern user add" }, draft(change));
        }
        _ => draft(session().revoke(&ana.email, NOW)),
    };
    (Actor::Caller(Box::new(caller("Ana Costa", None))), draft)
}

fn of_org(action: Action) -> (Actor, EventDraft) {
    let actor = Actor::Caller(Box::new(caller("Ana Costa", None)));
    let locked = LockedMember { org: org().id, member: bo(), own_role: Role::Owner, owners: 1 };
    let draft = match action {
        Action::UserRoleChanged => {
            draft(locked.change_role(Role::Member, &actor).expect("the owner changes roles"))
        }
        Action::UserRemoved => draft(locked.remove().expect("the owner removes members")),
        Action::OrgCreated => {
            let founder = user("Ana Costa", "ana@acme.example").into_person();
            let Org { id, slug, name, .. } = org();
            draft(Org::create(id, slug, name, bo().id, &founder, NOW))
        }
        Action::OrgUpdated => draft(org().rename("Acme Group".into())),
        Action::OrgDeletionRequested => {
            draft(org().request_deletion("acme", NOW).expect("the slug is confirmed"))
        }
        _ => {
            let settings = Settings {
                branding: Branding::default(),
                support_email: None,
                limits: Plan::Growth.limits(),
                version: 1,
            };
            let edit = Edit { color: Some(Some("#0a7d5c".into())), ..Edit::default() };
            draft(settings.edit(&org(), edit, None).expect("the version is current"))
        }
    };
    (actor, draft)
}

fn of_staff(action: Action) -> (Actor, EventDraft) {
    let sam = caller("Sam Okoro", Some(Tier::Support));
    let line = RequestLine {
        operation: "change_member_role",
        method: "PATCH",
        path: "/v1/orgs/acme/members/mem_01k7fgpr00e00800000000000g",
    };
    let draft = match action {
        Action::StaffTierChanged => {
            let user = user("Kim Lee", "kim@postern.example");
            let staff = LockedStaff { user, current: None, caller: None, super_admins: 1 };
            let change = staff.set_tier(Some(Tier::Support), 2, &justification(), NOW);
            let draft = draft(change.expect("a user without a tier gets one"));
            let kai = caller("Kai Berg", Some(Tier::SuperAdmin));
            return (Actor::Caller(Box::new(kai)), draft);
        }
        Action::SearchPerformed => access::accounts_searched("ana@acme", 1),
        Action::ImpersonationStarted => draft(started(&sam)),
        Action::ImpersonationEnded => ended(&sam, EndCause::Ended),
        Action::PermissionDenied => access::denied(line, "permission_denied"),
        _ => {
            let draft = access::requested_under_impersonation(line);
            return (Actor::Caller(Box::new(impersonating(sam))), draft);
        }
    };
    (Actor::Caller(Box::new(sam)), draft)
}

fn of_log(action: Action) -> (Actor, EventDraft) {
    let sam = Actor::Caller(Box::new(caller("Sam Okoro", Some(Tier::Engineering))));
    let acme = org().reference();
    match action {
        Action::AuditEntryRejected => (Actor::System, access::entry_rejected(Id::new(Uuid::nil()))),
        Action::AuditExported => {
            let origin = "postern.example/org_01k7fgpr00e00800000000000g";
            (sam, access::log_exported(Some(acme), origin, "ndjson", (), 1_200))
        }
        Action::AuditViewed => {
            (sam, access::log_viewed(AccessedLogs::Org(acme), LogAccess::Streamed, None::<()>))
        }
        Action::AuditRetentionChanged => {
            let retention = Retention { org: acme, days: None, held_since: None };
            let change = retention.keep_for(90, &reason()).expect("90 days are allowed");
            (Actor::Cli { command: "postern retention set" }, draft(change))
        }
        Action::AuditRetentionApplied => {
            let draft = retention::applied(Some(&acme), NOW, 12, 12);
            (Actor::Cli { command: "postern retention run" }, draft)
        }
        _ => {
            let draft = erasure::erased(bo().user_id, 12, Some(acme), Some(&reason()));
            (Actor::Cli { command: "postern privacy erase" }, draft)
        }
    }
}

fn draft<T>(change: Change<T>) -> EventDraft {
    change.into_parts().1.expect("the sample changes something")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_sample() {
        for action in Action::ALL {
            assert!(!summaries(*action).is_empty(), "{action} has a sample");
        }
    }

    #[test]
    fn samples_of_an_action_have_the_same_type_of_target() {
        for action in Action::ALL {
            for (_, draft) in further(*action) {
                assert_eq!(draft.target.kind, target_type(*action), "{action}");
            }
        }
    }
}
