//! The server of one test, with its database and clock.

mod invariants;

use std::{cell::Cell, net::TcpListener, path::Path, sync::Arc};

use actix_web::rt;
use postern::config::Config;
use postern_api::{Server, State, config as api};
use postern_domain::{
    Id,
    clock::{Clock, RequestContext},
    event::Source,
    id::MemberId,
    id::UserId,
    password::Password,
};

use postern_persistence::{
    Options, Store, demo,
    sequencer::{BatchReport, Sequencer},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Database, PASSWORD, Person, Response, TestClock, write_audit_keys};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    /// PostgreSQL behind `PgBouncer` in transaction mode.
    PgBouncer,
}

/// A running server with its database and clock.
pub struct App {
    pub backend: Backend,
    pub address: String,
    pub clock: TestClock,
    pub db: Database,
    /// The server's database options.
    options: Options,
    pub state: Arc<State>,
    pub client: reqwest::Client,
    pub folder: TempDir,
    handle: postern_api::Handle,
    running: Cell<Option<rt::task::JoinHandle<std::io::Result<()>>>>,
    skips_invariants: Cell<bool>,
}

/// Runs one test on one backend, and then checks the invariants.
pub fn run(backend: Backend, test: impl AsyncFnOnce(&App)) {
    rt::System::new().block_on(async {
        let app = App::start(backend, |_| {}).await;
        test(&app).await;
        app.finish().await;
    });
}

/// Configuration of a test server: the defaults, except for cheap password hashes and short
/// shutdown times.
pub fn config(folder: &Path, change: impl FnOnce(&mut api::Config)) -> api::Config {
    let mut config = Config::read(default_figment()).expect("the defaults are valid").api;
    config.passwords.memory_kib = 8;
    config.passwords.iterations = 1;
    config.server.workers = 2;
    config.server.shutdown_timeout_seconds = 5;
    config.server.drain_seconds = 0;
    config.tokens.keys_dir = folder.join("keys");
    change(&mut config);
    config
}

/// Unchanged configuration of a test server.
pub fn test_config(folder: &Path) -> api::Config {
    config(folder, |_| {})
}

fn default_figment() -> impl figment::Provider {
    figment::providers::Serialized::globals(json!({}))
}

impl App {
    /// Starts a server. `change` edits its configuration.
    pub async fn start(backend: Backend, change: impl FnOnce(&mut api::Config)) -> Self {
        Self::start_on(backend, change, |_| {}).await
    }

