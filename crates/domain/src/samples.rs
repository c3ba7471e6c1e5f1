//! A sample event of each action, made by the transitions themselves, so that the wording of
//! summaries is visible in review (`openapi/audit-actions.md`).

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    access::{self, AccessedLogs, LogAccess, RequestLine},
    action::Action,
    actor::{ActiveImpersonation, Actor, Caller, Person},
    change::Change,
    credential::{NewPassword, NewUser},
    erasure,
    event::{Event, Source},
    event_draft::EventDraft,
    id::Id,
    impersonation::{Impersonation, ImpersonationTarget, StartRequest},
    justification::{Reason, TicketRef},
    member::{LockedMember, Member},
    mode::Mode,
    org::Org,
    plan::Plan,
    retention::{self, Retention},
    role::Role,
    session::{Session, sign_in_failed},
    settings::{Branding, Edit, Settings},
    staff::LockedStaff,
    tier::Tier,
    user::User,
};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Summary of a sample event of the action.
#[must_use]
pub fn summary(action: Action) -> String {
    let (actor, draft) = match action {
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
    };
    assert_eq!(draft.action, action, "a sample is of its action");
    Event::of(draft, Id::new(Uuid::nil()), NOW, &actor, None, Source::default()).summary
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
            let staff = LockedStaff { user, present: None, by: None, super_admins: 1 };
            let change = staff.set_tier(Some(Tier::Support), 2, &reason(), NOW);
            draft(change.expect("a user without a tier gets one"))
        }
        Action::SearchPerformed => access::accounts_searched("ana@acme", 1),
        Action::ImpersonationStarted => draft(started(&sam)),
        Action::ImpersonationEnded => {
            draft(started(&sam).into_parts().0.0.end(NOW).expect("it is active"))
        }
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
            let origin = "postern.example/acme";
            (sam, access::log_exported(Some(acme), origin, "ndjson", (), 1_200))
        }
        Action::AuditViewed => {
            (sam, access::log_viewed(AccessedLogs::Org(acme), LogAccess::Streamed))
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

fn user(name: &str, email: &str) -> User {
    User {
        id: Id::new(Uuid::nil()),
        email: email.into(),
        name: name.into(),
        image_url: None,
        created_at: NOW,
        suspended_at: None,
    }
}

fn caller(name: &str, tier: Option<Tier>) -> Caller {
    // Another ID than that of the users in the samples: staff cannot impersonate themselves.
    let person = Person { id: Id::new(Uuid::max()), name: name.into(), email: String::new() };
    Caller { person, tier, session: Id::new(Uuid::nil()), impersonation: None }
}

fn impersonating(staff: Caller) -> Caller {
    let impersonation = ActiveImpersonation {
        id: Id::new(Uuid::nil()),
        target: user("Ana Costa", "ana@acme.example").into_person(),
        org: org().reference(),
        mode: Mode::Full,
        started_at: NOW,
        expires_at: NOW,
    };
    Caller { impersonation: Some(impersonation), ..staff }
}

fn started(sam: &Caller) -> Change<crate::change::New<Impersonation>> {
    let target = ImpersonationTarget {
        user: user("Ana Costa", "ana@acme.example"),
        tier: None,
        member: Member { role: Role::Owner, ..bo() },
        org: org(),
    };
    let request = StartRequest {
        mode: Mode::Full,
        reason: reason(),
        ticket: TicketRef::try_from("SUP-4312".to_owned()).expect("a ticket"),
        duration: Duration::minutes(30),
    };
    Impersonation::start(Id::new(Uuid::nil()), sam, target, &request, NOW)
        .expect("a user can be impersonated")
}

fn bo() -> Member {
    Member {
        id: Id::new(Uuid::nil()),
        user_id: Id::new(Uuid::nil()),
        email: "bo@acme.example".into(),
        name: "Bo Lind".into(),
        role: Role::Viewer,
        created_at: NOW,
    }
}

fn org() -> Org {
    Org {
        id: Id::new(Uuid::nil()),
        slug: "acme".into(),
        name: "Acme Corporation".into(),
        plan: Plan::Growth,
        trial_ends_at: None,
        limits: Plan::Growth.limits(),
        created_at: NOW,
        deletion_requested_at: None,
    }
}

fn reason() -> Reason {
    Reason::try_from("requested by the customer".to_owned()).expect("long enough")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_sample() {
        for action in Action::ALL {
            assert!(!summary(*action).is_empty(), "{action} has a summary");
        }
    }
}
