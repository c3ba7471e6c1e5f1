//! Rows of audit events, with their data in the transparency log.

use postern_audit_log::{commitment::Opening, position::LogPosition};
use postern_domain::{
    event::{Event, VerifiableEvent},
    id::EventId,
};
use postern_tlog::Hash;
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult, JoinType, QueryResult, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use crate::{
    entity::{audit_event, audit_leaf, audit_queue},
    error::StoreError,
    event_writer,
    tx::Tx,
};

const LEAF_INDEX: &str = "log_index";
const LEAF: &str = "log_leaf";
const QUEUED: &str = "log_queued";

/// An event row with its leaf index, if it has one.
pub(super) struct EventRow {
    model: audit_event::Model,
    index: Option<i64>,
}

/// An event row with the data that verifies it.
pub(super) struct VerifiableRow {
    row: EventRow,
    leaf: Option<Vec<u8>>,
    pending: bool,
}

impl FromQueryResult for EventRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            model: audit_event::Model::from_query_result(row, prefix)?,
            index: row.try_get(prefix, LEAF_INDEX)?,
        })
    }
}

impl FromQueryResult for VerifiableRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let (leaf, pending) = (row.try_get(prefix, LEAF)?, row.try_get(prefix, QUEUED)?);
        Ok(Self { row: EventRow::from_query_result(row, prefix)?, leaf, pending })
    }
}

impl EventRow {
    pub(super) fn into_event(self, tx: &Tx) -> Result<Event, StoreError> {
        let event = Event::try_from(self.model)?;
        let log = match self.index {
            Some(index) => {
                let origin = tx.store().audit_keys()?.origin(event.org.as_ref().map(|org| org.id));
                Some(LogPosition { origin, index: index.unsigned_abs() })
            }
            None => None,
        };
        Ok(Event { log, ..event })
    }

    /// The log entry of the event.
    pub(super) fn into_entry(self, _: &Tx) -> Result<Vec<u8>, StoreError> {
        event_writer::entry(&self.model)
    }
}

impl VerifiableRow {
    pub(super) fn into_event(self, tx: &Tx) -> Result<VerifiableEvent, StoreError> {
        let salts = self.row.model.salts()?;
        let leaf = self.leaf.and_then(|leaf| leaf.try_into().ok()).map(Hash);
        let opening = Opening::of(&salts, leaf, self.pending);
        Ok(VerifiableEvent { event: self.row.into_event(tx)?, opening })
    }
}

/// Adds the leaf index, which [`EventRow`] needs. `org` is the org of all selected events; none if
/// they belong to several.
pub(super) fn join_leaf(select: &mut Select<audit_event::Entity>, org: Option<Uuid>) {
    let event_org = Expr::col((audit_event::Entity, audit_event::Column::OrgId));
    let leaf_org = Expr::col((audit_leaf::Entity, audit_leaf::Column::OrgId));
    let same_org = match org {
        Some(id) => leaf_org.eq(id),
        None => leaf_org.eq(Func::coalesce([event_org, Uuid::nil().into()])),
    };
    let same_event = Expr::col((audit_leaf::Entity, audit_leaf::Column::EventId))
        .equals((audit_event::Entity, audit_event::Column::Id));
    QueryTrait::query(select)
        .join(JoinType::LeftJoin, audit_leaf::Entity, same_org.and(same_event))
        .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::LeafIndex)), LEAF_INDEX);
}

/// Adds the leaf hash and the state of the queue, which [`VerifiableRow`] needs, after
/// [`join_leaf`].
pub(super) fn join_evidence(select: &mut Select<audit_event::Entity>) {
    let queue_event = || Expr::col((audit_queue::Entity, audit_queue::Column::EventId));
    let same_event = queue_event().equals((audit_event::Entity, audit_event::Column::Id));
    QueryTrait::query(select)
        .join(JoinType::LeftJoin, audit_queue::Entity, same_event)
        .expr_as(queue_event().is_not_null(), QUEUED)
        .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::Hash)), LEAF);
}

/// Reads and converts rows, each with the id of its event. A row that no server wrote is logged and
/// yields none, so that the rows beside it are still returned.
pub(super) async fn read<R: FromQueryResult, T>(
    tx: &Tx,
    select: Select<audit_event::Entity>,
    convert: fn(R, &Tx) -> Result<T, StoreError>,
) -> Result<Vec<(Uuid, Option<T>)>, StoreError> {
    let rows = tx.query_with_custom_plan(&select.build(tx.get_database_backend())).await?;
    let converted = rows.iter().map(|row| {
        let id: Uuid = row.try_get("", "id")?;
        let value = R::from_query_result(row, "")
            .map_err(StoreError::from)
            .and_then(|row| convert(row, tx));
        match value {
            Ok(value) => Ok((id, Some(value))),
            Err(StoreError::Corrupt(cause)) => {
                let event = EventId::new(id);
                tracing::error!(%event, cause, "skipped an unreadable audit event");
                Ok((id, None))
            }
            Err(error) => Err(error),
        }
    });
    converted.collect()
}
