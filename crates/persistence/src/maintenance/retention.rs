//! Retention: removal of events that are older than the retention period of their log.

use chrono::{DateTime, TimeDelta, Utc};
use postern_domain::{
    Id,
    action::Action,
    actor::Actor,
    clock::{Ids, RequestContext},
    id::OrgId,
    org_ref::OrgRef,
    retention,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    partitions,
    store::{AuditMaintenance, disable_append_only, enable_append_only},
};
use crate::{
    backend::Mode,
    entity::{audit_event, audit_leaf, org_or_nil},
    error::StoreError,
    event_writer,
    repository::{
        log::Log,
        retention::{self as rules, REMOVAL_LOCK},
    },
    tx::Tx,
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

impl AuditMaintenance {
    /// Removes events older than `days`, or than the org's own retention. With `dry_run`, only
    /// reports what would be removed.
    pub async fn apply_retention(
        &self,
        days: i64,
        dry_run: bool,
        actor: &Actor,
        context: &RequestContext,
    ) -> Result<RetentionReport, StoreError> {
        let mut report = RetentionReport::default();
        let tx = Tx::begin(&self.store, Mode::Read).await?;
        let orgs = rules::all(&tx).await?;
        tx.rollback().await?;
        for org in std::iter::once(None).chain(orgs.into_iter().map(|rules| Some(rules.org))) {
            let tx = Tx::begin(&self.store, Mode::Write).await?;
            if !dry_run {
                tx.wait_for(REMOVAL_LOCK).await?;
            }
            // Read again under the lock: a hold or another retention may have been set.
            let before = match &org {
                None => Some(context.now - TimeDelta::days(days)),
                Some(org) => rules::of(&tx, org.clone()).await?.cutoff(days, context.now),
            };
            match (before, org) {
                (Some(before), org) => {
                    report
                        .logs
                        .extend(apply_to_log(tx, org, before, dry_run, actor, context).await?);
                }
                (None, org) => report.held.extend(org),
            }
        }
        if !dry_run {
            report.months = partitions::rotate(&self.store).await?;
        }
        Ok(report)
    }
}

/// Applies retention to one log, in one transaction with its event.
async fn apply_to_log(
    tx: Tx,
    org: Option<OrgRef>,
    before: DateTime<Utc>,
    dry_run: bool,
    actor: &Actor,
    context: &RequestContext,
) -> Result<Option<RetainedLog>, StoreError> {
    let id = org.as_ref().map(|org| org.id);
    let first_kept = first_kept_index(&tx, id, before).await?;
    disable_append_only(&tx).await?;
    let expired = audit_event::Entity::delete_many().filter(expired(id, before, first_kept));
    let events = expired.exec(&tx).await?.rows_affected;
    enable_append_only(&tx).await?;
    if events == 0 {
        tx.rollback().await?;
        return Ok(None);
    }
    if dry_run {
        tx.rollback().await?;
    } else {
        let draft = retention::applied(org.as_ref(), before, events, first_kept);
        event_writer::write(&tx, draft, actor, None, context).await?;
        tx.commit().await?;
    }
    Ok(Some(RetainedLog { org, before, events }))
}

/// Leaf index of the first event since `before`; the size of the log if there is none.
///
/// Ids follow time, and leaf indexes nearly follow ids: only events with an index below this one
/// are removed.
async fn first_kept_index(
    tx: &Tx,
    org: Option<OrgId>,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    use audit_event::Column as C;
    let kept = audit_event::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(in_log(org))
        .filter(C::Id.gte(Ids::first_of(before)))
        .filter(C::OccurredAt.gte(before))
        .order_by_asc(C::Id)
        .into_tuple::<Uuid>()
        .one(tx)
        .await?;
    let log = Log::of(tx, org);
    let leaf = match kept {
        Some(event) => log.leaf_of(Id::new(event)).await?,
        None => None,
    };
    match leaf {
        Some((index, _)) => Ok(index),
        // A queued event gets an index after all existing ones.
        None => Ok(log.head().await?.size),
    }
}

/// Condition for the events of a log that occurred before `before` and precede the first kept one.
fn expired(org: Option<OrgId>, before: DateTime<Utc>, first_kept: u64) -> Condition {
    use audit_event::Column as C;
    use audit_leaf::Column as L;
    let leaf = |column: L| Expr::col((audit_leaf::Entity, column));
    let preceding_leaf = Query::select()
        .expr(Expr::val(1))
        .from(audit_leaf::Entity)
        .and_where(leaf(L::OrgId).eq(org_or_nil(org)))
        .and_where(leaf(L::EventId).equals((audit_event::Entity, C::Id)))
        .and_where(leaf(L::LeafIndex).lt(i64::try_from(first_kept).unwrap_or(i64::MAX)))
        .take();
    // Events that explain removals are kept.
    let explains_removal = [Action::AuditRetentionApplied.name(), Action::PrivacyErased.name()];
    Condition::all()
        .add(in_log(org))
        .add(C::OccurredAt.lt(before))
        .add(C::Action.is_not_in(explains_removal))
        .add(C::Id.lt(Ids::first_of(before + Ids::AHEAD)))
        .add(Expr::exists(preceding_leaf))
}

/// Condition for the events of one log; the platform's if `org` is none.
fn in_log(org: Option<OrgId>) -> Expr {
    let column = audit_event::Column::OrgId;
    org.map_or_else(|| column.is_null(), |id| column.eq(id.uuid()))
}
