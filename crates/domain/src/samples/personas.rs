//! Users, orgs and requests of the sample events.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    actor::{ActiveImpersonation, Caller, Person},
    change::{Change, New},
    id::Id,
    impersonation::Impersonation,
    impersonation_start::{self, ImpersonationTarget, StartRequest},
    justification::{Justification, Reason, TicketRef},
    member::Member,
    mode::Mode,
    org::Org,
    plan::Plan,
    role::Role,
    tier::Tier,
    user::User,
};

pub const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

pub fn user(name: &str, email: &str) -> User {
    User {
        id: Id::new(Uuid::nil()),
        email: email.into(),
        name: name.into(),
        image_url: None,
        created_at: NOW,
        suspended_at: None,
    }
}

pub fn caller(name: &str, tier: Option<Tier>) -> Caller {
    // Another ID than that of the users in the samples: staff cannot impersonate themselves.
    let person = Person { id: Id::new(Uuid::max()), name: name.into(), email: String::new() };
    Caller { person, tier, session: Id::new(Uuid::nil()), impersonation: None }
}

pub fn impersonating(staff: Caller) -> Caller {
    let impersonation = ActiveImpersonation {
        id: Id::new(Uuid::nil()),
        target: user("Ana Costa", "ana@acme.example").into_person(),
        org: org().reference(),
        mode: Mode::Full,
        reason: reason().to_string(),
        ticket_ref: "SUP-4312".into(),
        started_at: NOW,
        expires_at: NOW,
    };
    Caller { impersonation: Some(impersonation), ..staff }
}

pub fn started(sam: &Caller) -> Change<New<Impersonation>> {
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
    impersonation_start::start(Id::new(Uuid::nil()), sam, target, &request, NOW)
        .expect("a user can be impersonated")
}

pub fn bo() -> Member {
    Member {
        id: Id::new(Uuid::nil()),
        user_id: Id::new(Uuid::nil()),
        email: "bo@acme.example".into(),
        name: "Bo Lind".into(),
        role: Role::Viewer,
        created_at: NOW,
    }
}

pub fn org() -> Org {
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

pub fn justification() -> Justification {
    Justification { reason: reason(), ticket: None }
}

pub fn reason() -> Reason {
    Reason::try_from("requested by the customer".to_owned()).expect("long enough")
}
