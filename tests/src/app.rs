//! A server for one test.

use std::{cell::Cell, net::TcpListener, path::Path, sync::Arc};

use actix_web::rt;
use postern::config::Config;
use postern_api::{Server, State, config as api};
use postern_domain::{
    Id,
    action::Action,
    clock::{Clock, RequestContext},
    event::Source,
    member::Member,
    metadata,
    password::Password,
    user::User,
};
use postern_persistence::{
    Options, Store, demo,
    sequencer::{BatchReport, Sequencer},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Answer, Database, PASSWORD, Person, TestClock, write_record_keys};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    /// PostgreSQL with `PgBouncer` in transaction mode before it.
    PgBouncer,
}

/// A server that runs, its database and its clock.
pub struct App {
    pub backend: Backend,
    pub address: String,
    pub clock: TestClock,
    pub db: Database,
    /// How its server reaches the database.
    options: Options,
    pub state: Arc<State>,
    pub client: reqwest::Client,
    pub folder: TempDir,
    handle: postern_api::Handle,
    running: Cell<Option<rt::task::JoinHandle<std::io::Result<()>>>>,
    meddled: Cell<bool>,
}

/// Runs one test on one backend, and then asks of it what must hold after every test.
pub fn run(backend: Backend, test: impl AsyncFnOnce(&App)) {
    rt::System::new().block_on(async {
        let app = App::start(backend, |_| {}).await;
        test(&app).await;
        app.finish().await;
    });
}

/// The configuration of a test's server: the defaults, but for hashes that cost nothing.
pub fn config(folder: &Path, change: impl FnOnce(&mut api::Config)) -> api::Config {
    let mut config = Config::read(figment_of_nothing()).expect("the defaults are sound").api;
    config.passwords.memory_kib = 8;
    config.passwords.iterations = 1;
    config.server.workers = 2;
    config.server.shutdown_timeout_seconds = 5;
    config.server.drain_seconds = 0;
    config.tokens.keys_dir = folder.join("keys");
    change(&mut config);
    config
}

/// The same without changes.
pub fn test_config(folder: &Path) -> api::Config {
    config(folder, |_| {})
}

fn figment_of_nothing() -> impl figment::Provider {
    figment::providers::Serialized::globals(json!({}))
}

impl App {
    /// Starts one; `change` may change its configuration.
    pub async fn start(backend: Backend, change: impl FnOnce(&mut api::Config)) -> Self {
        Self::start_on(backend, change, |_| {}).await
    }

