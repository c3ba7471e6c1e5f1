//! Log that an operation reads: that of the org in the path or, for staff, any log.

use postern_domain::{org_ref::OrgRef, permission::Permission};
use postern_persistence::{
    repository::{events::Events, log::Log},
    unit::{HasLog, Reader},
};

use crate::{
    http::{Call, EnterScope},
    operations::{Op, op},
};

/// Operation that reads a whole log.
pub trait LogReader: Op<Scope: EnterScope<Access = Reader<Self::Scope>> + HasLog> {
    fn events(call: &Call<Self>) -> Events<'_>
    where
        Self: Sized;

    /// Whether the caller may still read all requested events, which can require more than the
    /// permission of the operation.
    fn sees_all(call: &Call<Self>) -> bool
    where
        Self: Sized;

    /// Log of an org, or the platform's log.
    fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a>
    where
        Self: Sized;
}

macro_rules! reads {
    ($($op:ident: $log:expr, $sees_all:expr);+ $(;)?) => {
        $(impl LogReader for op::$op {
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
    // All staff list their own events; an export of a whole log requires the wider permission.
    ListPlatformAuditEvents:
        |call, org| call.log(org.map(|org| org.id)),
        |call| call.has_permission(Permission::PlatformAuditReadAll);
    StreamPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id)), |_| true;
}
