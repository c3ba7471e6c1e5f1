//! The members of one org.

use postern_domain::{
    Id,
    id::{MemberId, OrgId},
    member::{LockedMember, Member, RemovedMember},
    role::Role,
    scope,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    prelude::DateTimeUtc,
    sea_query::{Alias, Condition, Expr, ExprTrait, LockType, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    page::{Page, PageRequest},
    text::contains,
};
use crate::{
    entity::{membership, user},
    error::{StoreError, unknown},
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct Members<'a> {
    tx: &'a Tx,
    org: OrgId,
}

/// Filter of a member list. All given fields must match.
#[derive(Debug, Default)]
pub struct MemberFilter {
    /// Text contained in the name or the e-mail address.
    pub q: Option<String>,
    pub role: Option<Role>,
}

impl<'a> Members<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org }
    }

    pub async fn page(
        &self,
        filter: &MemberFilter,
        page: PageRequest,
    ) -> Result<Page<Member>, StoreError> {
        let mut query = self.select();
        query.and_where_option(
            filter.role.map(|role| column(membership::Column::Role).eq(role.name())),
        );
        if let Some(q) = &filter.q {
            let backend = self.tx.get_database_backend();
            let name = contains(backend, Expr::col((Alias::new("u"), user::Column::Name)), q);
            let email = contains(backend, Expr::col((Alias::new("u"), user::Column::Email)), q);
            query.cond_where(Condition::any().add(name).add(email));
        }
        page.apply(&mut query, column(membership::Column::Id));
        let rows = self.read(&query).await?;
        Ok(page.into_page(rows, |member| member.id.uuid()))
    }

    pub async fn find(&self, id: MemberId) -> Result<Option<Member>, StoreError> {
        let mut query = self.select();
        query.and_where(column(membership::Column::Id).eq(id.uuid()));
        Ok(self.read(&query).await?.pop())
    }

    /// The member, with the rows that must not change while a decision about them is made: the
    /// member, the owners and the caller, locked until the unit of work ends. They are locked in id
    /// order, so that two such decisions wait instead of deadlocking.
    pub async fn find_for_update(
        &self,
        id: MemberId,
        caller: MemberId,
    ) -> Result<Option<LockedMember>, StoreError> {
        let mut query = self.select();
        let ids = [id.uuid(), caller.uuid()];
        query
            .cond_where(
                Condition::any()
                    .add(column(membership::Column::Id).is_in(ids))
                    .add(column(membership::Column::Role).eq(Role::Owner.name())),
            )
            .order_by((Alias::new("m"), membership::Column::Id), sea_orm::Order::Asc)
            .lock_with_tables(LockType::Update, [Alias::new("m")]);
        let rows = self.read(&query).await?;
        let owners = rows.iter().filter(|member| member.role == Role::Owner).count() as u64;
        let own_role = rows.iter().find(|member| member.id == caller).map(|member| member.role);
        let member = rows.into_iter().find(|member| member.id == id);
        let locked = |(member, own_role)| LockedMember { org: self.org, member, own_role, owners };
        Ok(member.zip(own_role).map(locked))
    }

    fn select(&self) -> SelectStatement {
        Query::select()
            .columns([
                (Alias::new("m"), membership::Column::Id),
                (Alias::new("m"), membership::Column::UserId),
                (Alias::new("m"), membership::Column::Role),
                (Alias::new("m"), membership::Column::CreatedAt),
            ])
            .columns([
                (Alias::new("u"), user::Column::Email),
                (Alias::new("u"), user::Column::Name),
            ])
            .from_as(membership::Entity, Alias::new("m"))
            .join_as(
                sea_orm::JoinType::InnerJoin,
                user::Entity,
                Alias::new("u"),
                Expr::col((Alias::new("u"), user::Column::Id))
                    .equals((Alias::new("m"), membership::Column::UserId)),
            )
            .and_where(column(membership::Column::OrgId).eq(self.org.uuid()))
            .take()
    }

    async fn read(&self, query: &SelectStatement) -> Result<Vec<Member>, StoreError> {
        self.tx
            .query_all(query)
            .await?
            .iter()
            .map(|row| Row::from_query_result(row, "")?.try_into())
            .collect()
    }
}

fn column(column: membership::Column) -> Expr {
    Expr::col((Alias::new("m"), column))
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: DateTimeUtc,
}

impl TryFrom<Row> for Member {
    type Error = StoreError;

    fn try_from(
        Row { id, user_id, email, name, role, created_at }: Row,
    ) -> Result<Self, StoreError> {
        let role = Role::parse(&role).ok_or_else(|| unknown("role", &role))?;
        Ok(Self { id: Id::new(id), user_id: Id::new(user_id), email, name, role, created_at })
    }
}

impl Persist<scope::Org> for Member {
    async fn persist(&self, to: WriteContext<'_, scope::Org>) -> Result<(), StoreError> {
        membership::Entity::update_many()
            .col_expr(membership::Column::Role, Expr::value(self.role.name()))
            .filter(membership::Column::OrgId.eq(to.grant.context().org.id.uuid()))
            .filter(membership::Column::Id.eq(self.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}

impl Persist<scope::Org> for RemovedMember {
    async fn persist(&self, to: WriteContext<'_, scope::Org>) -> Result<(), StoreError> {
        membership::Entity::delete_many()
            .filter(membership::Column::OrgId.eq(to.grant.context().org.id.uuid()))
            .filter(membership::Column::Id.eq(self.0.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}
