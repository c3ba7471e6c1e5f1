//! Whose log an operation reads: the org's that it takes place in, or any, for staff.

use postern_domain::org::OrgRef;
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

    /// The log of an org, or the platform's own.
    fn log<'a>(call: &'a Call<Self>, org: Option<&OrgRef>) -> Log<'a>
    where
        Self: Sized;
}

macro_rules! reads {
    ($($op:ident: $log:expr),+ $(,)?) => {
        $(impl Source for op::$op {
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
    ListAuditEvents: |call, _| call.log(),
    StreamAuditEvents: |call, _| call.log(),
    ListPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id)),
    StreamPlatformAuditEvents: |call, org| call.log(org.map(|org| org.id)),
}
