//! Impersonations of one org or, for staff, of all.

use postern_domain::{
    Id,
    actor::Person,
    change::New,
    effect::ImpersonationsOf,
    end_cause::EndCause,
    id::{ImpersonationId, OrgId},
    impersonation::Impersonation,
    impersonation_view::ImpersonationView,
    mode::Mode,
    org_ref::OrgRef,
    scope::{self, Scope},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryFilter,
    prelude::DateTimeUtc,
    sea_query::{Alias, Expr, ExprTrait, LockType, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    impersonation_filter::{ImpersonationFilter, column},
    page::{Page, PageRequest},
};
use crate::{
    entity::{impersonation, organization, user},
    error::{StoreError, unknown},
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct Impersonations<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

impl<'a> Impersonations<'a> {
    pub(crate) const fn of_org(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org: Some(org) }
    }

    pub(crate) const fn of_all(tx: &'a Tx) -> Self {
        Self { tx, org: None }
    }

    /// Active and past impersonations, with their status at `now`.
    pub async fn page(
        &self,
        filter: &ImpersonationFilter,
        now: DateTimeUtc,
        page: PageRequest,
    ) -> Result<Page<ImpersonationView>, StoreError> {
        let mut query = self.select();
        query.cond_where(filter.condition(self.tx.get_database_backend(), now));
        page.apply(&mut query, column(impersonation::Column::Id));
        let rows = self.read(&query).await?.into_iter().map(|row| row.view(now)).collect();
        Ok(page.into_page(rows, |impersonation: &ImpersonationView| impersonation.id.uuid()))
    }

    /// An impersonation, with its status at `now`.
    pub async fn find(
        &self,
        id: ImpersonationId,
        now: DateTimeUtc,
    ) -> Result<Option<ImpersonationView>, StoreError> {
        let mut query = self.select();
        query.and_where(column(impersonation::Column::Id).eq(id.uuid()));
        Ok(self.read(&query).await?.pop().map(|impersonation| impersonation.view(now)))
    }

    /// An impersonation, locked until the unit of work ends.
    pub async fn find_for_update(
        &self,
        id: ImpersonationId,
    ) -> Result<Option<Impersonation>, StoreError> {
        let mut query = self.select();
        query
            .and_where(column(impersonation::Column::Id).eq(id.uuid()))
            .lock_with_tables(LockType::Update, [Alias::new("i")]);
        Ok(self.read(&query).await?.pop())
    }

    /// Active impersonations that a change makes invalid, locked until the unit of work ends.
    pub(crate) async fn find_linked_for_update(
        &self,
        of: ImpersonationsOf,
        now: DateTimeUtc,
    ) -> Result<Vec<Impersonation>, StoreError> {
        use impersonation::Column as C;
        let condition = match of {
            ImpersonationsOf::Session(session) => column(C::StaffSessionId).eq(session.uuid()),
            ImpersonationsOf::OtherSessions { user, kept_session } => column(C::StaffUserId)
                .eq(user.uuid())
                .and(column(C::StaffSessionId).ne(kept_session.uuid())),
            ImpersonationsOf::Staff(user) => column(C::StaffUserId).eq(user.uuid()),
            ImpersonationsOf::NewStaff(user) => column(C::TargetUserId).eq(user.uuid()),
            ImpersonationsOf::Suspended(user) => {
                let as_target = column(C::TargetUserId).eq(user.uuid());
                column(C::StaffUserId).eq(user.uuid()).or(as_target)
            }
            ImpersonationsOf::Membership { org, target } => {
                column(C::OrgId).eq(org.uuid()).and(column(C::TargetUserId).eq(target.uuid()))
            }
            ImpersonationsOf::Org(org) => column(C::OrgId).eq(org.uuid()),
        };
        let mut query = self.select();
        query
            .and_where(condition)
            .and_where(column(C::EndedAt).is_null())
            .and_where(column(C::ExpiresAt).gt(now))
            .lock_with_tables(LockType::Update, [Alias::new("i")]);
        self.read(&query).await
    }

    fn select(&self) -> SelectStatement {
        let mut query = Query::select();
        for name in impersonation::Column::iter() {
            query.expr_as(column(name), name.as_str());
        }
        query
            .expr_as(Expr::col((Alias::new("s"), user::Column::Email)), "staff_email")
            .expr_as(Expr::col((Alias::new("s"), user::Column::Name)), "staff_name")
            .expr_as(Expr::col((Alias::new("t"), user::Column::Email)), "user_email")
            .expr_as(Expr::col((Alias::new("t"), user::Column::Name)), "user_name")
            .expr_as(Expr::col((Alias::new("o"), organization::Column::Slug)), "org_slug")
            .expr_as(Expr::col((Alias::new("o"), organization::Column::Name)), "org_name")
            .from_as(impersonation::Entity, Alias::new("i"));
        for (alias, key) in
            [("s", impersonation::Column::StaffUserId), ("t", impersonation::Column::TargetUserId)]
        {
            let same =
                Expr::col((Alias::new(alias), user::Column::Id)).equals((Alias::new("i"), key));
            query.join_as(sea_orm::JoinType::InnerJoin, user::Entity, Alias::new(alias), same);
        }
        let same = Expr::col((Alias::new("o"), organization::Column::Id))
            .equals((Alias::new("i"), impersonation::Column::OrgId));
        query.join_as(sea_orm::JoinType::InnerJoin, organization::Entity, Alias::new("o"), same);
        query.and_where_option(
            self.org.map(|org| column(impersonation::Column::OrgId).eq(org.uuid())),
        );
        query
    }

    async fn read(&self, query: &SelectStatement) -> Result<Vec<Impersonation>, StoreError> {
        self.tx
            .query_all(query)
            .await?
            .iter()
            .map(|row| Row::from_query_result(row, "")?.try_into())
            .collect()
    }
}

/// An impersonation with its users and its org.
#[derive(FromQueryResult)]
pub struct Row {
    pub org_id: Uuid,
    pub id: Uuid,
    pub staff_user_id: Uuid,
    pub staff_session_id: Uuid,
    pub target_user_id: Uuid,
    pub mode: String,
    pub reason: String,
    pub ticket_ref: String,
    pub started_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub end_cause: Option<String>,
    pub staff_email: String,
    pub staff_name: String,
    pub user_email: String,
    pub user_name: String,
    pub org_slug: String,
    pub org_name: String,
}

impl TryFrom<Row> for Impersonation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let mode = Mode::parse(&row.mode).ok_or_else(|| unknown("mode", &row.mode))?;
        let end_cause = row
            .end_cause
            .map(|cause| EndCause::parse(&cause).ok_or_else(|| unknown("end cause", &cause)))
            .transpose()?;
        Ok(Self {
            id: Id::new(row.id),
            org: OrgRef { id: Id::new(row.org_id), slug: row.org_slug, name: row.org_name },
            staff: Person {
                id: Id::new(row.staff_user_id),
                email: row.staff_email,
                name: row.staff_name,
            },
            staff_session_id: Id::new(row.staff_session_id),
            user: Person {
                id: Id::new(row.target_user_id),
                email: row.user_email,
                name: row.user_name,
            },
            mode,
            reason: row.reason,
            ticket_ref: row.ticket_ref,
            started_at: row.started_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            end_cause,
        })
    }
}

