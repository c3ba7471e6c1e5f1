//! A database for each test: a copy of a template that was migrated and filled with demo accounts.

use std::{
    ffi::OsString,
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use postern_api::identity::Hasher;
use postern_domain::{
    clock::{Clock, RequestContext},
    event::Source,
    password::Password,
};
use postern_keystore::AuditKeys;
use postern_persistence::{
    Durability, Options, Store, demo,
    schema::{self, MigrationOutcome},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, prelude::Uuid};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{Backend, OWNER, PASSWORD, SERVER, SUPERUSER, TestClock, app, cluster};

/// The database of one test, with a second connection as superuser for raw SQL.
pub struct Database {
    pub url: String,
    /// URL through `PgBouncer`, for the server only.
    pooled: Option<String>,
    pub raw: DatabaseConnection,
    backend: Backend,
}

impl Database {
    /// Copies the template; an SQLite file into `folder`.
    pub async fn copy(backend: Backend, folder: &TempDir) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = match backend {
            Backend::Sqlite => {
                let file = folder.path().join("postern.db");
                fs::copy(sqlite_template().await, &file).expect("the template is copied");
                format!("sqlite://{}", file.display())
            }
            Backend::Postgres | Backend::PgBouncer => {
                postgres_template().await;
                let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
                admin(&format!("CREATE DATABASE {name} TEMPLATE postern_template OWNER {OWNER}"))
                    .await;
                // A copy does not include privileges on the database itself.
                admin(&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")).await;
                cluster::url(SERVER, &name)
            }
        };
        let pooled = (backend == Backend::PgBouncer)
            .then(|| cluster::pooled_url(url.rsplit('/').next().expect("a database name")));
        let raw = sea_orm::Database::connect(options(&as_role(&url, SUPERUSER)))
            .await
            .expect("the copy opens");
        Self { url, pooled, raw, backend }
    }

    /// Options with which a server opens the database.
    pub fn options(&self) -> Options {
        match &self.pooled {
            Some(pooled) => Options {
                url: pooled.clone(),
                prepared_statements: false,
                ..store_options(&self.url)
            },
            None => store_options(&self.url),
        }
    }

    /// Runs SQL as superuser. Returns the number of affected rows.
    pub async fn execute(&self, sql: &str) -> Result<u64, sea_orm::DbErr> {
        self.raw.execute_unprepared(sql).await.map(|result| result.rows_affected())
    }

    /// Connects as another role, such as the server's login. A single connection, so that
    /// statements can begin a transaction.
    pub async fn sign_in_as(&self, role: &str) -> DatabaseConnection {
        let mut options = options(&as_role(&self.url, role));
        options.max_connections(1);
        sea_orm::Database::connect(options).await.expect("the role can sign in")
    }

    /// Borrows one of the server's connections from `PgBouncer`, in the state that the last user
    /// left it in.
    pub async fn borrow_from_the_pooler(&self) -> DatabaseConnection {
        let mut options = options(self.pooled.as_ref().expect("the backend is PgBouncer"));
        options.max_connections(1);
        sea_orm::Database::connect(options).await.expect("PgBouncer accepts the connection")
    }

    /// The number that a query returns.
    pub async fn count(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.dialect(), sql);
        let row = self.raw.query_one_raw(statement).await.expect("the query runs").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }

    /// The id that a query returns.
    pub async fn uuid(&self, sql: &str) -> Uuid {
        let row = self
            .raw
            .query_one_raw(Statement::from_string(self.dialect(), sql))
            .await
            .expect("the query runs")
            .expect("a row");
        row.try_get_by_index(0).expect("an id")
    }

    /// The first column of a query's rows, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self
            .raw
            .query_all_raw(Statement::from_string(self.dialect(), sql))
            .await
            .expect("the query runs");
        rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
    }

    pub async fn drop_database(self) {
        let Self { url, pooled: _, raw, backend } = self;
        raw.close().await.expect("the connection closes");
        if backend != Backend::Sqlite {
            let name = url.rsplit('/').next().expect("a database name").to_owned();
            admin(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    const fn dialect(&self) -> DbBackend {
        match self.backend {
            Backend::Sqlite => DbBackend::Sqlite,
            Backend::Postgres | Backend::PgBouncer => DbBackend::Postgres,
        }
    }
}

/// The same URL for another role.
pub fn as_role(url: &str, role: &str) -> String {
    url.replace(&format!("://{SERVER}@"), &format!("://{role}@"))
}

fn options(url: &str) -> sea_orm::ConnectOptions {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite.busy_timeout(Duration::from_secs(10)).pragma("recursive_triggers", "ON")
    });
    options
}

