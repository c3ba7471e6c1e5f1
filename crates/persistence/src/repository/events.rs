//! Reads the audit log of one org or, for staff, of all.

use std::collections::HashMap;

use postern_domain::{
    Id,
    entry::Opening,
    event::{Event, LogPosition, VerifiableEvent},
    id::{EventId, OrgId},
};
use postern_tlog::Hash;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType,
    QueryFilter, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Asterisk, Expr, ExprTrait, Func, Query, UnionType},
};
use uuid::Uuid;

use super::{
    event_filter::EventFilter,
    log::Leaf,
    page::{Page, PageRequest, PageStart},
};
use crate::{
    entity::{audit_event, audit_leaf, audit_queue},
    error::StoreError,
    event_writer,
    tx::Tx,
};

/// Maximum number of events that a text search examines for one page.
const EXAMINED: u64 = 20_000;

pub struct Events<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// An event row with its leaf index, if it has one.
struct Row {
    model: audit_event::Model,
    index: Option<i64>,
}

const LEAF_INDEX: &str = "log_index";
const LEAF: &str = "log_leaf";
const QUEUED: &str = "log_queued";

/// An event row with its data in the transparency log.
struct Evidence {
    row: Row,
    leaf: Option<Vec<u8>>,
    pending: bool,
}

impl FromQueryResult for Evidence {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let (leaf, pending) = (row.try_get(prefix, LEAF)?, row.try_get(prefix, QUEUED)?);
        Ok(Self { row: Row::from_query_result(row, prefix)?, leaf, pending })
    }
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            model: audit_event::Model::from_query_result(row, prefix)?,
            index: row.try_get(prefix, LEAF_INDEX)?,
        })
    }
}