impl Persist<scope::Staff> for New<Impersonation> {
    async fn persist(&self, to: WriteContext<'_, scope::Staff>) -> Result<(), StoreError> {
        let new = &self.0;
        let row = impersonation::ActiveModel {
            org_id: Set(new.org.id.uuid()),
            id: Set(new.id.uuid()),
            staff_user_id: Set(new.staff.id.uuid()),
            staff_session_id: Set(new.staff_session_id.uuid()),
            target_user_id: Set(new.user.id.uuid()),
            mode: Set(new.mode.name().to_owned()),
            reason: Set(new.reason.clone()),
            ticket_ref: Set(new.ticket_ref.clone()),
            started_at: Set(new.started_at),
            expires_at: Set(new.expires_at),
            ended_at: Set(new.ended_at),
            end_cause: Set(new.end_cause.map(|cause| cause.name().to_owned())),
        };
        impersonation::Entity::insert(row).exec_without_returning(to.tx).await?;
        Ok(())
    }
}

// In every scope, because an impersonation may end with something that any of them removes.
impl<S: Scope> Persist<S> for Impersonation {
    async fn persist(&self, to: WriteContext<'_, S>) -> Result<(), StoreError> {
        impersonation::Entity::update_many()
            .col_expr(impersonation::Column::EndedAt, Expr::value(self.ended_at))
            .col_expr(
                impersonation::Column::EndCause,
                Expr::value(self.end_cause.map(EndCause::name)),
            )
            .filter(impersonation::Column::OrgId.eq(self.org.id.uuid()))
            .filter(impersonation::Column::Id.eq(self.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}
