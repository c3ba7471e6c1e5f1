//! All runtime differences between SQLite and PostgreSQL: opening a pool, beginning a
//! transaction, locks and SQL dialects.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use percent_encoding::percent_decode_str;
use postern_migration::{SCHEMA, rls::Roles};
use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector,
    Statement,
    sea_query::{CommonTableExpression, InsertStatement, WithClause},
    sqlx::{
        self, AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqlitePool,
        Transaction,
        pool::PoolOptions,
        postgres::{PgConnectOptions, PgListener},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::StoreError,
    store::{Durability, Options},
    tx::Mode,
};

/// PostgreSQL notification channel for new log entries.
const CHANNEL: &str = "postern_log";

/// Maximum idle time in a transaction, in milliseconds. A transaction idle for longer belongs to a
/// dead process and would keep its locks.
const IDLE: u32 = 10_000;

/// Connections idle for longer are pinged before use.
const TRUSTED_IDLE: Duration = Duration::from_secs(30);

/// A connection pool of either backend.
pub enum Pool {
    Postgres {
        pool: PgPool,
        /// Begins a transaction in one round trip and assumes the platform role until it ends.
        begin: Arc<str>,
        /// Begins a transaction without assuming a role.
        begin_unpinned: Arc<str>,
        /// Whether to use named prepared statements.
        named: bool,
    },
    Sqlite {
        pool: SqlitePool,
        /// One writer at a time, in FIFO order. SQLite itself makes writers poll and may starve
        /// some.
        writer: Arc<Semaphore>,
        /// Maximum wait for the writer's permit.
        patience: Duration,
    },
}

/// A transaction of either backend.
pub enum Begun {
    Postgres(Transaction<'static, Postgres>),
    Sqlite { tx: Transaction<'static, Sqlite>, _turn: Option<OwnedSemaphorePermit> },
}

impl Pool {
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        if is_embedded(&options.url) {
            return Self::connect_sqlite(options).await;
        }
        Self::connect_postgres(options, options.url.parse().map_err(sqlx_error)?).await
    }

    /// Connects as the schema owner, for migrations, with our schema as the search path.
    pub async fn connect_as_owner(options: &Options) -> Result<Self, StoreError> {
        if is_embedded(&options.url) {
            return Self::connect_sqlite(options).await;
        }
        let connect: PgConnectOptions =
            options.owner_url.as_ref().unwrap_or(&options.url).parse().map_err(sqlx_error)?;
        Self::connect_postgres(options, connect.options([("search_path", SCHEMA)])).await
    }

    async fn connect_postgres(
        options: &Options,
        connect: PgConnectOptions,
    ) -> Result<Self, StoreError> {
        let pool = pool_options::<Postgres>(options)
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
        Ok(Self::Postgres {
            pool,
            begin: with_role.into(),
            begin_unpinned: without_role.into(),
            named: options.prepared_statements,
        })
    }

    async fn connect_sqlite(options: &Options) -> Result<Self, StoreError> {
        if let Some(file) = sqlite_file(&options.url) {
            create_private(&file).map_err(|error| sqlx_error(sqlx::Error::Io(error)))?;
        }
        let connect: SqliteConnectOptions = options.url.parse().map_err(sqlx_error)?;
        let pool = pool_options::<Sqlite>(options)
            .connect_with(
                connect
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(match options.durability {
                        Durability::Full => SqliteSynchronous::Full,
                        Durability::Normal => SqliteSynchronous::Normal,
                        Durability::Off => SqliteSynchronous::Off,
                    })
                    .foreign_keys(true)
                    // If off, INSERT OR REPLACE bypasses the triggers of append-only tables.
                    .pragma("recursive_triggers", "ON")
                    .busy_timeout(options.acquire_timeout)
                    .disable_statement_logging(),
            )
            .await
            .map_err(sqlx_error)?;
        Ok(Self::Sqlite {
            pool,
            writer: Arc::new(Semaphore::new(1)),
            patience: options.acquire_timeout,
        })
    }

    /// Begins a transaction. Must not be dropped half way: see [`crate::tx::Tx::begin`].
    pub async fn begin(&self, mode: Mode) -> Result<Begun, StoreError> {
        match self {
            Self::Postgres { pool, begin, begin_unpinned, .. } => {
                let begin = if mode == Mode::NoRole { begin_unpinned } else { begin };
                let tx =
                    pool.begin_with(AssertSqlSafe(begin.as_ref())).await.map_err(sqlx_error)?;
                Ok(Begun::Postgres(tx))
            }
            Self::Sqlite { pool, writer, patience } => {
                // A transaction that reads and then writes fails at once (SQLITE_BUSY) unless it
                // began as a writer.
                let (sql, permit) = match mode {
                    Mode::Read | Mode::NoRole => ("BEGIN DEFERRED", None),
                    Mode::Write => ("BEGIN IMMEDIATE", Some(turn(writer, *patience).await?)),
                };
                let tx = pool.begin_with(sql).await.map_err(sqlx_error)?;
                Ok(Begun::Sqlite { tx, _turn: permit })
            }
        }
    }

    /// Passes the payload of each notification to `notify` until the connection is lost. Never
    /// returns on SQLite, where there is one process.
    pub async fn listen(&self, notify: impl Fn(&str)) -> Result<(), StoreError> {
        let Self::Postgres { pool, .. } = self else { return std::future::pending().await };
        let mut listener = PgListener::connect_with(pool).await.map_err(sqlx_error)?;
        listener.listen(CHANNEL).await.map_err(sqlx_error)?;
        loop {
            notify(listener.recv().await.map_err(sqlx_error)?.payload());
        }
    }

    /// A second handle on the same pool, for migrations.
    pub fn as_sea_orm(&self) -> DatabaseConnection {
        match self {
            Self::Postgres { pool, .. } => {
                SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone())
            }
            Self::Sqlite { pool, .. } => SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()),
        }
    }

    pub const fn names_statements(&self) -> bool {
        matches!(self, Self::Postgres { named: true, .. })
    }

    pub const fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres { .. } => DbBackend::Postgres,
            Self::Sqlite { .. } => DbBackend::Sqlite,
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Postgres { pool, .. } => pool.close().await,
            Self::Sqlite { pool, .. } => pool.close().await,
        }
    }
}

