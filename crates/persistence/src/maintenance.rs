//! Retention and erasure, the only removals from the audit log. On PostgreSQL, only the audit
//! owner (NOLOGIN) has the privileges; on SQLite, the append-only triggers are dropped and
//! restored in one transaction. The hashes of removed events stay in the log, and each removal is
//! recorded as an event.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use postern_domain::{
    Id,
    action::Action,
    actor::Actor,
    clock::{Ids, RequestContext},
    entry::{CanonicalEvent, ERASED, Part},
    event::{EventDraft, Target, TargetType},
    id::UserId,
    justification::Reason,
    member::Member,
    org::OrgRef,
    retention,
    user::UserRef,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, ExprTrait, Func, Query},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    backend::{create_triggers_sql, drop_triggers_sql, months},
    entity::{audit_event, audit_leaf, membership, org_or_nil, user},
    error::StoreError,
    event_writer,
    repository::{contains, log::Log, retention as rules, users},
    store::{Options, Store},
    tx::{Mode, Tx},
};

/// Events that a retention run removed, or would remove, from one log.
#[derive(Debug, PartialEq, Eq)]
pub struct RetainedLog {
    /// None for the platform's log.
    pub org: Option<OrgRef>,
    pub before: DateTime<Utc>,
    pub events: u64,
}

/// Result of a retention run.
#[derive(Debug, Default)]
pub struct RetentionReport {
    pub logs: Vec<RetainedLog>,
    /// Orgs under legal hold: no events were removed.
    pub held: Vec<OrgRef>,
    /// Monthly partitions that were dropped because they were empty.
    pub months: Vec<String>,
}

/// Result of an erasure.
#[derive(Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Number of events from which data of the user was erased.
    pub events: u64,
    /// Orgs under legal hold: nothing was erased from their logs.
    pub held: Vec<OrgRef>,
}

/// A store with the privileges of the audit owner.
pub struct AuditMaintenance {
    store: Arc<Store>,
}