    /// The same; `reach` may change how it reaches its database.
    pub async fn start_on(
        backend: Backend,
        change: impl FnOnce(&mut api::Config),
        reach: impl FnOnce(&mut Options),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Database::copy(backend, &folder).await;
        write_record_keys(&folder.path().join("data/audit-keys"));
        let clock = TestClock::default();
        let mut options = db.options();
        reach(&mut options);
        let store = Store::connect(&options).await.expect("the database opens");
        let config = config(folder.path(), change);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(
            State::new(config, store, Arc::new(clock.clone())).expect("the state is sound"),
        );
        let server = Server::start(Arc::clone(&state), listener).expect("the server starts");
        let handle = server.handle();
        let running = rt::spawn(server.run());
        let client =
            reqwest::Client::builder().pool_max_idle_per_host(64).build().expect("a client");
        let (running, meddled) = (Cell::new(Some(running)), Cell::new(false));
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
            meddled,
        }
    }

    /// State was changed behind the server's back: state and record need no longer agree.
    pub fn unaccounted(&self) {
        self.meddled.set(true);
    }

    /// Changes state behind the server's back.
    pub async fn meddle(&self, sql: &str) {
        self.unaccounted();
        self.db.execute(sql).await.expect("the statement runs");
    }

    /// What stops the server.
    pub fn handle(&self) -> postern_api::Handle {
        self.handle.clone()
    }

    /// Adds customers to the demo's, as `postern demo --orgs` does: `member-1@company-1.example` owns the first, and so on.
    pub async fn fill(&self, size: demo::Size) {
        self.unaccounted();
        let context = RequestContext {
            now: self.clock.now(),
            ids: Arc::default(),
            source: Source::default(),
        };
        let turn = self.state.hasher.turn().await.expect("a turn");
        demo::fill(&self.state.store, size, turn.hash(&Password::new(PASSWORD)), &context, |_| {})
            .await
            .expect("is filled");
    }

    /// Somebody who has not signed in.
    pub fn anonymous(&self) -> Person<'_> {
        Person::new(self, None)
    }

    /// Somebody with this token.
    pub fn bearer(&self, token: &str) -> Person<'_> {
        Person::new(self, Some(token.to_owned()))
    }

    /// A demo account, signed in.
    pub async fn sign_in(&self, email: &str) -> Person<'_> {
        let answer = self.log_in(email, PASSWORD).await.expect(200);
        Person::new(self, Some(answer.text("/access_token")))
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.anonymous()
            .post("/v1/auth/login", json!({ "email": email, "password": password }))
            .await
    }

    /// A member of staff in somebody's name: `read_only` or `full`.
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
        let answer = staff
            .request("POST", "/v1/admin/impersonations")
            .header("idempotency-key", key)
            .json(&body);
        let answer = Answer::of(answer.send().await).await.expect(201);
        (self.bearer(&answer.text("/access_token")), answer.json)
    }

    /// Somebody's id.
    pub async fn user_id(&self, email: &str) -> String {
        let id: Id<User> = Id::new(
            self.db.uuid(&format!("SELECT id FROM \"user\" WHERE email = '{email}'")).await,
        );
        id.to_string()
    }

    /// The id of somebody's membership.
    pub async fn member_id(&self, org: &str, email: &str) -> String {
        let sql = format!(
            "SELECT m.id FROM membership m JOIN organization o ON o.id = m.org_id JOIN \"user\" u ON u.id = m.user_id \
             WHERE o.slug = '{org}' AND u.email = '{email}'"
        );
        let id: Id<Member> = Id::new(self.db.uuid(&sql).await);
        id.to_string()
    }

    /// How often an action stands in the record.
    pub async fn recorded(&self, action: &str) -> i64 {
        self.db.count(&format!("SELECT count(*) FROM audit_event WHERE action = '{action}'")).await
    }

    /// The newest events first, as an engineer sees them.
    pub async fn events(&self, query: &str) -> Vec<Value> {
        let engineer = self.sign_in("eng@postern.example").await;
        let page =
            engineer.get(&format!("/v1/admin/audit-events?limit=100&{query}")).await.expect(200);
        page.json["data"].as_array().cloned().expect("a list")
    }

    /// Now, by the test's clock, from nowhere.
    pub fn context(&self) -> RequestContext {
        RequestContext {
            now: self.clock.now(),
            ids: Arc::clone(&self.state.ids),
            source: Source::default(),
        }
    }

    /// Gives every event its place in its log, as the worker does.
    pub async fn sequence(&self) -> Vec<BatchReport> {
        let store =
            self.state.store.separate_pool(&self.options).await.expect("the database opens");
        let mut sequencer = Sequencer::new(store);
        let mut batches = Vec::new();
        loop {
            let batch = sequencer
                .run_batch(&self.context())
                .await
                .expect("the sequencer works")
                .expect("it is nobody else's turn");
            assert!(batch.damaged.is_empty(), "{:?}", batch.damaged);
            if batch.events == 0 && batch.rejected.is_empty() {
                return batches;
            }
            batches.push(batch);
        }
    }

    /// What an event says besides is what its action states.
    async fn every_event_says_what_is_stated(&self) {
        let text = if self.backend == Backend::Sqlite { "metadata" } else { "metadata::text" };
        let sql =
            format!("SELECT action || ' ' || {text} FROM audit_event WHERE erased_fields IS NULL");
        for row in self.db.texts(&sql).await {
            let (name, json) = row.split_once(' ').expect("two");
            let Ok(action) = name.parse::<Action>() else {
                assert!(self.meddled.get(), "{name} is not in the catalogue");
                continue;
            };
            let Ok(Value::Object(said)) = serde_json::from_str(json) else { panic!("{row}") };
            assert!(
                self.meddled.get() || metadata::fault(action.metadata(), &said).is_none(),
                "{row}: {:?}",
                metadata::fault(action.metadata(), &said)
            );
        }
    }

    /// What must hold after every test.
    pub async fn finish(self) {
        self.handle.clone().stop().await;
        let running = self.running.take().expect("a server is finished once");
        running.await.expect("the server's task ends").expect("the server ends well");
        if !self.meddled.get() {
            self.sequence().await;
        }
        self.state.store.close().await;
        let as_many = |rows: &str, action: &str| {
            format!(
                "SELECT abs((SELECT count(*) FROM {rows}) - (SELECT count(*) FROM audit_event WHERE action = '{action}'))"
            )
        };
        let never = [
            ("impersonations and their beginnings in the record differ", as_many("impersonation", "impersonation.started")),
            (
                "a session was opened unrecorded",
                "SELECT count(*) FROM session s WHERE NOT EXISTS \
               (SELECT 1 FROM audit_event e WHERE e.action = 'auth.login_succeeded' AND e.session_id = s.id)"
                    .to_owned(),
            ),
            ("an org appeared unrecorded", as_many("organization", "org.created")),
            ("an org was deleted unrecorded", as_many("organization WHERE deletion_requested_at IS NOT NULL", "org.deletion_requested")),
            (
                "an org's settings were changed unrecorded",
                "SELECT abs((SELECT CAST(coalesce(sum(version - 1), 0) AS bigint) FROM org_setting) \
               - (SELECT count(*) FROM audit_event WHERE action = 'settings.updated'))"
                    .to_owned(),
            ),
            (
                "a member came or went unrecorded",
                "SELECT abs((SELECT count(*) FROM membership) - 12 \
               - (SELECT count(*) FROM audit_event WHERE action = 'org.created') + 3 \
               + (SELECT count(*) FROM audit_event WHERE action = 'user.removed'))"
                    .to_owned(),
            ),
            (
                "an event has no place in a log",
                "SELECT count(*) FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.event_id = e.id)".to_owned(),
            ),
            (
                "an org has no owner",
                "SELECT count(*) FROM organization o WHERE o.deletion_requested_at IS NULL AND NOT EXISTS \
               (SELECT 1 FROM membership m WHERE m.org_id = o.id AND m.role = 'owner')"
                    .to_owned(),
            ),
            (
                "an event names only one of two",
                "SELECT count(*) FROM audit_event \
               WHERE (impersonation_id IS NULL) <> (on_behalf_of_id IS NULL)"
                    .to_owned(),
            ),
        ];
        for (fault, sql) in never {
            assert!(self.meddled.get() || self.db.count(&sql).await == 0, "{fault}");
        }
        self.every_event_says_what_is_stated().await;
        if self.backend != Backend::Sqlite {
            // The server's connections are closed; the database needs a moment to see it, and would need one for ever if a
            // transaction were held.
            let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            let mut asked = 0;
            while self.db.count(open).await > 0 {
                asked += 1;
                assert!(asked < 2_000, "a transaction was left open");
            }
        }
        self.db.drop_it().await;
    }
}
