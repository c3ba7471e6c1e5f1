//! Lookups by staff across orgs.

use postern_domain::{
    Id,
    id::{OrgId, UserId},
    impersonation::ImpersonationTarget,
    member::Member,
    org::Org,
    org_key::OrgKey,
    org_ref::OrgRef,
    role::Role,
    user::User,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};

use super::{staff, text::contains};
use crate::{
    backend::statement,
    entity::{membership, organization, user},
    error::{StoreError, unknown},
    tx::Tx,
};

pub struct Accounts<'a> {
    tx: &'a Tx,
}

/// Results of a search.
#[derive(Debug)]
pub struct SearchResults {
    pub users: Vec<User>,
    pub orgs: Vec<Org>,
}

impl<'a> Accounts<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    /// Reference to an org, even if its deletion was requested.
    pub async fn org(&self, org: &OrgKey) -> Result<Option<OrgRef>, StoreError> {
        let condition = super::orgs::matches(org);
        let row = organization::Entity::find().filter(condition).one(self.tx).await?;
        Ok(row.map(|row| OrgRef { id: OrgId::new(row.id), slug: row.slug }))
    }

    /// The user or org with the id `q`, or all with an e-mail address, slug or name that contains
    /// `q`; at most `limit` of each.
    pub async fn search(&self, q: &str, limit: u64) -> Result<SearchResults, StoreError> {
        let (user_id, org_id) = (q.parse::<UserId>().ok(), q.parse::<OrgId>().ok());
        let backend = self.tx.get_database_backend();
        let by_text = user_id.is_none() && org_id.is_none();
        let condition = Condition::any()
            .add_option(user_id.map(|id| user::Column::Id.eq(id.uuid())))
            .add_option(by_text.then(|| contains(backend, Expr::col(user::Column::Email), q)))
            .add_option(by_text.then(|| contains(backend, Expr::col(user::Column::Name), q)));
        let users = if condition.is_empty() {
            Vec::new()
        } else {
            user::Entity::find()
                .filter(condition)
                .order_by_desc(user::Column::Id)
                .limit(limit)
                .all(self.tx)
                .await?
        };

        let condition = Condition::any()
            .add_option(org_id.map(|id| organization::Column::Id.eq(id.uuid())))
            .add_option(
                by_text.then(|| contains(backend, Expr::col(organization::Column::Slug), q)),
            )
            .add_option(
                by_text.then(|| contains(backend, Expr::col(organization::Column::Name), q)),
            );
        let orgs = if condition.is_empty() {
            Vec::new()
        } else {
            organization::Entity::find()
                .filter(condition)
                .order_by_desc(organization::Column::Id)
                .limit(limit)
                .all(self.tx)
                .await?
        };
        Ok(SearchResults {
            users: users.into_iter().map(Into::into).collect(),
            orgs: orgs.into_iter().map(Org::try_from).collect::<Result<_, _>>()?,
        })
    }

    /// A member of an org as an impersonation target: user, tier, membership and org. One
    /// statement.
    pub async fn impersonation_target(
        &self,
        id: UserId,
        org: &OrgKey,
    ) -> Result<Option<ImpersonationTarget>, StoreError> {
        let (column, key) = match org {
            OrgKey::Id(id) => ("id", id.uuid().into()),
            OrgKey::Slug(slug) => ("slug", slug.as_str().into()),
        };
        let columns = [
            crate::columns::all::<user::Column>("u"),
            crate::columns::all::<organization::Column>("o"),
            crate::columns::all::<membership::Column>("m"),
        ];
        let sql = format!(
            r#"SELECT {}, t.tier AS tier FROM "user" u
               JOIN organization o ON o.{column} = $2 AND o.deletion_requested_at IS NULL
               JOIN membership m ON m.org_id = o.id AND m.user_id = u.id
               LEFT JOIN staff t ON t.user_id = u.id WHERE u.id = $1"#,
            columns.join(", ")
        );
        let row = self
            .tx
            .query_one_raw(statement(self.tx.get_database_backend(), &sql, [id.uuid().into(), key]))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user = User::from(user::Model::from_query_result(&row, "u_")?);
        let membership = membership::Model::from_query_result(&row, "m_")?;
        let member = Member {
            id: Id::new(membership.id),
            user_id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: Role::parse(&membership.role).ok_or_else(|| unknown("role", &membership.role))?,
            created_at: membership.created_at,
        };
        let org = organization::Model::from_query_result(&row, "o_")?.try_into()?;
        Ok(Some(ImpersonationTarget {
            user,
            tier: staff::tier(row.try_get("", "tier")?)?,
            member,
            org,
        }))
    }
}