/// Reports whether the database is a SQLite file.
pub fn is_embedded(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// Names of the row-level security roles, and the password of the server's login. None on SQLite.
pub fn roles(options: &Options) -> Result<Option<(Roles, Option<String>)>, DbErr> {
    if is_embedded(&options.url) {
        return Ok(None);
    }
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
    Ok(Some((roles, password)))
}

async fn turn(
    writer: &Arc<Semaphore>,
    patience: Duration,
) -> Result<OwnedSemaphorePermit, StoreError> {
    match tokio::time::timeout(patience, Arc::clone(writer).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(sqlx_error(sqlx::Error::PoolTimedOut).into()),
    }
}

fn pool_options<DB: sqlx::Database>(options: &Options) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .test_before_acquire(false)
}

/// SQL for two columns that set the transaction's tenant context to the org with id `org`; to no
/// org if that is null. Takes effect with the next statement: PostgreSQL checks privileges when a
/// statement begins.
pub fn set_tenant_role_sql(role: &str, org: &str) -> String {
    format!(
        "set_config('role', '{role}', true) AS pinned_role, \
         set_config('postern.org_id', coalesce({org}::text, ''), true) AS pinned_org"
    )
}

/// SQL for a UUIDv7 (RFC 9562) from a time in milliseconds since 1970, a kind of row and a number,
/// for rows that the database generates.
pub fn uuid_v7_sql(backend: DbBackend, kind: u8, milliseconds: &str, number: &str) -> String {
    match backend {
        DbBackend::Postgres => {
            format!(
                "(lpad(to_hex({milliseconds}), 12, '0') || '70{kind:02x}8' \
                  || lpad(to_hex({number}), 15, '0'))::uuid"
            )
        }
        _ => format!("unhex(printf('%012x70{kind:02x}8%015x', {milliseconds}, {number}))"),
    }
}

/// SQL for the 16 bytes of such an id, where unique bytes are needed.
pub fn uuid_bytes_sql(backend: DbBackend, id: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("uuid_send({id})"),
        _ => id.to_owned(),
    }
}

