//! Lookups by staff across orgs.

use postern_domain::{
    Id,
    id::{OrgId, SessionId, UserId},
    impersonation_start::{ImpersonationTarget, MissingTarget},
    member::Member,
    org::Org,
    org_key::OrgKey,
    org_ref::OrgRef,
    policy::LoadedIdentity,
    role::Role,
    user::User,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, Value, sea_query::Expr,
};

use super::{staff, text::contains};
use crate::{
    backend::{lock_impersonation_parties_sql, statement},
    columns,
    entity::{membership, organization, session, user},
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

    /// The owner of a session and the user to impersonate in an org. Their rows are locked until
    /// the unit of work ends: a concurrent change that ends impersonations runs before or after.
    pub async fn impersonation_parties(
        &self,
        session: SessionId,
        user: UserId,
        org: &OrgKey,
    ) -> Result<ImpersonationParties, StoreError> {
        let backend = self.tx.get_database_backend();
        let (column, key) = match org {
            OrgKey::Id(id) => ("id", Value::from(id.uuid())),
            OrgKey::Slug(slug) => ("slug", slug.as_str().into()),
        };
        let values = [session.uuid().into(), user.uuid().into(), key];
        if let Some(sql) = lock_impersonation_parties_sql(backend, column) {
            self.tx.query_one_raw(statement(backend, &sql, values.clone())).await?;
        }
        let sql = parties_sql(column);
        let row = self.tx.query_one_raw(statement(backend, &sql, values)).await?;
        let row =
            row.ok_or_else(|| StoreError::Corrupt("the session does not exist".to_owned()))?;
        Ok(ImpersonationParties {
            caller: LoadedIdentity {
                session: session::Model::from_query_result(&row, "s_")?.into(),
                user: user::Model::from_query_result(&row, "c_")?.into(),
                tier: staff::tier(row.try_get("", "c_tier")?)?,
                impersonation: None,
            },
            target: target(&row)?,
        })
    }
}

/// The staff member who starts an impersonation, and the target.
#[derive(Debug)]
pub struct ImpersonationParties {
    pub caller: LoadedIdentity,
    pub target: Result<ImpersonationTarget, MissingTarget>,
}

/// SQL that loads the session `$1` with its user, and the user `$2` with their membership in the
/// org with this key `$3`.
fn parties_sql(org_key: &str) -> String {
    let columns = [
        columns::all::<session::Column>("s"),
        columns::all::<user::Column>("c"),
        columns::all::<user::Column>("u"),
        columns::all::<organization::Column>("o"),
        columns::all::<membership::Column>("m"),
    ];
    format!(
        r#"SELECT {}, ct.tier AS c_tier, t.tier AS tier
           FROM session s JOIN "user" c ON c.id = s.user_id
           LEFT JOIN staff ct ON ct.user_id = c.id
           LEFT JOIN "user" u ON u.id = $2
           LEFT JOIN organization o ON o.{org_key} = $3
           LEFT JOIN membership m ON m.org_id = o.id AND m.user_id = u.id
           LEFT JOIN staff t ON t.user_id = u.id
           WHERE s.id = $1"#,
        columns.join(", ")
    )
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
