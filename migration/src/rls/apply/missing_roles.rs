//! Roles and memberships that do not exist yet, and the SQL that creates them.

use crate::rls::{
    catalog::Catalog,
    types::{Roles, quoted},
};

pub enum Missing<'a> {
    Role(&'a str),
    Login(&'a str),
    Membership { role: &'a str, member: &'a str },
}

impl Missing<'_> {
    pub fn sql(&self, password: Option<&str>) -> String {
        match (self, password) {
            (Self::Login(_), Some(password)) => {
                format!("{} PASSWORD '{}'", self.statement(), password.replace('\'', "''"))
            }
            _ => self.statement(),
        }
    }

    /// SQL to print for a database administrator.
    pub fn sql_without_password(&self) -> String {
        match self {
            Self::Login(name) => {
                format!("{};  -- then set its password: \\password {name}", self.statement())
            }
            _ => format!("{};", self.statement()),
        }
    }

    fn statement(&self) -> String {
        match self {
            Self::Role(name) => format!("CREATE ROLE {} NOLOGIN NOINHERIT", quoted(name)),
            Self::Login(name) => format!("CREATE ROLE {} LOGIN NOINHERIT", quoted(name)),
            Self::Membership { role, member } => {
                format!("GRANT {} TO {}", quoted(role), quoted(member))
            }
        }
    }
}

/// Missing roles first, then missing memberships. Superusers need no membership.
pub fn find<'a>(
    catalog: &'a Catalog,
    Roles { tenant, platform, audit_owner, login }: &'a Roles,
) -> Vec<Missing<'a>> {
    let is_missing = |name: &str| catalog.role(name).is_none();
    let is_member = |member: &str, role: &str| catalog.membership(member, role).is_some();
    let mut missing: Vec<_> = [tenant, platform, audit_owner]
        .into_iter()
        .filter(|name| is_missing(name))
        .map(|name| Missing::Role(name))
        .collect();
    if is_missing(login) {
        missing.push(Missing::Login(login));
    }
    for role in [tenant, platform] {
        if !is_member(login, role) && !catalog.is_superuser(login) {
            missing.push(Missing::Membership { role, member: login });
        }
    }
    let owner = &catalog.session.user;
    if !is_member(owner, audit_owner) && !catalog.session.superuser {
        missing.push(Missing::Membership { role: audit_owner, member: owner });
    }
    missing
}
