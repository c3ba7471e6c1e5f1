//! Checks of the database after each test.

use postern_domain::{action::Action, metadata, samples};
use serde_json::Value;

use super::{App, Backend};

/// Difference between the number of rows and that of events of an action, as an SQL query.
macro_rules! difference {
    ($rows:literal, $action:literal) => {
        concat!(
            "SELECT abs((SELECT count(*) FROM ",
            $rows,
            ") - (SELECT count(*) FROM audit_event WHERE action = '",
            $action,
            "'))"
        )
    };
}

/// Expectations, with queries that count the violations.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "each impersonation has an impersonation.started event",
        difference!("impersonation", "impersonation.started"),
    ),
    (
        "each ended impersonation has an impersonation.ended event",
        difference!("impersonation WHERE ended_at IS NOT NULL", "impersonation.ended"),
    ),
    (
        "an impersonation has a cause of its end if and only if it has ended",
        "SELECT count(*) FROM impersonation WHERE (ended_at IS NULL) <> (end_cause IS NULL)",
    ),
    (
        "each session has an auth.login_succeeded event",
        "SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM audit_event e \
         WHERE e.action = 'auth.login_succeeded' AND e.session_id = s.id)",
    ),
    ("each org has an org.created event", difference!("organization", "org.created")),
    (
        "each deleted org has an org.deletion_requested event",
        difference!(
            "organization WHERE deletion_requested_at IS NOT NULL",
            "org.deletion_requested"
        ),
    ),
    (
        "each change of settings has a settings.updated event",
        "SELECT abs((SELECT CAST(coalesce(sum(version - 1), 0) AS bigint) FROM org_setting) \
         - (SELECT count(*) FROM audit_event WHERE action = 'settings.updated'))",
    ),
    // The demo has 3 orgs with 12 members.
    (
        "the number of members follows from org.created and user.removed events",
        "SELECT abs((SELECT count(*) FROM membership) - 12 \
         - ((SELECT count(*) FROM audit_event WHERE action = 'org.created') - 3) \
         + (SELECT count(*) FROM audit_event WHERE action = 'user.removed'))",
    ),
    (
        "each event is in a log",
        "SELECT count(*) FROM audit_event e \
         WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.event_id = e.id)",
    ),
    (
        "each org has an owner",
        "SELECT count(*) FROM organization o \
         WHERE o.deletion_requested_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM membership m WHERE m.org_id = o.id AND m.role = 'owner')",
    ),
    (
        "events have both an impersonation and a target, or neither",
        "SELECT count(*) FROM audit_event \
         WHERE (impersonation_id IS NULL) <> (on_behalf_of_id IS NULL)",
    ),
];

impl App {
    /// Checks that state and events agree, unless the test skips the invariants.
    pub(super) async fn check_invariants(&self) {
        for (expectation, sql) in INVARIANTS {
            assert!(self.skips_invariants.get() || self.db.count(sql).await == 0, "{expectation}");
        }
    }

    /// Checks the target and the metadata of every event against its action.
    pub(super) async fn check_events(&self) {
        let text = if self.backend == Backend::Sqlite { "metadata" } else { "metadata::text" };
        let sql = format!(
            "SELECT action || ' ' || target_type || ' ' || {text} FROM audit_event \
             WHERE erased_fields IS NULL"
        );
        for row in self.db.texts(&sql).await {
            let mut parts = row.splitn(3, ' ');
            let mut part = || parts.next().expect("action, type of the target and metadata");
            let (name, target, json) = (part(), part(), part());
            let Some(action) = Action::parse(name) else {
                assert!(self.skips_invariants.get(), "{name} is an audit action");
                continue;
            };
            assert!(
                self.skips_invariants.get() || samples::target_type(action).name() == target,
                "{name} has the documented type of target, not {target}"
            );
            let Ok(Value::Object(fields)) = serde_json::from_str(json) else { panic!("{row}") };
            assert!(
                self.skips_invariants.get()
                    || metadata::fault(action.metadata(), &fields).is_none(),
                "the metadata fits the action: {row}: {:?}",
                metadata::fault(action.metadata(), &fields)
            );
        }
    }

    /// Checks that the server left no transaction open. PostgreSQL notices closed connections with
    /// a delay, or never if a transaction is held.
    pub(super) async fn check_transactions(&self) {
        if self.backend == Backend::Sqlite {
            return;
        }
        let open = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        let mut attempts = 0;
        while self.db.count(open).await > 0 {
            attempts += 1;
            assert!(attempts < 2_000, "no transaction is left open");
        }
    }
}