pub fn store_options(url: &str) -> Options {
    Options {
        url: url.to_owned(),
        owner_url: Some(as_role(url, OWNER)),
        tenant_role: "postern_tenant".to_owned(),
        platform_role: "postern_platform".to_owned(),
        audit_owner_role: "postern_audit_owner".to_owned(),
        prepared_statements: true,
        max_connections: 8,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
        durability: Durability::Off,
        audit_keys: Some(audit_keys()),
    }
}

/// The audit keys of all tests: their databases are copies of one template.
pub fn audit_keys() -> Arc<AuditKeys> {
    static KEYS: OnceLock<(TempDir, Arc<AuditKeys>)> = OnceLock::new();
    let (_, audit_keys) = KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary directory");
        write_audit_keys(folder.path());
        let audit_keys =
            AuditKeys::open(folder.path(), LOG_ORIGIN, true, TestClock::default().now())
                .expect("the keys are valid");
        (folder, Arc::new(audit_keys))
    });
    Arc::clone(audit_keys)
}

/// Origin of the logs of all tests.
pub const LOG_ORIGIN: &str = "postern.example";

/// Writes the files of the audit keys into a directory, for a separate process.
pub fn write_audit_keys(folder: &Path) {
    static FILES: OnceLock<Vec<(OsString, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let source = tempfile::tempdir().expect("a temporary directory");
        AuditKeys::open(source.path(), LOG_ORIGIN, true, TestClock::default().now())
            .expect("the keys are created");
        let entries = fs::read_dir(source.path()).expect("the directory is readable");
        entries
            .map(|entry| entry.expect("a directory entry"))
            .map(|entry| (entry.file_name(), fs::read(entry.path()).expect("the file is read")))
            .collect()
    });
    fs::create_dir_all(folder).expect("the directory is created");
    for (name, bytes) in files {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(folder.join(name))
            .expect("the file is created");
        file.write_all(bytes).expect("the file is written");
    }
}

/// Runs a statement as superuser outside of the test databases.
async fn admin(sql: &str) {
    let db = sea_orm::Database::connect(options(&cluster::url(SUPERUSER, "postgres")))
        .await
        .expect("the cluster accepts the connection");
    db.execute_unprepared(sql).await.expect("the statement runs");
    db.close().await.expect("the connection closes");
}

async fn sqlite_template() -> PathBuf {
    static TEMPLATE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
    let (_, file) = TEMPLATE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let file = folder.path().join("template.db");
            fill(&format!("sqlite://{}", file.display())).await;
            (folder, file)
        })
        .await;
    file.clone()
}

async fn postgres_template() {
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            admin(&format!("CREATE DATABASE postern_template OWNER {OWNER}")).await;
            fill(&cluster::url(SERVER, "postern_template")).await;
        })
        .await;
}

async fn fill(url: &str) {
    let migrated = schema::migrate(&store_options(url)).await.expect("the template is migrated");
    assert!(matches!(migrated, MigrationOutcome::Done), "{migrated:?}");
    let store = Store::connect(&store_options(url)).await.expect("the template opens");
    let config = app::config(std::path::Path::new("unused"), |_| {});
    let hash = Hasher::new(&config.passwords)
        .expect("the parameters are valid")
        .acquire()
        .await
        .expect("a hash permit");
    let password = Password::new(PASSWORD);
    let hash = hash.hash(&password);
    // An hour before the tests begin, so that rows of the tests are newer.
    let context = RequestContext {
        now: TestClock::default().now() - chrono::TimeDelta::hours(1),
        ids: Arc::default(),
        source: Source::default(),
    };
    demo::load(&store, hash, &context).await.expect("the demo accounts are loaded");
    store.close().await;
}
