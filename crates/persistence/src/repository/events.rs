//! Reading the record, of one org or, for staff, of all.

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

/// How many events a search by text looks through for one page.
const EXAMINED: u64 = 20_000;

pub struct Events<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// A row with the place of its event, if it has one.
struct Row {
    model: audit_event::Model,
    index: Option<i64>,
}

const LEAF_INDEX: &str = "log_index";
const LEAF: &str = "log_leaf";
const QUEUED: &str = "log_queued";

/// A row with all that the log knows of it.
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

    /// A page. One that looks for text ends after so many events that were looked through, however many were found.
    pub async fn page(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<Page<Event>, StoreError> {
        let last = self.last_examined(filter, page).await?;
        let rows = self.rows(self.narrowed(filter, page, last), Self::event).await?;
        let cut = page.into_page(rows, |(id, _)| *id);
        let cut = match last {
            Some(last) if !cut.has_more(page) => cut.continue_after(page, last),
            _ => cut,
        };
        Ok(cut.skip_unreadable())
    }

    /// The next events in the order of their ids, with what is needed to check each, and where to go on if there may be more.
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

    /// Whether there is such an event here.
    pub async fn has(&self, id: EventId) -> Result<bool, StoreError> {
        let found = self
            .select()
            .filter(audit_event::Column::Id.eq(id.uuid()))
            .select_only()
            .column(audit_event::Column::Id);
        Ok(found.into_tuple::<Uuid>().one(self.tx).await?.is_some())
    }

    /// One event, with what is needed to check it.
    pub async fn exhibited(&self, id: EventId) -> Result<Option<VerifiableEvent>, StoreError> {
        let found =
            self.evidence(self.select().filter(audit_event::Column::Id.eq(id.uuid()))).await?.pop();
        found
            .map(|(_, exhibit)| {
                exhibit.ok_or_else(|| StoreError::Corrupt(format!("the event {id}")))
            })
            .transpose()
    }

    /// The events of a page and one more. Where no index has them in order by itself, one for each arm of the filter has; no more are taken of any
    /// than are needed. Text is looked for up to the event `last`.
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
            (Some(words), _) => {
                let until = last.map(|last| {
                    if let PageStart::NewerThan(_) = page.from {
                        id().lte(last)
                    } else {
                        id().gte(last)
                    }
                });
                query.cond_where(filter.whole().add(words).add_option(until));
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

    /// The event up to which a search by text looks for this page; None where it looks through all that are left.
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

    /// What rows say, each by the id of its event. None for one that says what no server has written: those beside it are not to suffer.
    async fn rows<R: FromQueryResult, T>(
        &self,
        select: Select<audit_event::Entity>,
        understand: fn(&Self, R) -> Result<T, StoreError>,
    ) -> Result<Vec<(Uuid, Option<T>)>, StoreError> {
        let rows =
            self.tx.query_with_custom_plan(&select.build(self.tx.get_database_backend())).await?;
        let skip_unreadable = rows.iter().map(|row| {
            let id: Uuid = row.try_get("", "id")?;
            match R::from_query_result(row, "").map_err(StoreError::from).and_then(|row| understand(self, row)) {
                Ok(said) => Ok((id, Some(said))),
                Err(StoreError::Corrupt(why)) => {
                    tracing::error!(event = %Id::<Event>::new(id), why, "an event of the record cannot be skip_unreadable, and is left out");
                    Ok((id, None))
                }
                Err(error) => Err(error),
            }
        });
        skip_unreadable.collect()
    }

    /// The events at these leaves, in their order, without those that are no longer there.
    pub async fn at(&self, leaves: &[Leaf]) -> Result<Vec<Event>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let rows = self
            .rows(self.select().filter(audit_event::Column::Id.is_in(ids)), Self::event)
            .await?;
        let mut events: Vec<Event> = rows.into_iter().filter_map(|(_, event)| event).collect();
        events.sort_by_key(|event| event.log.as_ref().map(|log| log.index));
        Ok(events)
    }

    /// The entries of the log for these leaves; none where an event is no longer there.
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

    /// Events, each with its place in its log.
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

    /// Only the org's, where it is an org that asks.
    fn of_scope(&self, select: Select<audit_event::Entity>) -> Select<audit_event::Entity> {
        match self.org {
            Some(org) => select.filter(audit_event::Column::OrgId.eq(org.uuid())),
            None => select,
        }
    }
}
