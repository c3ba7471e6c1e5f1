//! Reading the record, of one org or, for staff, of all.

use std::{collections::HashMap, net::IpAddr};

use chrono::{DateTime, Utc};
use postern_domain::{
    action::Action,
    clock::Ids,
    entry::Opening,
    event::{Event, Exhibit, LogPlace, Outcome},
    id::{EventId, ImpersonationId, OrgId, UserId},
};
use postern_tlog::Hash;
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::{
    contains,
    log::Leaf,
    page::{Page, PageRequest},
};
use crate::{
    entity::{audit_event, audit_leaf, audit_queue},
    error::StoreError,
    record,
    tx::Tx,
};

pub struct Events<'a> {
    tx: &'a Tx,
    org: Option<OrgId>,
}

/// Which events a list shows; all that is given must hold.
#[derive(Debug, Default)]
pub struct EventFilter {
    /// Who really acted, by id.
    pub actor: Option<UserId>,
    /// Who really acted, by e-mail address.
    pub actor_email: Option<String>,
    /// `user.role_changed`, or `user.*` for all of a kind.
    pub action: Option<ActionFilter>,
    /// The id or the label of what it was done to.
    pub target: Option<String>,
    /// Whose identity was worn, by id or by e-mail address.
    pub on_behalf_of: Option<UserId>,
    pub on_behalf_of_email: Option<String>,
    pub outcome: Option<Outcome>,
    pub ticket_ref: Option<String>,
    pub impersonation: Option<ImpersonationId>,
    pub ip: Option<IpAddr>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Up to and without this moment.
    pub to: Option<DateTime<Utc>>,
    /// Text that the summary or the target's label contains.
    pub q: Option<String>,
    /// For staff: only what stands in one log.
    pub log: Whose,
    /// For staff who see only what they did themselves.
    pub only_by: Option<UserId>,
}

/// In whose log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Whose {
    #[default]
    Anybodys,
    Platforms,
    Orgs(OrgId),
}

#[derive(Debug)]
pub enum ActionFilter {
    Exactly(String),
    /// All whose name begins with this, up to and with the dot.
    Kind(String),
}

/// A row with the place of its event, if it has one.
struct Row {
    model: audit_event::Model,
    place: Option<i64>,
}

const PLACE: &str = "log_place";
const LEAF: &str = "log_leaf";
const QUEUED: &str = "log_queued";

/// A row with all that the log knows of it.
struct Evidence {
    row: Row,
    leaf: Option<Vec<u8>>,
    queued: bool,
}

impl FromQueryResult for Evidence {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let (leaf, queued) = (row.try_get(prefix, LEAF)?, row.try_get(prefix, QUEUED)?);
        Ok(Self { row: Row::from_query_result(row, prefix)?, leaf, queued })
    }
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self { model: audit_event::Model::from_query_result(row, prefix)?, place: row.try_get(prefix, PLACE)? })
    }
}

