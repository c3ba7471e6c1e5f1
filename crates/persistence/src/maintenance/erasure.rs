//! Erasure of one user's personal data from the audit log.

use std::collections::BTreeMap;

use postern_audit_log::{
    commitment::PersonalField,
    event::{CanonicalEvent, ERASED},
};
use postern_domain::{
    action::Action, actor::Actor, clock::RequestContext, erasure, justification::Reason,
    org_ref::OrgRef, retention::Retention, user::UserKey,
};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    data_subject::DataSubject,
    store::{AuditMaintenance, disable_append_only, enable_append_only},
};
use crate::{
    backend::Mode,
    entity::audit_event,
    error::StoreError,
    event_writer,
    repository::retention::{self, REMOVAL_LOCK},
    tx::Tx,
};

/// Number of events that are read at a time.
const ROWS: u64 = 1_000;

/// Number of changed events by org id; none for the platform's log.
type EventCounts = BTreeMap<Option<Uuid>, u64>;

/// Result of an erasure.
#[derive(Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Number of events from which data of the user was erased.
    pub events: u64,
    /// Orgs under legal hold: nothing was erased from their logs.
    pub held: Vec<OrgRef>,
}

impl AuditMaintenance {
    /// Erases one user's data from all events, with the salts of its commitments, and records the
    /// erasure in each affected log. None if there is no such user.
    pub async fn erase(
        &self,
        subject: &UserKey,
        reason: &Reason,
        actor: &Actor,
        context: &RequestContext,
    ) -> Result<Option<Erasure>, StoreError> {
        let tx = Tx::begin(&self.store, Mode::Write).await?;
        tx.wait_for(REMOVAL_LOCK).await?;
        let Some(subject) = DataSubject::find(&tx, subject).await? else { return Ok(None) };
        let rules = retention::all(&tx).await?;
        let held_orgs: Vec<OrgRef> = rules
            .iter()
            .filter(|rule| rule.held_since.is_some())
            .map(|rule| rule.org.clone())
            .collect();
        disable_append_only(&tx).await?;
        let mut counts = erase_from_events(&tx, &subject, &held_orgs).await?;
        enable_append_only(&tx).await?;
        // The platform's log records every erasure.
        counts.entry(None).or_default();
        record(&tx, &subject, &counts, &rules, reason, actor, context).await?;
        tx.commit().await?;
        Ok(Some(Erasure { events: counts.values().sum(), held: held_orgs }))
    }
}

/// Erases the user's data from all events, except those of orgs under legal hold.
async fn erase_from_events(
    tx: &Tx,
    subject: &DataSubject,
    held_orgs: &[OrgRef],
) -> Result<EventCounts, StoreError> {
    let (mut after, mut counts) = (Uuid::nil(), EventCounts::new());
    loop {
        let rows = audit_event::Entity::find()
            .filter(subject.mentioned(tx.get_database_backend()))
            // Erasure events refer to users by id only.
            .filter(audit_event::Column::Action.ne(Action::PrivacyErased.name()))
            .filter(audit_event::Column::Id.gt(after))
            .order_by_asc(audit_event::Column::Id)
            .limit(ROWS)
            .all(tx)
            .await?;
        let Some(last) = rows.last() else { return Ok(counts) };
        after = last.id;
        for row in rows {
            let log = row.org_id;
            if held_orgs.iter().all(|org| Some(org.id.uuid()) != log)
                && erase_from_event(tx, row, subject).await?
            {
                *counts.entry(log).or_default() += 1;
            }
        }
    }
}

/// Erases the user's data from one event. Returns false if nothing is left to erase.
async fn erase_from_event(
    tx: &Tx,
    row: audit_event::Model,
    subject: &DataSubject,
) -> Result<bool, StoreError> {
    let before = row.salts()?;
    let fields: Vec<PersonalField> = subject
        .fields(&row)
        .into_iter()
        .filter(|field| !before.erased_fields().contains_key(field))
        .collect();
    if fields.is_empty() {
        return Ok(false);
    }
    let json = event_writer::to_json(&row)?;
    let recorded =
        CanonicalEvent::parse(&json).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let salts = before.erasing(&fields, |field| recorded.value_of(field));
    let mut after = row;
    for field in fields {
        match field {
            PersonalField::Actor => after.actor_email = None,
            PersonalField::OnBehalfOf => after.on_behalf_of_email = None,
            PersonalField::Target => ERASED.clone_into(&mut after.target_label),
            PersonalField::Summary => ERASED.clone_into(&mut after.summary),
            PersonalField::Reason => after.reason = None,
            PersonalField::Metadata => after.metadata = json!({}),
            PersonalField::Source => {
                (after.ip, after.user_agent, after.request_id) = (None, None, None);
                after.client_network = None;
            }
        }
    }
    after.salts = salts.salts().to_vec();
    after.erased_fields = Some(
        salts
            .erased_fields()
            .iter()
            .map(|(field, hash)| (field.name().to_owned(), Value::from(hash.to_base64())))
            .collect(),
    );
    audit_event::Entity::update(after.into_active_model().reset_all()).exec(tx).await?;
    Ok(true)
}

/// Records the erasure in each affected log. A reason that contains the user's name or address is
/// omitted.
async fn record(
    tx: &Tx,
    subject: &DataSubject,
    counts: &EventCounts,
    rules: &[Retention],
    reason: &Reason,
    actor: &Actor,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let reason = Some(reason).filter(|reason| !subject.is_in(&reason.to_string()));
    for (log, count) in counts {
        let org = rules.iter().map(|rule| &rule.org).find(|org| Some(org.id.uuid()) == *log);
        let draft = erasure::erased(subject.id, *count, org.cloned(), reason);
        event_writer::write(tx, draft, actor, None, context).await?;
    }
    Ok(())
}
