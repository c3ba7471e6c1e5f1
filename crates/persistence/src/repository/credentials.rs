//! Credentials, and counts of failed sign-ins.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    client_network::client_network,
    credential::{Attempts, Failures, NewPassword, NewUser, PasswordHash},
    id::UserId,
    scope,
    tier::Tier,
    user::User,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryResult, QuerySelect,
    sea_query::{Expr, LockType},
};
use secrecy::ExposeSecret;

use super::staff;
use crate::{
    backend::statement,
    entity::{credential, user},
    error::StoreError,
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct Credentials<'a> {
    tx: &'a Tx,
}

/// The data that a sign-in is decided on.
#[derive(Debug)]
pub struct SignIn {
    /// The account of that address with its password hash, if there is one.
    pub account: Option<Account>,
    pub attempts: Attempts,
}

#[derive(Debug)]
pub struct Account {
    pub user: User,
    pub tier: Option<Tier>,
    pub password_hash: PasswordHash,
}

impl<'a> Credentials<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    /// Loads the data for a sign-in with `email` from the network of `ip`, with the failures after
    /// `since`. One statement. Without an address, only failures of the account count.
    pub async fn for_sign_in(
        &self,
        email: &str,
        ip: Option<IpAddr>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<SignIn, StoreError> {
        let sql = sign_in_sql();
        let values = [email.into(), ip.map(client_network).into(), since.into(), now.into()];
        let row =
            self.tx.query_one_raw(statement(self.tx.get_database_backend(), &sql, values)).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("left join without a row".to_owned()))?;
        let hash: Option<String> = row.try_get("", "password_hash")?;
        let user = user::Model::from_query_result_optional(&row, "u_")?;
        let tier = staff::tier(row.try_get("", "tier")?)?;
        Ok(SignIn {
            account: user.zip(hash).map(|(user, hash)| Account {
                user: user.into(),
                tier,
                password_hash: hash.into(),
            }),
            attempts: Attempts {
                by_account: failures(&row, "account")?,
                by_account_and_network: failures(&row, "account_and_network")?,
                by_network: failures(&row, "network")?,
                has_session_from_network: row.try_get("", "has_session_from_network")?,
            },
        })
    }

    /// Reports whether the password is unchanged since it was read and the account is not
    /// suspended. Both rows are locked until the unit of work ends.
    pub async fn verify_unchanged_for_update(&self, account: &Account) -> Result<bool, StoreError> {
        let hash = self.find_password_hash_for_update(account.user.id).await?;
        let user = user::Entity::find_by_id(account.user.id.uuid())
            .lock(LockType::Update)
            .one(self.tx)
            .await?;
        let same =
            hash.is_some_and(|hash| hash.expose_secret() == account.password_hash.expose_secret());
        Ok(same && user.is_some_and(|user| user.suspended_at.is_none()))
    }

    /// The password hash, locked until the unit of work ends.
    async fn find_password_hash_for_update(
        &self,
        user: UserId,
    ) -> Result<Option<PasswordHash>, StoreError> {
        let row =
            credential::Entity::find_by_id(user.uuid()).lock(LockType::Update).one(self.tx).await?;
        Ok(row.map(|row| row.password_hash.into()))
    }
}

/// SQL that loads the account with address `$1`, its failures after `$3` from anywhere and from
/// network `$2`, and whether it has a session from there at `$4`.
fn sign_in_sql() -> String {
    let failed = |aggregate: &str, condition: &str| {
        format!(
            "(SELECT {aggregate} FROM audit_event f \
              WHERE f.action = 'auth.login_failed' AND f.org_id IS NULL AND {condition} \
              AND f.occurred_at > $3)"
        )
    };
    let columns: Vec<String> = [
        ("account", "f.actor_email = $1"),
        ("account_and_network", "f.actor_email = $1 AND f.client_network = $2"),
        ("network", "f.client_network = $2"),
    ]
    .into_iter()
    .flat_map(|(name, condition)| {
        [
            format!("{} AS {name}_count", failed("count(*)", condition)),
            format!("{} AS {name}_first", failed("min(f.occurred_at)", condition)),
        ]
    })
    .collect();
    format!(
        r#"SELECT u.id AS u_id, u.email AS u_email, u.name AS u_name,
                  u.image_url AS u_image_url, u.created_at AS u_created_at,
                  u.suspended_at AS u_suspended_at,
                  c.password_hash AS password_hash, t.tier AS tier, {},
                  EXISTS (SELECT 1 FROM session s WHERE s.user_id = u.id
                          AND s.client_network = $2 AND s.ended_at IS NULL
                          AND s.expires_at > $4) AS has_session_from_network
           FROM (SELECT 1 AS one) AS one LEFT JOIN "user" u ON u.email = $1
           LEFT JOIN credential c ON c.user_id = u.id LEFT JOIN staff t ON t.user_id = u.id"#,
        columns.join(", ")
    )
}

fn failures(row: &QueryResult, name: &str) -> Result<Failures, StoreError> {
    let count: i64 = row.try_get("", &format!("{name}_count"))?;
    let first = row.try_get("", &format!("{name}_first"))?;
    Ok(Failures { count: count.unsigned_abs(), first })
}

impl Persist<scope::User> for NewPassword {
    async fn persist(&self, to: WriteContext<'_, scope::User>) -> Result<(), StoreError> {
        credential::Entity::update_many()
            .col_expr(credential::Column::PasswordHash, Expr::value(self.hash.expose_secret()))
            .col_expr(credential::Column::ChangedAt, Expr::value(self.changed_at))
            .filter(credential::Column::UserId.eq(self.user.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}

impl Persist<scope::Staff> for NewUser {
    async fn persist(&self, to: WriteContext<'_, scope::Staff>) -> Result<(), StoreError> {
        let User { id, email, name, image_url, created_at, suspended_at } = self.user.clone();
        let row = user::Model { id: id.uuid(), email, name, image_url, created_at, suspended_at };
        user::Entity::insert(row.into_active_model()).exec_without_returning(to.tx).await?;
        let row = credential::Model {
            user_id: self.user.id.uuid(),
            password_hash: self.hash.expose_secret().to_owned(),
            changed_at: created_at,
        };
        credential::Entity::insert(row.into_active_model()).exec_without_returning(to.tx).await?;
        Ok(())
    }
}
