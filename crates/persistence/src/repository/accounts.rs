//! Lookups by staff across orgs.

use postern_domain::{
    Id,
    id::{OrgId, UserId},
    impersonation_start::{ImpersonationTarget, MissingTarget},
    member::Member,
    org::Org,
    org_key::OrgKey,
    org_ref::OrgRef,
    role::Role,
    user::User,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, sea_query::Expr,
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
        Ok(row.map(|row| OrgRef { id: OrgId::new(row.id), slug: row.slug, name: row.name }))
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
    ) -> Result<Result<ImpersonationTarget, MissingTarget>, StoreError> {
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
            r#"SELECT {}, t.tier AS tier FROM (SELECT 1) AS one
               LEFT JOIN "user" u ON u.id = $1
               LEFT JOIN organization o ON o.{column} = $2
               LEFT JOIN membership m ON m.org_id = o.id AND m.user_id = u.id
               LEFT JOIN staff t ON t.user_id = u.id"#,
            columns.join(", ")
        );
        let row = self
            .tx
            .query_one_raw(statement(self.tx.get_database_backend(), &sql, [id.uuid().into(), key]))
            .await?
            .ok_or_else(|| StoreError::Broken("the statement returns one row".to_owned()))?;
        target(&row)
    }
}

/// An impersonation target from its row, in which missing parts are null.
fn target(row: &QueryResult) -> Result<Result<ImpersonationTarget, MissingTarget>, StoreError> {
    let Some(user) = user::Model::from_query_result_optional(row, "u_")?.map(User::from) else {
        return Ok(Err(MissingTarget::User));
    };
    let Some(org) = organization::Model::from_query_result_optional(row, "o_")? else {
        return Ok(Err(MissingTarget::Org));
    };
    if org.deletion_requested_at.is_some() {
        return Ok(Err(MissingTarget::DeletedOrg { slug: org.slug }));
    }
    let Some(membership) = membership::Model::from_query_result_optional(row, "m_")? else {
        return Ok(Err(MissingTarget::Membership { email: user.email, slug: org.slug }));
    };
    let member = Member {
        id: Id::new(membership.id),
        user_id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        role: Role::parse(&membership.role).ok_or_else(|| unknown("role", &membership.role))?,
        created_at: membership.created_at,
    };
    let tier = staff::tier(row.try_get("", "tier")?)?;
    Ok(Ok(ImpersonationTarget { user, tier, member, org: org.try_into()? }))
}
