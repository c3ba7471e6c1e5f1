//! PostgreSQL: the pool, the role of each transaction and notifications.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use postern_migration::{SCHEMA, rls::Roles};
use sea_orm::{
    DatabaseConnection, DbErr, SqlxPostgresConnector,
    sqlx::{
        self, ConnectOptions, Executor, PgConnection,
        postgres::{PgConnectOptions, PgListener, PgPoolOptions},
    },
};
use tokio::{runtime::Handle, time::timeout};

use super::{begun::Begun, connections::Connections, mode::Mode};
use crate::{
    deadline::{remaining, wait},
    error::{StoreError, sqlx_error},
    options::Options,
};

/// Notification channel for new log entries.
const CHANNEL: &str = "postern_log";

/// Maximum idle time in a transaction, in milliseconds. A transaction idle for longer belongs to a
/// dead process and would keep its locks.
const IDLE_IN_TRANSACTION_MS: u32 = 10_000;

/// Time for the response to a statement that PostgreSQL cancels.
const CANCEL_TIME: Duration = Duration::from_millis(500);

/// Interval at which a connection without notifications is tested.
const LISTENER_TEST: Duration = Duration::from_secs(15);

/// Maximum wait for the response to a statement of a listener.
const LISTENER_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Pool {
    pub connections: Connections<PgConnection>,
    platform_role: String,
    statement_timeout: Duration,
    /// Whether to use named prepared statements.
    pub named: bool,
}

impl Pool {
    pub async fn connect(options: &Options, runtime: &Handle) -> Result<Self, StoreError> {
        let connect: PgConnectOptions = options.url.parse().map_err(sqlx_error)?;
        let connect = connect.application_name("postern").disable_statement_logging();
        let connections = Connections::open(connect, options, runtime).await?;
        Ok(Self {
            connections,
            platform_role: options.platform_role.clone(),
            statement_timeout: options.statement_timeout,
            named: options.prepared_statements,
        })
    }

    pub async fn acquire(&self) -> Result<Begun, StoreError> {
        Ok(Begun::Postgres(self.connections.acquire().await?))
    }

    /// SQL that begins a transaction in one round trip. No statement outlives its request: one that
    /// waits for a lock would not notice that the connection was closed.
    pub fn begin_sql(&self, mode: Mode) -> String {
        let timeout = remaining().map_or(self.statement_timeout, |remaining| {
            self.statement_timeout.min(remaining.saturating_sub(CANCEL_TIME))
        });
        // Zero would turn the timeout off.
        let timeout = timeout.as_millis().max(1);
        // Without a search path, a schema named after the role comes first in it.
        let begin = format!(
            "BEGIN; SET LOCAL statement_timeout = {timeout}; \
             SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}; \
             SET LOCAL search_path = {SCHEMA}"
        );
        match mode {
            Mode::NoRole => begin,
            Mode::Read | Mode::Write => {
                format!("{begin}; SET LOCAL ROLE \"{}\"", self.platform_role)
            }
        }
    }

    /// Passes the payload of each notification to `notify` until the connection is lost.
    pub async fn listen(&self, notify: impl Fn(&str)) -> Result<(), StoreError> {
        Ok(self.listen_with_sqlx(notify).await.map_err(sqlx_error)?)
    }

    async fn listen_with_sqlx(&self, notify: impl Fn(&str)) -> Result<(), sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(LISTENER_TIMEOUT)
            .connect_lazy_with(self.connections.options().clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        wait(LISTENER_TIMEOUT, listener.listen(CHANNEL)).await?;
        loop {
            match timeout(LISTENER_TEST, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => notify(notification.payload()),
                Ok(Ok(None)) => return Err(sqlx::Error::WorkerCrashed),
                Ok(Err(error)) => return Err(error),
                // A connection that stopped responding delivers neither notifications nor an error.
                Err(_) => wait(LISTENER_TIMEOUT, listener.execute("SELECT 1")).await.map(drop)?,
            }
        }
    }
}

/// A connection of SeaORM as the schema owner, with our schema as the search path.
pub async fn connect_as_owner(options: &Options) -> Result<DatabaseConnection, StoreError> {
    let connect: PgConnectOptions =
        options.owner_url.as_ref().unwrap_or(&options.url).parse().map_err(sqlx_error)?;
    let connect = connect.options([("search_path", SCHEMA)]).application_name("postern");
    let pool = PgPoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect.disable_statement_logging())
        .await
        .map_err(sqlx_error)?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
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
