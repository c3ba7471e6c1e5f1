//! Log that an operation reads: that of the org in the path or, for staff, any log.

use postern_domain::org_ref::OrgRef;
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

    /// Log of an org, or the platform's log.
    fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a>
    where
        Self: Sized;
}

macro_rules! reads {
    ($($op:ident: $log:expr);+ $(;)?) => {
        $(impl LogReader for op::$op {
            fn events(call: &Call<Self>) -> Events<'_> {
                (**call).events()
            }

            fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a> {
                let log: fn(&'a Reader<<Self as Op>::Scope>, Option<&OrgRef>) -> Log<'a> = $log;
                log(call, org)
            }
        })+
    };
}

reads! {
    ExportAuditEvents: |call, _| call.log();
    StreamAuditEvents: |call, _| call.log();
    ExportPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id));
    StreamPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id));
}