impl<'a> Events<'a> {
    pub(crate) const fn of_org(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org: Some(org) }
    }

    pub(crate) const fn of_all(tx: &'a Tx) -> Self {
        Self { tx, org: None }
    }

    pub async fn page(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Event>, StoreError> {
        let mut select = self.select().filter(condition(filter));
        page.apply(QueryTrait::query(&mut select), Expr::col((audit_event::Entity, audit_event::Column::Id)));
        let rows = select.into_model::<Row>().all(self.tx).await?;
        let events: Result<Vec<Event>, StoreError> = rows.into_iter().map(|row| self.event(row)).collect();
        Ok(page.cut(events?, |event| event.id.uuid()))
    }

    /// The events after one, the oldest first, with what is needed to check each.
    pub async fn exhibits(&self, filter: &EventFilter, after: Uuid, limit: u64) -> Result<Vec<Exhibit>, StoreError> {
        let id = audit_event::Column::Id;
        self.evidence(self.select().filter(condition(filter)).filter(id.gt(after)).order_by_asc(id).limit(limit)).await
    }

    /// One event, with what is needed to check it.
    pub async fn exhibited(&self, id: EventId) -> Result<Option<Exhibit>, StoreError> {
        Ok(self.evidence(self.select().filter(audit_event::Column::Id.eq(id.uuid()))).await?.pop())
    }

    async fn evidence(&self, mut select: Select<audit_event::Entity>) -> Result<Vec<Exhibit>, StoreError> {
        use audit_event::Column as C;
        let same_event = Expr::col((audit_queue::Entity, audit_queue::Column::EventId)).equals((audit_event::Entity, C::Id));
        QueryTrait::query(&mut select)
            .join(JoinType::LeftJoin, audit_queue::Entity, same_event)
            .expr_as(Expr::col((audit_queue::Entity, audit_queue::Column::EventId)).is_not_null(), QUEUED)
            .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::Hash)), LEAF);
        let rows = select.into_model::<Evidence>().all(self.tx).await?;
        rows.into_iter().map(|row| self.exhibit(row)).collect()
    }

    /// The events at these leaves, in their order, without those that are no longer there.
    pub async fn at(&self, leaves: &[Leaf]) -> Result<Vec<Event>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let rows = self.select().filter(audit_event::Column::Id.is_in(ids)).into_model::<Row>().all(self.tx).await?;
        let mut events = rows.into_iter().map(|row| self.event(row)).collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|event| event.log.as_ref().map(|log| log.index));
        Ok(events)
    }

    /// The entries of the log for these leaves; none where an event is no longer there.
    pub async fn entries(&self, leaves: &[Leaf]) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let ids = leaves.iter().map(|leaf| leaf.event);
        let rows = self.select().filter(audit_event::Column::Id.is_in(ids)).all(self.tx).await?;
        let mut by_id: HashMap<Uuid, Vec<u8>> = HashMap::new();
        for row in rows {
            by_id.insert(row.id, record::entry(&row)?);
        }
        Ok(leaves.iter().map(|leaf| by_id.remove(&leaf.event)).collect())
    }

    fn exhibit(&self, Evidence { row, leaf, queued }: Evidence) -> Result<Exhibit, StoreError> {
        let openings = row.model.openings()?;
        let opening = Opening::of(&openings, leaf.and_then(|leaf| leaf.try_into().ok()).map(Hash), queued);
        Ok(Exhibit { event: self.event(row)?, opening })
    }

    fn event(&self, Row { model, place }: Row) -> Result<Event, StoreError> {
        let event = Event::try_from(model)?;
        let log = match place {
            Some(place) => {
                let origin = self.tx.store().recorder()?.origin(event.org.as_ref().map(|org| org.id));
                Some(LogPlace { origin, index: place.unsigned_abs() })
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
            None => Expr::col((audit_leaf::Entity, audit_leaf::Column::OrgId)).eq(Func::coalesce([org, Uuid::nil().into()])),
        };
        let same_event =
            Expr::col((audit_leaf::Entity, audit_leaf::Column::EventId)).equals((audit_event::Entity, audit_event::Column::Id));
        QueryTrait::query(&mut select)
            .join(JoinType::LeftJoin, audit_leaf::Entity, same_org.and(same_event))
            .expr_as(Expr::col((audit_leaf::Entity, audit_leaf::Column::Place)), PLACE);
        match self.org {
            Some(org) => select.filter(audit_event::Column::OrgId.eq(org.uuid())),
            None => select,
        }
    }
}

/// All that a filter asks.
fn condition(filter: &EventFilter) -> Condition {
    use audit_event::Column as C;
    let action = filter.action.as_ref().map(|action| match action {
        ActionFilter::Exactly(name) => C::Action.eq(name.as_str()),
        // By name, so that an index is of use.
        ActionFilter::Kind(prefix) => {
            C::Action.is_in(Action::ALL.iter().map(|action| action.name()).filter(|name| name.starts_with(prefix)))
        }
    });
    let target =
        filter.target.as_ref().map(|target| Condition::any().add(C::TargetId.eq(target.as_str())).add(C::TargetLabel.eq(target.as_str())));
    let q = filter.q.as_ref().map(|q| {
        let column = |column| Expr::col((audit_event::Entity, column));
        Condition::any().add(contains(column(C::Summary), q)).add(contains(column(C::TargetLabel), q))
    });
    Condition::all()
        .add_option(filter.actor.map(|id| C::ActorId.eq(id.uuid())))
        .add_option(filter.actor_email.as_ref().map(|email| C::ActorEmail.eq(email.as_str())))
        .add_option(action)
        .add_option(target)
        .add_option(filter.on_behalf_of.map(|id| C::OnBehalfOfId.eq(id.uuid())))
        .add_option(filter.on_behalf_of_email.as_ref().map(|email| C::OnBehalfOfEmail.eq(email.as_str())))
        .add_option(filter.outcome.map(|outcome| C::Outcome.eq(outcome.name())))
        .add_option(filter.ticket_ref.as_ref().map(|ticket| C::TicketRef.eq(ticket.as_str())))
        .add_option(filter.impersonation.map(|id| C::ImpersonationId.eq(id.uuid())))
        .add_option(filter.ip.map(|ip| C::Ip.eq(ip.to_string())))
        .add_option(filter.from.map(|from| C::OccurredAt.gte(from).and(C::Id.gte(Ids::first_of(from)))))
        .add_option(filter.to.map(|to| C::OccurredAt.lt(to).and(C::Id.lt(Ids::first_of(to + Ids::AHEAD)))))
        .add_option(match filter.log {
            Whose::Anybodys => None,
            Whose::Platforms => Some(C::OrgId.is_null()),
            Whose::Orgs(org) => Some(C::OrgId.eq(org.uuid())),
        })
        .add_option(filter.only_by.map(|id| C::ActorId.eq(id.uuid())))
        .add_option(q)
}
