//! Scopes of operations: the data an operation works on, as a value ([`ScopeKind`]) and as a type
//! ([`Scope`]). Readers and units of work are typed by scope, so that an operation of one org has
//! no method that reaches another org's rows.

use crate::org_context::OrgContext;

/// Scope of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// No authentication required.
    Public,
    /// The signed-in user's own account.
    User,
    /// One org, as one of its members.
    Org,
    /// Operations of the vendor's staff, across orgs.
    Staff,
}

/// A scope as a type.
pub trait Scope: 'static {
    const KIND: ScopeKind;
    /// Data about the scope that authorization has loaded.
    type Context: Send + 'static;
}

#[derive(Debug)]
pub struct Public;
#[derive(Debug)]
pub struct User;
#[derive(Debug)]
pub struct Org;
#[derive(Debug)]
pub struct Staff;

impl Scope for Public {
    const KIND: ScopeKind = ScopeKind::Public;
    type Context = ();
}
impl Scope for User {
    const KIND: ScopeKind = ScopeKind::User;
    type Context = ();
}
impl Scope for Org {
    const KIND: ScopeKind = ScopeKind::Org;
    type Context = OrgContext;
}
impl Scope for Staff {
    const KIND: ScopeKind = ScopeKind::Staff;
    type Context = ();
}
