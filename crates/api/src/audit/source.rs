//! Whose log an operation reads: the org's that it takes place in, or any, for staff.

use postern_domain::{
    action::Action,
    event::{EventDraft, Target, TargetType},
    org::OrgRef,
    permission::Permission,
};
use postern_persistence::{
    repository::{events::Events, log::Log},
    unit::{HasLog, Reader},
};

use crate::{
    http::{Call, Entry},
    operations::{Op, op},
};

/// An operation that reads a log as a whole.
pub trait Source: Op<Scope: Entry<Held = Reader<Self::Scope>> + HasLog> {
    fn events(call: &Call<Self>) -> Events<'_>
    where
        Self: Sized;

    /// May the caller still see all that was asked for, beyond what the operation needs?
    fn sees_all(call: &Call<Self>) -> bool
    where
        Self: Sized;

    /// The log of an org, or the platform's own.
    fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a>
    where
        Self: Sized;
}

macro_rules! reads {
    ($($op:ident: $log:expr, $sees_all:expr);+ $(;)?) => {
        $(impl Source for op::$op {
            fn events(call: &Call<Self>) -> Events<'_> {
                (**call).events()
            }

            fn sees_all(call: &Call<Self>) -> bool {
                let sees_all: fn(&Call<Self>) -> bool = $sees_all;
                sees_all(call)
            }

            fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a> {
                let log: fn(&'a Reader<<Self as Op>::Scope>, Option<&OrgRef>) -> Log<'a> = $log;
                log(call, org)
            }
        })+
    };
}

reads! {
    ListAuditEvents: |call, _| call.log(), |_| true;
    StreamAuditEvents: |call, _| call.log(), |_| true;
    // The list shows everybody their own; a whole log is for who sees all.
    ListPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id)), |call| call.has_permission(Permission::PlatformAuditReadAll);
    StreamPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id)), |_| true;
}

/// Staff looked at what others did: in the log of an org, or `otherwise`.
pub fn viewed(org: Option<OrgRef>, did: &str, otherwise: &str) -> EventDraft {
    let label = org.as_ref().map_or(otherwise, |org| &org.slug).to_owned();
    let target = Target {
        kind: TargetType::Log,
        id: org.as_ref().map(|org| org.id.to_string()),
        label: label.clone(),
    };
    EventDraft::new(Action::AuditViewed, target, format!("{did} the audit log of {label}"))
        .in_org_log(org)
}
