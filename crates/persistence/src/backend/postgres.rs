//! PostgreSQL: the pool, the role of each transaction and notifications.

use std::{sync::Arc, time::Duration};

use percent_encoding::percent_decode_str;
use postern_migration::{SCHEMA, rls::Roles};
use sea_orm::{
    DbErr,
    sqlx::{
        AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Transaction,
        postgres::{PgConnectOptions, PgListener},
    },
};

use super::{mode::Mode, pool_options::pool_options};
use crate::{
    error::{StoreError, sqlx_error},
    options::Options,
};

/// Notification channel for new log entries.
const CHANNEL: &str = "postern_log";

/// Maximum idle time in a transaction, in milliseconds. A transaction idle for longer belongs to a
/// dead process and would keep its locks.
const IDLE: u32 = 10_000;

/// Connections idle for longer are pinged before use.
const TRUSTED_IDLE: Duration = Duration::from_secs(30);

pub struct Pool {
    pub connections: PgPool,
    /// Begins a transaction in one round trip and assumes the platform role until it ends.
    begin: Arc<str>,
    /// Begins a transaction without assuming a role.
    begin_without_role: Arc<str>,
    /// Whether to use named prepared statements.
    pub named: bool,
}

impl Pool {
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        Self::connect_with(options, options.url.parse().map_err(sqlx_error)?).await
    }

    /// Connects as the schema owner, with our schema as the search path.
    pub async fn connect_as_owner(options: &Options) -> Result<Self, StoreError> {
        let connect: PgConnectOptions =
            options.owner_url.as_ref().unwrap_or(&options.url).parse().map_err(sqlx_error)?;
        Self::connect_with(options, connect.options([("search_path", SCHEMA)])).await
    }

    async fn connect_with(
        options: &Options,
        connect: PgConnectOptions,
    ) -> Result<Self, StoreError> {
        let connections = pool_options::<Postgres>(options)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect.application_name("postern").disable_statement_logging())
            .await
            .map_err(sqlx_error)?;
        // Without this, a schema named after the role comes first in the search path.
        let without_role = format!(
            "BEGIN; SET LOCAL statement_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {IDLE}; \
             SET LOCAL search_path = {SCHEMA}",
            options.statement_timeout.as_millis(),
        );
        let with_role = format!("{without_role}; SET LOCAL ROLE \"{}\"", options.platform_role);
        Ok(Self {
            connections,
            begin: with_role.into(),
            begin_without_role: without_role.into(),
            named: options.prepared_statements,
        })
    }

    pub async fn begin(&self, mode: Mode) -> Result<Transaction<'static, Postgres>, StoreError> {
        let begin = if mode == Mode::NoRole { &self.begin_without_role } else { &self.begin };
        Ok(self.connections.begin_with(AssertSqlSafe(begin.as_ref())).await.map_err(sqlx_error)?)
    }

    /// Passes the payload of each notification to `notify` until the connection is lost.
    pub async fn listen(&self, notify: impl Fn(&str)) -> Result<(), StoreError> {
        let mut listener = PgListener::connect_with(&self.connections).await.map_err(sqlx_error)?;
        listener.listen(CHANNEL).await.map_err(sqlx_error)?;
        loop {
            notify(listener.recv().await.map_err(sqlx_error)?.payload());
        }
    }
}

/// Names of the row-level security roles, and the password of the server's login.
pub fn roles(options: &Options) -> Result<(Roles, Option<String>), DbErr> {
    let connect: PgConnectOptions = options.url.parse().map_err(sqlx_error)?;
    let roles = Roles {
        tenant: options.tenant_role.clone(),
        platform: options.platform_role.clone(),
        audit_owner: options.audit_owner_role.clone(),
        login: connect.get_username().to_owned(),
    };
    let password = url::Url::parse(&options.url).ok().and_then(|url| {
        let in_query = || {
            url.query_pairs()
                .find(|(name, _)| name == "password")
                .map(|(_, value)| value.into_owned())
        };
        url.password()
            .map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned())
            .or_else(in_query)
    });
    Ok((roles, password))
}