impl AuditMaintenance {
    /// Connects; on PostgreSQL as the schema owner, which may assume the audit owner role.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let store = Store::connect_as_audit_owner(options).await?;
        store.bind_audit_keys().await?;
        Ok(Self { store })
    }

    /// Removes events older than `days`, or than the org's own retention. With `dry_run`, only
    /// reports what would be removed.
    pub async fn apply_retention(
        &self,
        days: i64,
        dry_run: bool,
        context: &RequestContext,
    ) -> Result<RetentionReport, StoreError> {
        let mut run = RetentionReport::default();
        let tx = Tx::begin(&self.store, Mode::Read).await?;
        let orgs = rules::all(&tx).await?;
        tx.rollback().await?;
        for org in std::iter::once(None).chain(orgs.into_iter().map(|rules| Some(rules.org))) {
            let tx = Tx::begin(&self.store, Mode::Write).await?;
            if !dry_run {
                tx.wait_for(rules::TAKING).await?;
            }
            // Read again under the lock: a hold or another retention may have been set.
            let before = match &org {
                None => Some(context.now - chrono::TimeDelta::days(days)),
                Some(org) => rules::of(&tx, org.clone()).await?.cutoff(days, context.now),
            };
            match (before, org) {
                (Some(before), org) => run
                    .logs
                    .extend(apply_retention_to_log(tx, org, before, dry_run, context).await?),
                (None, org) => run.held.extend(org),
            }
        }
        if !dry_run {
            run.months = self.rotate_partitions().await?;
        }
        Ok(run)
    }

    /// Creates the partitions of the coming months and drops empty past ones, each in its own
    /// transaction.
    async fn rotate_partitions(&self) -> Result<Vec<String>, StoreError> {
        let Some(months) = months(self.store.pool.backend()) else { return Ok(Vec::new()) };
        let tx = Tx::begin(&self.store, Mode::Write).await?;
        let backend = tx.get_database_backend();
        tx.execute_unprepared(&months.made).await?;
        tx.commit().await?;
        let tx = Tx::begin(&self.store, Mode::Read).await?;
        let over = tx.query_all_raw(Statement::from_string(backend, months.over)).await?;
        tx.rollback().await?;
        let mut dropped = Vec::new();
        for row in over {
            let month: String = row.try_get("", "month")?;
            let tx = Tx::begin(&self.store, Mode::Write).await?;
            let left = Statement::from_string(backend, (months.left)(&month));
            // Checked before and under the lock: locking the audit log blocks all readers.
            if tx.query_one_raw(left.clone()).await?.is_some() {
                continue;
            }
            tx.execute_unprepared(months.lock).await?;
            if tx.query_one_raw(left).await?.is_none() {
                tx.execute_unprepared(&(months.dropped)(&month)).await?;
                tx.commit().await?;
                dropped.push(month);
            }
        }
        Ok(dropped)
    }

    /// Erases one user's data from all events, with the salts of its commitments, and records the
    /// erasure in each affected log. None if there is no such user.
    pub async fn erase(
        &self,
        subject: &UserRef,
        reason: &Reason,
        context: &RequestContext,
    ) -> Result<Option<Erasure>, StoreError> {
        let tx = Tx::begin(&self.store, Mode::Write).await?;
        tx.wait_for(rules::TAKING).await?;
        let Some(person) = person(&tx, subject).await? else { return Ok(None) };
        let rules = rules::all(&tx).await?;
        let held: Vec<OrgRef> = rules
            .iter()
            .filter(|rule| rule.held_since.is_some())
            .map(|rule| rule.org.clone())
            .collect();
        open(&tx).await?;
        let (mut after, mut events) = (Uuid::nil(), BTreeMap::<Option<Uuid>, u64>::new());
        loop {
            let rows = audit_event::Entity::find()
                .filter(person.mentioned())
                // Erasure events refer to users by id only.
                .filter(audit_event::Column::Action.ne(Action::PrivacyErased.name()))
                .filter(audit_event::Column::Id.gt(after))
                .order_by_asc(audit_event::Column::Id)
                .limit(1_000)
                .all(&tx)
                .await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                let log = row.org_id;
                if held.iter().all(|org| Some(org.id.uuid()) != log)
                    && blank(&tx, row, &person).await?
                {
                    *events.entry(log).or_default() += 1;
                }
            }
        }
        close(&tx).await?;
        // The platform's log records every erasure. A reason that contains the user's name or
        // address is omitted.
        events.entry(None).or_default();
        for (log, count) in &events {
            let org = rules.iter().map(|rule| &rule.org).find(|org| Some(org.id.uuid()) == *log);
            let target = Target::new(TargetType::User, person.id, ERASED);
            let draft = EventDraft::new(
                Action::PrivacyErased,
                target,
                format!("erased a user's personal data from {count} events"),
            )
            .with_metadata("events", count);
            let draft = if person.is_in(&reason.to_string()) {
                draft
            } else {
                draft.with_reason(reason, None)
            };
            event_writer::write(
                &tx,
                draft.in_org_log(org.cloned()),
                &Actor::Cli { command: "postern privacy erase" },
                None,
                context,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(Some(Erasure { events: events.values().sum(), held }))
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Applies retention to one log, in one transaction with its event.
async fn apply_retention_to_log(
    tx: Tx,
    org: Option<OrgRef>,
    before: DateTime<Utc>,
    dry_run: bool,
    context: &RequestContext,
) -> Result<Option<RetainedLog>, StoreError> {
    use audit_event::Column as C;
    let id = org.as_ref().map(|org| org.id);
    let of_log = id.map_or_else(|| C::OrgId.is_null(), |id| C::OrgId.eq(id.uuid()));
    let log = Log::of(&tx, id);
    // Ids follow time, and leaf indexes nearly follow ids: only events with an index below that of
    // the first kept event are removed.
    let kept = audit_event::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(of_log.clone())
        .filter(C::Id.gte(Ids::first_of(before)))
        .filter(C::OccurredAt.gte(before))
        .order_by_asc(C::Id)
        .into_tuple::<Uuid>()
        .one(&tx)
        .await?;
    let first_kept = match kept {
        // A queued event gets an index after all existing ones.
        Some(event) => log.leaf_of(Id::new(event)).await?.map(|(index, _)| index),
        None => None,
    };
    let first_kept = match first_kept {
        Some(index) => index,
        None => log.head().await?.size,
    };
    let in_log = Query::select()
        .expr(Expr::val(1))
        .from(audit_leaf::Entity)
        .and_where(Expr::col((audit_leaf::Entity, audit_leaf::Column::OrgId)).eq(org_or_nil(id)))
        .and_where(
            Expr::col((audit_leaf::Entity, audit_leaf::Column::EventId))
                .equals((audit_event::Entity, C::Id)),
        )
        .and_where(
            Expr::col((audit_leaf::Entity, audit_leaf::Column::LeafIndex))
                .lt(i64::try_from(first_kept).unwrap_or(i64::MAX)),
        )
        .take();
    let over = Condition::all()
        .add(of_log)
        .add(C::OccurredAt.lt(before))
        // Events that explain removals are kept.
        .add(
            C::Action
                .is_not_in([Action::AuditRetentionApplied.name(), Action::PrivacyErased.name()]),
        )
        .add(C::Id.lt(Ids::first_of(before + Ids::AHEAD)))
        .add(Expr::exists(in_log));
    open(&tx).await?;
    let events = audit_event::Entity::delete_many().filter(over).exec(&tx).await?.rows_affected;
    close(&tx).await?;
    if events == 0 {
        tx.rollback().await?;
        return Ok(None);
    }
    if dry_run {
        tx.rollback().await?;
    } else {
        let draft = retention::applied(org.as_ref(), before, events, first_kept);
        event_writer::write(
            &tx,
            draft,
            &Actor::Cli { command: "postern retention run" },
            None,
            context,
        )
        .await?;
        tx.commit().await?;
    }
    Ok(Some(RetainedLog { org, before, events }))
}

async fn open(tx: &Tx) -> Result<(), StoreError> {
    if let Some(sql) = drop_triggers_sql(tx.get_database_backend()) {
        tx.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn close(tx: &Tx) -> Result<(), StoreError> {
    if let Some(sql) = create_triggers_sql(tx.get_database_backend()) {
        tx.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The user to erase, with the values that refer to them in events.
struct DataSubject {
    id: UserId,
    email: String,
    name: String,
    /// Target ids: the user and their current memberships.
    targets: Vec<String>,
}

async fn person(tx: &Tx, subject: &UserRef) -> Result<Option<DataSubject>, StoreError> {
    let Some(user) = user::Entity::find().filter(users::matches(subject)).one(tx).await? else {
        return Ok(None);
    };
    let memberships =
        membership::Entity::find().filter(membership::Column::UserId.eq(user.id)).all(tx).await?;
    let id = UserId::new(user.id);
    let mut targets = vec![id.to_string()];
    targets.extend(memberships.into_iter().map(|row| Id::<Member>::new(row.id).to_string()));
    Ok(Some(DataSubject { id, email: user.email, name: user.name, targets }))
}

impl DataSubject {
    /// Condition for all events that may contain the user's data.
    fn mentioned(&self) -> Condition {
        use audit_event::Column as C;
        let mentions = |column: C| contains(Expr::col((audit_event::Entity, column)), &self.email);
        let metadata = Func::cast_as(Expr::col((audit_event::Entity, C::Metadata)), "text");
        Condition::any()
            .add(C::ActorId.eq(self.id.uuid()))
            .add(C::ActorEmail.eq(self.email.as_str()))
            .add(C::OnBehalfOfId.eq(self.id.uuid()))
            .add(C::TargetId.is_in(self.targets.iter().map(String::as_str)))
            .add(mentions(C::TargetLabel))
            .add(mentions(C::Summary))
            .add(mentions(C::Reason))
            .add(contains(metadata.into(), &self.email))
    }

    /// Reports whether the text contains the user's e-mail address, or their name as separate
    /// words. Names of one or two characters are ignored: they occur in too many texts.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let contains_word = |word: &str| {
            text.match_indices(word).any(|(at, _)| {
                !letter(text[..at].chars().next_back())
                    && !letter(text[at + word.len()..].chars().next())
            })
        };
        contains_word(&self.email.to_lowercase())
            || (self.name.chars().count() > 2 && contains_word(&self.name.to_lowercase()))
    }

    /// The parts of an event that contain the user's data.
    fn parts(&self, row: &audit_event::Model) -> Vec<Part> {
        let actor =
            row.actor_id == Some(self.id.uuid()) || row.actor_email.as_ref() == Some(&self.email);
        let impersonated = row.on_behalf_of_id == Some(self.id.uuid());
        let target = row.target_id.as_ref().is_some_and(|id| self.targets.contains(id));
        let about = [
            (Part::Actor, actor),
            // The actor's client; under impersonation, the staff member's.
            (Part::Source, actor),
            (Part::OnBehalfOf, impersonated),
            (Part::Target, target || self.is_in(&row.target_label)),
            (Part::Summary, actor || impersonated || target || self.is_in(&row.summary)),
            (Part::Reason, row.reason.as_ref().is_some_and(|reason| self.is_in(reason))),
            // Former names, which cannot be matched, occur only here.
            (
                Part::Metadata,
                row.action == Action::UserProfileUpdated.name() && (actor || target)
                    || self.is_in(&row.metadata.to_string()),
            ),
        ];
        about.into_iter().filter(|(_, about)| *about).map(|(part, _)| part).collect()
    }
}

/// Erases the user's data from one event. Returns false if nothing is left to erase.
async fn blank(tx: &Tx, row: audit_event::Model, person: &DataSubject) -> Result<bool, StoreError> {
    let before = row.openings()?;
    let parts: Vec<Part> = person
        .parts(&row)
        .into_iter()
        .filter(|part| !before.erased_fields().contains_key(part))
        .collect();
    if parts.is_empty() {
        return Ok(false);
    }
    let json = event_writer::as_read(&row)?;
    let recorded =
        CanonicalEvent::parse(&json).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let openings = before.erasing(&parts, &recorded);
    let mut after = row;
    for part in parts {
        match part {
            Part::Actor => after.actor_email = None,
            Part::OnBehalfOf => after.on_behalf_of_email = None,
            Part::Target => ERASED.clone_into(&mut after.target_label),
            Part::Summary => ERASED.clone_into(&mut after.summary),
            Part::Reason => after.reason = None,
            Part::Metadata => after.metadata = json!({}),
            Part::Source => (after.ip, after.user_agent, after.request_id) = (None, None, None),
        }
    }
    after.salts = openings.salts().to_vec();
    after.erased_fields = Some(
        openings
            .erased_fields()
            .iter()
            .map(|(part, hash)| (part.name().to_owned(), Value::from(hash.to_base64())))
            .collect(),
    );
    audit_event::Entity::update(after.into_active_model().reset_all()).exec(tx).await?;
    Ok(true)
}
