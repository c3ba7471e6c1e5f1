//! Reads the audit log of one org or, for staff, of all.

use std::collections::HashMap;

use postern_domain::{
    Id,
    event::{Event, VerifiableEvent},
    id::{EventId, OrgId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    Select,
    sea_query::{Asterisk, Expr, ExprTrait, Query, UnionType},
};
use uuid::Uuid;

use super::{
    event_filter::EventFilter,
    event_rows::{EventRow, VerifiableRow, join_evidence, join_leaf, read},
    log::Leaf,
    page::{Page, PageRequest, PageStart},
};
use crate::{entity::audit_event, error::StoreError, tx::Tx};

/// Maximum number of events that a text search examines for one page.
const EXAMINED: u64 = 20_000;

pub struct Events<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
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
        let rows = read(self.tx, self.narrowed(filter, page, last), EventRow::into_event).await?;
        let result = page.into_page(rows, |(id, _)| *id);
        let result = match last {
            Some(last) if !result.has_more(page) => result.continue_after(page, last),
            _ => result,
        };
        Ok(result.skip_unreadable())
    }

    /// The next events in id order, with verification data, and the id to continue after if there
    /// may be more.
    pub async fn verifiable_events(
        &self,
        filter: &EventFilter,
        after: Uuid,
        limit: u64,
    ) -> Result<(Vec<VerifiableEvent>, Option<Uuid>), StoreError> {
        let page = PageRequest { from: PageStart::NewerThan(after), limit };
        let last = self.last_examined(filter, page).await?;
        let mut rows = self.read_verifiable(self.narrowed(filter, page, last)).await?;
        let more = rows.len() as u64 > limit;
        if more {
            rows.pop();
        }
        let next = if more { rows.last().map(|(id, _)| *id) } else { last };
        Ok((rows.into_iter().filter_map(|(_, event)| event).collect(), next))
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
    pub async fn verifiable_event(
        &self,
        id: EventId,
    ) -> Result<Option<VerifiableEvent>, StoreError> {
        let row = self
            .read_verifiable(self.select().filter(audit_event::Column::Id.eq(id.uuid())))
            .await?
            .pop();
        row.map(|(_, event)| event.ok_or_else(|| StoreError::Corrupt(format!("event {id}"))))
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
        let backend = self.tx.get_database_backend();
        let mut select = self.select();
        let query = QueryTrait::query(&mut select);
        match (filter.text_condition(backend), &filter.arms(backend)[..]) {
            (Some(text), _) => {
                let until = last.map(|last| {
                    if let PageStart::NewerThan(_) = page.from {
                        id().lte(last)
                    } else {
                        id().gte(last)
                    }
                });
                query
                    .cond_where(filter.condition_without_text(backend).add(text).add_option(until));
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
            .filter(filter.condition_without_text(self.tx.get_database_backend()))
            .select_only()
            .column(id);
        page.ordered(QueryTrait::query(&mut select), Expr::col((audit_event::Entity, id)))
            .offset(EXAMINED - 1)
            .limit(1);
        let rows =
            self.tx.query_with_custom_plan(&select.build(self.tx.get_database_backend())).await?;
        Ok(rows.first().map(|row| row.try_get("", "id")).transpose()?)
    }

    async fn read_verifiable(
        &self,
        mut select: Select<audit_event::Entity>,
    ) -> Result<Vec<(Uuid, Option<VerifiableEvent>)>, StoreError> {
        join_evidence(&mut select);
        read(self.tx, select, VerifiableRow::into_event).await
    }

    /// The events of these leaves, in log order. Removed events are omitted.
    pub async fn at(&self, leaves: &[Leaf]) -> Result<Vec<Event>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let select = self.select().filter(audit_event::Column::Id.is_in(ids));
        let rows = read(self.tx, select, EventRow::into_event).await?;
        let mut events: Vec<Event> = rows.into_iter().filter_map(|(_, event)| event).collect();
        events.sort_by_key(|event| event.log.as_ref().map(|log| log.index));
        Ok(events)
    }

    /// The log entries of these leaves; none if an event was removed.
    pub async fn entries(&self, leaves: &[Leaf]) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let select = self.select().filter(audit_event::Column::Id.is_in(ids));
        let rows = read(self.tx, select, EventRow::into_entry).await?;
        let mut by_id: HashMap<Uuid, Option<Vec<u8>>> = rows.into_iter().collect();
        Ok(leaves.iter().map(|leaf| by_id.remove(&leaf.event).flatten()).collect())
    }

    /// Selects events with their leaf indexes.
    fn select(&self) -> Select<audit_event::Entity> {
        let mut select = audit_event::Entity::find();
        join_leaf(&mut select, self.org.map(Id::uuid));
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
