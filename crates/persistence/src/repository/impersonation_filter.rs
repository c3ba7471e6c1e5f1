//! Filter of lists of impersonations.

use postern_domain::{
    clock::Ids,
    id::UserId,
    impersonation::{Impersonation, ImpersonationStatus},
    org_key::OrgKey,
};
use sea_orm::{
    Condition, DbBackend,
    prelude::DateTimeUtc,
    sea_query::{Alias, Expr, ExprTrait},
};

use crate::{
    backend::is_ticket_in,
    entity::{impersonation, organization},
};

/// Filter of a list of impersonations. All given fields must match.
#[derive(Debug, Default)]
pub struct ImpersonationFilter {
    pub status: Option<ImpersonationStatus>,
    pub staff: Option<UserId>,
    /// The impersonated user.
    pub user: Option<UserId>,
    pub org: Option<OrgKey>,
    /// Without case.
    pub ticket_ref: Option<String>,
    /// For staff who see only their own.
    pub only_by: Option<UserId>,
}

impl ImpersonationFilter {
    pub(super) fn condition(&self, backend: DbBackend, now: DateTimeUtc) -> Condition {
        use impersonation::Column as C;
        let org = |column| Expr::col((Alias::new("o"), column));
        let ticket = |ticket: &String| is_ticket_in(backend, column(C::TicketRef), ticket);
        Condition::all()
            .add_option(self.status.map(|status| with_status(status, now)))
            .add_option(self.staff.map(|id| column(C::StaffUserId).eq(id.uuid())))
            .add_option(self.only_by.map(|id| column(C::StaffUserId).eq(id.uuid())))
            .add_option(self.user.map(|id| column(C::TargetUserId).eq(id.uuid())))
            .add_option(self.org.as_ref().map(|key| match key {
                OrgKey::Id(id) => org(organization::Column::Id).eq(id.uuid()),
                OrgKey::Slug(slug) => org(organization::Column::Slug).eq(slug.as_str()),
            }))
            .add_option(self.ticket_ref.as_ref().map(ticket))
    }
}

fn with_status(status: ImpersonationStatus, now: DateTimeUtc) -> Condition {
    use impersonation::Column as C;
    let ended = column(C::EndedAt);
    let expires = column(C::ExpiresAt);
    match status {
        ImpersonationStatus::Ended => Condition::all().add(ended.is_not_null()),
        ImpersonationStatus::Expired => Condition::all().add(ended.is_null()).add(expires.lte(now)),
        // Ids begin with the time of the start: few rows are as new as an active impersonation.
        ImpersonationStatus::Active => Condition::all()
            .add(ended.is_null())
            .add(expires.gt(now))
            .add(column(C::Id).gte(Ids::first_of(now - Impersonation::LONGEST))),
    }
}

/// A column of the impersonation, which the query names `i`.
pub(super) fn column(column: impersonation::Column) -> Expr {
    Expr::col((Alias::new("i"), column))
}