    /// Starts a server. `change` edits its configuration, `change_options` its database options.
    pub async fn start_on(
        backend: Backend,
        change: impl FnOnce(&mut api::Config),
        change_options: impl FnOnce(&mut Options),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let db = Database::copy(backend, &folder).await;
        write_audit_keys(&folder.path().join("data/audit-keys"));
        let clock = TestClock::default();
        let mut options = db.options();
        change_options(&mut options);
        let store = Store::connect(&options).await.expect("the database opens");
        let config = config(folder.path(), change);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("the socket is bound"));
        let state = Arc::new(
            State::new(config, store, Arc::new(clock.clone())).expect("the state is built"),
        );
        let server = Server::start(Arc::clone(&state), listener).expect("the server starts");
        let handle = server.handle();
        let running = rt::spawn(server.run());
        let client =
            reqwest::Client::builder().pool_max_idle_per_host(64).build().expect("an HTTP client");
        let (running, skips_invariants) = (Cell::new(Some(running)), Cell::new(false));
        Self {
            backend,
            address,
            clock,
            db,
            options,
            state,
            client,
            folder,
            handle,
            running,
            skips_invariants,
        }
    }

    /// Skips the invariants after the test: it changes state without audit events.
    pub fn skip_invariants(&self) {
        self.skips_invariants.set(true);
    }

    /// Runs SQL that bypasses the server, and skips the invariants.
    pub async fn run_sql(&self, sql: &str) {
        self.skip_invariants();
        self.db.execute(sql).await.expect("the statement runs");
    }

    /// Handle that stops the server.
    pub fn handle(&self) -> postern_api::Handle {
        self.handle.clone()
    }

    /// Adds orgs to the demo data, as `postern demo --orgs` does. `member-1@company-1.example` owns
    /// the first one.
    pub async fn fill(&self, size: demo::Size) {
        self.skip_invariants();
        let context = RequestContext {
            now: self.clock.now(),
            ids: Arc::default(),
            source: Source::default(),
        };
        let permit = self.state.hasher.acquire().await.expect("a hash permit");
        demo::fill(
            &self.state.store,
            size,
            permit.hash(&Password::new(PASSWORD)),
            &context,
            |_| {},
        )
        .await
        .expect("the orgs are added");
    }

    /// A caller without a token.
    pub fn anonymous(&self) -> Person<'_> {
        Person::new(self, None)
    }

    /// A caller with this token.
    pub fn bearer(&self, token: &str) -> Person<'_> {
        Person::new(self, Some(token.to_owned()))
    }

    /// A signed-in demo account.
    pub async fn sign_in(&self, email: &str) -> Person<'_> {
        let response = self.log_in(email, PASSWORD).await.expect(200);
        Person::new(self, Some(response.text("/access_token")))
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Response {
        self.anonymous()
            .post("/v1/auth/login", json!({ "email": email, "password": password }))
            .await
    }

    /// Starts an impersonation with `mode` `read_only` or `full`. Returns the impersonating caller
    /// and the response.
    pub async fn impersonate(
        &self,
        staff: &Person<'_>,
        target: &str,
        org: &str,
        mode: &str,
    ) -> (Person<'_>, Value) {
        let body = json!({
            "target_user_id": self.user_id(target).await, "org": org, "mode": mode,
            "reason": "cannot open the reports page", "ticket_ref": "SUP-4312",
        });
        let key = self.state.new_request_id();
        let request = staff
            .request("POST", "/v1/admin/impersonations")
            .header("idempotency-key", key)
            .json(&body);
        let response = Response::of(request.send().await).await.expect(201);
        (self.bearer(&response.text("/access_token")), response.json)
    }

    /// User id by e-mail address.
    pub async fn user_id(&self, email: &str) -> String {
        let id: UserId = Id::new(
            self.db.uuid(&format!("SELECT id FROM \"user\" WHERE email = '{email}'")).await,
        );
        id.to_string()
    }

    /// Member id by org slug and e-mail address.
    pub async fn member_id(&self, org: &str, email: &str) -> String {
        let sql = format!(
            "SELECT m.id FROM membership m JOIN organization o ON o.id = m.org_id \
             JOIN \"user\" u ON u.id = m.user_id WHERE o.slug = '{org}' AND u.email = '{email}'"
        );
        let id: MemberId = Id::new(self.db.uuid(&sql).await);
        id.to_string()
    }

    /// Number of audit events of an action.
    pub async fn recorded(&self, action: &str) -> i64 {
        self.db.count(&format!("SELECT count(*) FROM audit_event WHERE action = '{action}'")).await
    }

    /// Platform audit events that staff of tier engineering read, newest first.
    pub async fn events(&self, query: &str) -> Vec<Value> {
        let engineer = self.sign_in("eng@postern.example").await;
        let page =
            engineer.get(&format!("/v1/admin/audit-events?limit=100&{query}")).await.expect(200);
        page.json["data"].as_array().cloned().expect("a list of events")
    }

    /// A request context with the test clock's time and an empty source.
    pub fn context(&self) -> RequestContext {
        RequestContext {
            now: self.clock.now(),
            ids: Arc::clone(&self.state.ids),
            source: Source::default(),
        }
    }

    /// Adds all pending events to their logs, as the worker does.
    pub async fn sequence(&self) -> Vec<BatchReport> {
        let store =
            self.state.store.separate_pool(&self.options).await.expect("the database opens");
        let mut sequencer = Sequencer::new(store);
        let mut batches = Vec::new();
        loop {
            let batch = sequencer
                .run_batch(&self.context())
                .await
                .expect("the batch runs")
                .expect("no other process is sequencing");
            assert!(batch.damaged.is_empty(), "{:?}", batch.damaged);
            if batch.events == 0 && batch.rejected.is_empty() {
                return batches;
            }
            batches.push(batch);
        }
    }

    /// Stops the server and checks the invariants of all tests.
    pub async fn finish(self) {
        self.handle.clone().stop().await;
        let running = self.running.take().expect("finish is called once");
        running.await.expect("the server task does not panic").expect("the server stops cleanly");
        if !self.skips_invariants.get() {
            self.sequence().await;
        }
        self.state.store.close().await;
        self.check_invariants().await;
        self.check_events().await;
        self.check_transactions().await;
        self.db.drop_database().await;
    }
}
