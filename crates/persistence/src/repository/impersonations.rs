//! Impersonations of one org or, for staff, of all.

use postern_domain::{
    Id,
    change::New,
    effect::ImpersonationsOf,
    id::{ImpersonationId, OrgId, UserId},
    impersonation::Impersonation,
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

use super::page::{Page, PageRequest};
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

    /// Active and past impersonations; with `of`, only those of one staff member.
    pub async fn page(
        &self,
        of: Option<UserId>,
        page: PageRequest,
    ) -> Result<Page<Impersonation>, StoreError> {
        let mut query = self.select();
        query.and_where_option(
            of.map(|user| column(impersonation::Column::StaffUserId).eq(user.uuid())),
        );
        page.apply(&mut query, column(impersonation::Column::Id));
        let rows = self.read(&query).await?;
        Ok(page.into_page(rows, |impersonation| impersonation.id.uuid()))
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

    /// Active impersonations that depend on `on`, locked until the unit of work ends.
    pub(crate) async fn find_linked_for_update(
        &self,
        on: ImpersonationsOf,
        now: DateTimeUtc,
    ) -> Result<Vec<Impersonation>, StoreError> {
        use impersonation::Column as C;
        let condition = match on {
            ImpersonationsOf::Session(session) => column(C::StaffSessionId).eq(session.uuid()),
            ImpersonationsOf::OtherSessions { user, kept_session } => column(C::StaffUserId)
                .eq(user.uuid())
                .and(column(C::StaffSessionId).ne(kept_session.uuid())),
            ImpersonationsOf::Staff(user) => column(C::StaffUserId).eq(user.uuid()),
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
            .expr_as(Expr::col((Alias::new("t"), user::Column::Email)), "target_email")
            .expr_as(Expr::col((Alias::new("o"), organization::Column::Slug)), "org_slug")
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

fn column(column: impersonation::Column) -> Expr {
    Expr::col((Alias::new("i"), column))
}

/// An impersonation with the e-mail addresses and the slug that belong to it.
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
    pub staff_email: String,
    pub target_email: String,
    pub org_slug: String,
}

impl TryFrom<Row> for Impersonation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let mode = Mode::parse(&row.mode).ok_or_else(|| unknown("mode", &row.mode))?;
        Ok(Self {
            id: Id::new(row.id),
            org: OrgRef { id: Id::new(row.org_id), slug: row.org_slug },
            staff_user_id: Id::new(row.staff_user_id),
            staff_email: row.staff_email,
            staff_session_id: Id::new(row.staff_session_id),
            target_user_id: Id::new(row.target_user_id),
            target_email: row.target_email,
            mode,
            reason: row.reason,
            ticket_ref: row.ticket_ref,
            started_at: row.started_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        })
    }
}

impl Persist<scope::Staff> for New<Impersonation> {
    async fn persist(&self, to: WriteContext<'_, scope::Staff>) -> Result<(), StoreError> {
        let new = &self.0;
        let row = impersonation::ActiveModel {
            org_id: Set(new.org.id.uuid()),
            id: Set(new.id.uuid()),
            staff_user_id: Set(new.staff_user_id.uuid()),
            staff_session_id: Set(new.staff_session_id.uuid()),
            target_user_id: Set(new.target_user_id.uuid()),
            mode: Set(new.mode.name().to_owned()),
            reason: Set(new.reason.clone()),
            ticket_ref: Set(new.ticket_ref.clone()),
            started_at: Set(new.started_at),
            expires_at: Set(new.expires_at),
            ended_at: Set(new.ended_at),
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
            .filter(impersonation::Column::OrgId.eq(self.org.id.uuid()))
            .filter(impersonation::Column::Id.eq(self.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}
