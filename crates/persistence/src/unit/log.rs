//! The audit log that an operation's events belong to.

use postern_domain::{
    org_ref::OrgRef,
    policy::{self, Grant},
    scope::{self, Scope},
};

/// The org that an event belongs to in a scope, unless its draft names another; none for the
/// platform's log.
pub trait HasLog: Scope + Sized {
    #[must_use]
    fn log(grant: &Grant<Self>) -> Option<OrgRef> {
        policy::impersonated_org(grant.actor()).cloned()
    }
}

impl HasLog for scope::Public {}
impl HasLog for scope::User {}
impl HasLog for scope::Staff {}
impl HasLog for scope::Org {
    fn log(grant: &Grant<Self>) -> Option<OrgRef> {
        Some(grant.context().org.reference())
    }
}