impl<'a> Events<'a> {
    pub(crate) const fn of_org(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org: Some(org) }
    }

    pub(crate) const fn of_all(tx: &'a Tx) -> Self {
        Self { tx, org: None }
    }

    /// A page of events. A text search examines a limited number of events per page, so the page
    /// may be short or empty.
    pub async fn page(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<Page<Event>, StoreError> {
        let last = self.last_examined(filter, page).await?;
        let rows = self.rows(self.narrowed(filter, page, last), Self::event).await?;
        let result = page.into_page(rows, |(id, _)| *id);
        let result = match last {
            Some(last) if !result.has_more(page) => result.continue_after(page, last),
            _ => result,
        };
        Ok(result.skip_unreadable())
    }

    /// The next events in id order, with verification data, and the id to continue after if there
    /// may be more.
    pub async fn exhibits(
        &self,
        filter: &EventFilter,
        after: Uuid,
        limit: u64,
    ) -> Result<(Vec<VerifiableEvent>, Option<Uuid>), StoreError> {
        let page = PageRequest { from: PageStart::NewerThan(after), limit };
        let last = self.last_examined(filter, page).await?;
        let mut rows = self.evidence(self.narrowed(filter, page, last)).await?;
        let more = rows.len() as u64 > limit;
        if more {
            rows.pop();
        }
        let next = if more { rows.last().map(|(id, _)| *id) } else { last };
        Ok((rows.into_iter().filter_map(|(_, exhibit)| exhibit).collect(), next))
    }

    /// Reports whether the event exists.
    pub async fn has(&self, id: EventId) -> Result<bool, StoreError> {
        let query = self
            .select()
            .filter(audit_event::Column::Id.eq(id.uuid()))
            .select_only()
            .column(audit_event::Column::Id);
        Ok(query.into_tuple::<Uuid>().one(self.tx).await?.is_some())
    }

    /// An event with its verification data.
    pub async fn exhibited(&self, id: EventId) -> Result<Option<VerifiableEvent>, StoreError> {
        let row =
            self.evidence(self.select().filter(audit_event::Column::Id.eq(id.uuid()))).await?.pop();
        row.map(|(_, exhibit)| exhibit.ok_or_else(|| StoreError::Corrupt(format!("event {id}"))))
            .transpose()
    }

    /// Selects the events of a page, plus one. If the filter has several arms, each arm is read in
    /// order from its own index and limited to the page. A text search examines events up to
    /// `last`.
    fn narrowed(
        &self,
        filter: &EventFilter,
        page: PageRequest,
        last: Option<Uuid>,
    ) -> Select<audit_event::Entity> {
        let id = || Expr::col((audit_event::Entity, audit_event::Column::Id));
        let mut select = self.select();
        let query = QueryTrait::query(&mut select);
        match (filter.words(), &filter.arms()[..]) {
            (Some(text), _) => {
                let until = last.map(|last| {
                    if let PageStart::NewerThan(_) = page.from {
                        id().lte(last)
                    } else {
                        id().gte(last)
                    }
                });
                query.cond_where(filter.whole().add(text).add_option(until));
            }
            (None, [all]) => _ = query.cond_where(all.clone()),
            (None, arms) => {
                let arm = |condition: &Condition| {
                    let mut arm = self
                        .of_scope(audit_event::Entity::find())
                        .filter(condition.clone())
                        .into_query();
                    page.apply(&mut arm, id());
                    Query::select().column(Asterisk).from_subquery(arm, "arm").take()
                };
                let mut together = arm(&arms[0]);
                together.unions(arms[1..].iter().map(|condition| (UnionType::All, arm(condition))));
                query.from_clear().from_subquery(together, audit_event::Entity);
            }
        }
        page.apply(query, id());
        select
    }

    /// The last event that a text search examines for this page; none if it examines all remaining
    /// events.
    async fn last_examined(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<Option<Uuid>, StoreError> {
        if filter.q.is_none() {
            return Ok(None);
        }
        let id = audit_event::Column::Id;
        let mut select = self
            .of_scope(audit_event::Entity::find())
            .filter(filter.whole())
            .select_only()
            .column(id);
        page.ordered(QueryTrait::query(&mut select), Expr::col((audit_event::Entity, id)))
            .offset(EXAMINED - 1)
            .limit(1);
        let rows =
            self.tx.query_with_custom_plan(&select.build(self.tx.get_database_backend())).await?;
        Ok(rows.first().map(|row| row.try_get("", "id")).transpose()?)
    }

    async fn evidence(
        &self,
        mut select: Select<audit_event::Entity>,
    ) -> Result<Vec<(Uuid, Option<VerifiableEvent>)>, StoreError> {
        use audit_event::Column as C;
        let same_event = Expr::col((audit_queue::Entity, audit_queue::Column::EventId))
            .equals((audit_event::Entity, C::Id));
        QueryTrait::query(&mut select)
            .join(JoinType::LeftJoin, audit_queue::Entity, same_event)
            .expr_as(
                Expr::col((audit_queue::Entity, audit_queue::Column::EventId)).is_not_null(),
                QUEUED,
            )
            .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::Hash)), LEAF);
        self.rows(select, Self::exhibit).await
    }

    /// Converts rows, each with the id of its event. A row that no server wrote is logged and
    /// yields none, so that the rows beside it are still returned.
    async fn rows<R: FromQueryResult, T>(
        &self,
        select: Select<audit_event::Entity>,
        convert: fn(&Self, R) -> Result<T, StoreError>,
    ) -> Result<Vec<(Uuid, Option<T>)>, StoreError> {
        let rows =
            self.tx.query_with_custom_plan(&select.build(self.tx.get_database_backend())).await?;
        let converted = rows.iter().map(|row| {
            let id: Uuid = row.try_get("", "id")?;
            let value = R::from_query_result(row, "")
                .map_err(StoreError::from)
                .and_then(|row| convert(self, row));
            match value {
                Ok(value) => Ok((id, Some(value))),
                Err(StoreError::Corrupt(cause)) => {
                    let event = Id::<Event>::new(id);
                    tracing::error!(%event, cause, "skipped an unreadable audit event");
                    Ok((id, None))
                }
                Err(error) => Err(error),
            }
        });
        converted.collect()
    }

    /// The events of these leaves, in log order. Removed events are omitted.
    pub async fn at(&self, leaves: &[Leaf]) -> Result<Vec<Event>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let rows = self
            .rows(self.select().filter(audit_event::Column::Id.is_in(ids)), Self::event)
            .await?;
        let mut events: Vec<Event> = rows.into_iter().filter_map(|(_, event)| event).collect();
        events.sort_by_key(|event| event.log.as_ref().map(|log| log.index));
        Ok(events)
    }

    /// The log entries of these leaves; none if an event was removed.
    pub async fn entries(&self, leaves: &[Leaf]) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let rows = self
            .rows(self.select().filter(audit_event::Column::Id.is_in(ids)), |_, row: Row| {
                event_writer::entry(&row.model)
            })
            .await?;
        let mut by_id: HashMap<Uuid, Option<Vec<u8>>> = rows.into_iter().collect();
        Ok(leaves.iter().map(|leaf| by_id.remove(&leaf.event).flatten()).collect())
    }

    fn exhibit(
        &self,
        Evidence { row, leaf, pending }: Evidence,
    ) -> Result<VerifiableEvent, StoreError> {
        let openings = row.model.openings()?;
        let opening =
            Opening::of(&openings, leaf.and_then(|leaf| leaf.try_into().ok()).map(Hash), pending);
        Ok(VerifiableEvent { event: self.event(row)?, opening })
    }

    fn event(&self, Row { model, index }: Row) -> Result<Event, StoreError> {
        let event = Event::try_from(model)?;
        let log = match index {
            Some(index) => {
                let origin =
                    self.tx.store().audit_keys()?.origin(event.org.as_ref().map(|org| org.id));
                Some(LogPosition { origin, index: index.unsigned_abs() })
            }
            None => None,
        };
        Ok(Event { log, ..event })
    }

    /// Selects events with their leaf indexes.
    fn select(&self) -> Select<audit_event::Entity> {
        let mut select = audit_event::Entity::find();
        let org = Expr::col((audit_event::Entity, audit_event::Column::OrgId));
        let same_org = match self.org {
            Some(id) => Expr::col((audit_leaf::Entity, audit_leaf::Column::OrgId)).eq(id.uuid()),
            None => Expr::col((audit_leaf::Entity, audit_leaf::Column::OrgId))
                .eq(Func::coalesce([org, Uuid::nil().into()])),
        };
        let same_event = Expr::col((audit_leaf::Entity, audit_leaf::Column::EventId))
            .equals((audit_event::Entity, audit_event::Column::Id));
        QueryTrait::query(&mut select)
            .join(JoinType::LeftJoin, audit_leaf::Entity, same_org.and(same_event))
            .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::LeafIndex)), LEAF_INDEX);
        self.of_scope(select)
    }

    /// Restricts a query to the org, if there is one.
    fn of_scope(&self, select: Select<audit_event::Entity>) -> Select<audit_event::Entity> {
        match self.org {
            Some(org) => select.filter(audit_event::Column::OrgId.eq(org.uuid())),
            None => select,
        }
    }
}