/// SQL for a stored timestamp from milliseconds since 1970.
pub fn timestamp_sql(backend: DbBackend, milliseconds: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("to_timestamp({milliseconds} / 1000.0)"),
        _ => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', {milliseconds} / 1000.0, 'unixepoch')"),
    }
}

/// Two insertions in one round trip: one statement with a common table expression on PostgreSQL,
/// two statements on SQLite.
pub fn insert_both_sql(
    backend: DbBackend,
    first: InsertStatement,
    second: InsertStatement,
) -> Statement {
    if backend == DbBackend::Postgres {
        let mut first_insert = CommonTableExpression::new();
        first_insert.table_name("first_insert").query(first);
        let mut with = WithClause::new();
        with.cte(first_insert);
        return backend.build(&second.with(with));
    }
    let (first, second) = (backend.build(&first), backend.build(&second));
    let values = [first.values, second.values].into_iter().flatten().flat_map(|values| values.0);
    Statement::from_sql_and_values(backend, format!("{}; {}", first.sql, second.sql), values)
}

/// SQL that allows audit events to be removed until [`create_triggers_sql`]. None on PostgreSQL,
/// where the audit owner may remove them.
pub fn drop_triggers_sql(backend: DbBackend) -> Option<String> {
    (backend != DbBackend::Postgres)
        .then(|| postern_migration::without_sqlite_triggers("audit_event", &["id"]))
}

/// SQL that makes audit events append-only again.
pub fn create_triggers_sql(backend: DbBackend) -> Option<String> {
    (backend != DbBackend::Postgres)
        .then(|| postern_migration::with_sqlite_triggers("audit_event", &["id"]))
}

/// SQL that creates and drops the monthly partitions of the audit log.
pub struct Months {
    /// Creates the partitions of the coming months.
    pub made: String,
    /// Lists the partitions of past months, as `month`.
    pub over: &'static str,
    /// Returns a row if the partition is not empty.
    pub left: fn(&str) -> String,
    /// Locks the audit log, the table before its partition, as readers do. Fails after 5 seconds,
    /// to limit the time that readers wait.
    pub lock: &'static str,
    pub dropped: fn(&str) -> String,
}

pub fn months(backend: DbBackend) -> Option<Months> {
    (backend == DbBackend::Postgres).then(|| Months {
        made: postern_migration::months("audit_event"),
        over: "SELECT c.relname::text AS month
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'audit_event'::regclass
                 AND c.relname ~ '^audit_event_[0-9]{4}_[0-9]{2}$'
                 AND c.relname < 'audit_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')
               ORDER BY 1",
        left: |month| format!("SELECT 1 AS left_over FROM {month} LIMIT 1"),
        lock: "SET LOCAL lock_timeout = '5s'; LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE",
        dropped: |month| format!("DROP TABLE {month}"),
    })
}

/// SQL that tries to take the sequencer's lock until the transaction ends; `taken` is true on
/// success. None on SQLite, where there is one process.
pub const fn try_sequencer_lock_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => {
            Some("SELECT pg_try_advisory_xact_lock(x'0050756d706564'::bigint) AS taken")
        }
        _ => None,
    }
}

/// SQL that notifies listeners, on all machines, of new log entries when the transaction commits.
/// The payload lists org ids; it is empty if there are too many.
pub const fn notify_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT pg_notify('postern_log', $1)"),
        _ => None,
    }
}

/// SQL that tries to take the lock `$3` until the transaction ends; true on success. Always true
/// on SQLite, where a writer has the whole database.
pub const fn try_lock_sql(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "pg_try_advisory_xact_lock($3)",
        _ => "($3 IS NOT NULL)",
    }
}

/// SQL for the database's time. None on SQLite, which uses the server's clock.
pub const fn server_time_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT clock_timestamp() AS now"),
        _ => None,
    }
}

/// SQL that waits for the lock `$1`. None on SQLite, where a writer has the whole database.
pub const fn lock_sql(backend: DbBackend) -> Option<&'static str> {
    match backend {
        DbBackend::Postgres => Some("SELECT pg_advisory_xact_lock($1)"),
        _ => None,
    }
}

pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?.trim_start_matches("//").split('?').next()?;
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

fn create_private(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}

pub fn sqlx_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
