//! The orgs of one user, and changes of an org.

use postern_domain::{
    id::{OrgId, UserId},
    member::Member,
    membership::Membership,
    org::{NewOrg, Org},
    org_context::OrgContext,
    org_key::OrgKey,
    role::Role,
    scope,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, LockType, Query},
};

use super::page::{Page, PageRequest};
use crate::{
    entity::{membership, org_setting, organization},
    error::{StoreError, unknown},
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct Orgs<'a> {
    tx: &'a Tx,
    user: UserId,
    only: Option<OrgId>,
}

/// Condition that selects the org.
pub(super) fn matches(org: &OrgKey) -> Expr {
    match org {
        OrgKey::Id(id) => organization::Column::Id.eq(id.uuid()),
        OrgKey::Slug(slug) => organization::Column::Slug.eq(slug.as_str()),
    }
}

impl<'a> Orgs<'a> {
    pub(crate) const fn new(tx: &'a Tx, user: UserId, only: Option<OrgId>) -> Self {
        Self { tx, user, only }
    }

    /// The user's role in an org; none if they are not a member.
    pub async fn role_in(&self, org: &OrgKey) -> Result<Option<Role>, StoreError> {
        let mut live = organization::Entity::find()
            .select_only()
            .column(organization::Column::Id)
            .filter(matches(org))
            .filter(organization::Column::DeletionRequestedAt.is_null());
        let row = membership::Entity::find()
            .filter(membership::Column::UserId.eq(self.user.uuid()))
            .filter(membership::Column::OrgId.in_subquery(QueryTrait::query(&mut live).take()))
            .filter(
                Condition::all()
                    .add_option(self.only.map(|org| membership::Column::OrgId.eq(org.uuid()))),
            )
            .one(self.tx)
            .await?;
        row.map(|row| Role::parse(&row.role).ok_or_else(|| unknown("role", &row.role))).transpose()
    }

    /// The orgs of the user, most recently joined first.
    pub async fn page(&self, page: PageRequest) -> Result<Page<Membership>, StoreError> {
        let member = |column| Expr::col((Alias::new("m"), column));
        let mut query = Query::select();
        for column in <organization::Column as sea_orm::Iterable>::iter() {
            query.expr_as(
                Expr::col((Alias::new("o"), column)),
                format!("o_{}", sea_orm::IdenStatic::as_str(&column)),
            );
        }
        query
            .expr_as(member(membership::Column::Id), "m_id")
            .expr_as(member(membership::Column::Role), "m_role")
            .from_as(membership::Entity, Alias::new("m"))
            .join_as(
                sea_orm::JoinType::InnerJoin,
                organization::Entity,
                Alias::new("o"),
                Expr::col((Alias::new("o"), organization::Column::Id))
                    .equals((Alias::new("m"), membership::Column::OrgId)),
            )
            .and_where(member(membership::Column::UserId).eq(self.user.uuid()))
            .and_where(
                Expr::col((Alias::new("o"), organization::Column::DeletionRequestedAt)).is_null(),
            )
            .and_where_option(
                self.only.map(|org| member(membership::Column::OrgId).eq(org.uuid())),
            );
        page.apply(&mut query, member(membership::Column::Id));
        let rows = self.tx.query_all(&query).await?;
        let memberships: Result<Vec<Membership>, StoreError> = rows
            .iter()
            .map(|row| {
                let org = organization::Model::from_query_result(row, "o_")?.try_into()?;
                let role: String = row.try_get("", "m_role")?;
                let role = Role::parse(&role).ok_or_else(|| unknown("role", &role))?;
                Ok(OrgContext {
                    org,
                    member: postern_domain::Id::new(row.try_get("", "m_id")?),
                    role,
                }
                .into())
            })
            .collect();
        Ok(page.into_page(memberships?, |membership| membership.member_id.uuid()))
    }
}

/// The org, locked until the unit of work ends. None if its deletion was requested.
pub(crate) async fn find_for_update(tx: &Tx, id: OrgId) -> Result<Option<Org>, StoreError> {
    let live = organization::Entity::find_by_id(id.uuid())
        .filter(organization::Column::DeletionRequestedAt.is_null());
    live.lock(LockType::Update).one(tx).await?.map(Org::try_from).transpose()
}

impl Persist<scope::User> for NewOrg {
    async fn persist(&self, to: WriteContext<'_, scope::User>) -> Result<(), StoreError> {
        let Self { org, owner } = self;
        let row = organization::Model::from(org.clone()).into_active_model();
        organization::Entity::insert(row).exec_without_returning(to.tx).await?;
        let settings = org_setting::ActiveModel {
            org_id: Set(org.id.uuid()),
            color: Set(None),
            logo_url: Set(None),
            support_email: Set(None),
            version: Set(1),
        };
        org_setting::Entity::insert(settings).exec_without_returning(to.tx).await?;
        membership::Entity::insert(row_of(org.id, owner)).exec_without_returning(to.tx).await?;
        Ok(())
    }
}

impl Persist<scope::Org> for Org {
    async fn persist(&self, to: WriteContext<'_, scope::Org>) -> Result<(), StoreError> {
        organization::Entity::update_many()
            .col_expr(organization::Column::Name, Expr::value(&self.name))
            .col_expr(
                organization::Column::DeletionRequestedAt,
                Expr::value(self.deletion_requested_at),
            )
            .filter(organization::Column::Id.eq(to.grant.context().org.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}

pub(crate) fn row_of(org: OrgId, member: &Member) -> membership::ActiveModel {
    membership::ActiveModel {
        org_id: Set(org.uuid()),
        id: Set(member.id.uuid()),
        user_id: Set(member.user_id.uuid()),
        role: Set(member.role.name().to_owned()),
        created_at: Set(member.created_at),
    }
}
