//! Retention rules and legal holds of each org.

use std::collections::HashMap;

use postern_domain::{Id, org_ref::OrgRef, retention::Retention, scope};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};

use crate::{
    entity::{organization, retention},
    error::StoreError,
    persist::{Persist, WriteContext},
    tx::Tx,
};

/// Lock held while events are removed or erased, and while retention rules change.
pub(crate) const REMOVAL_LOCK: i64 = 0x0000_5461_6b69_6e67;

pub struct Retentions<'a> {
    tx: &'a Tx,
}

impl<'a> Retentions<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    /// The rules of the org with this slug, locked until the unit of work ends.
    pub async fn find_for_update(&self, slug: &str) -> Result<Option<Retention>, StoreError> {
        // Waits for a running removal: once a hold is set, nothing is removed.
        self.tx.wait_for(REMOVAL_LOCK).await?;
        let org = organization::Entity::find()
            .filter(organization::Column::Slug.eq(slug))
            .lock_exclusive()
            .one(self.tx)
            .await?;
        let Some(org) = org else { return Ok(None) };
        Ok(Some(rules(retention::Entity::find_by_id(org.id).one(self.tx).await?, reference(org))))
    }
}

/// The rules of all orgs.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<Retention>, StoreError> {
    let mut rows: HashMap<_, _> =
        retention::Entity::find().all(tx).await?.into_iter().map(|row| (row.org_id, row)).collect();
    Ok(organization::Entity::find()
        .all(tx)
        .await?
        .into_iter()
        .map(|org| rules(rows.remove(&org.id), reference(org)))
        .collect())
}

/// The rules of one org.
pub(crate) async fn of(tx: &Tx, org: OrgRef) -> Result<Retention, StoreError> {
    Ok(rules(retention::Entity::find_by_id(org.id.uuid()).one(tx).await?, org))
}

fn rules(row: Option<retention::Model>, org: OrgRef) -> Retention {
    let (days, held_since) = row.map_or((None, None), |row| (row.days, row.held_since));
    Retention { org, days, held_since }
}

fn reference(org: organization::Model) -> OrgRef {
    OrgRef { id: Id::new(org.id), slug: org.slug, name: org.name }
}

impl Persist<scope::Staff> for Retention {
    async fn persist(&self, to: WriteContext<'_, scope::Staff>) -> Result<(), StoreError> {
        let Self { org, days, held_since } = self;
        let row = retention::ActiveModel {
            org_id: Set(org.id.uuid()),
            days: Set(*days),
            held_since: Set(*held_since),
        };
        let replaced = OnConflict::column(retention::Column::OrgId)
            .update_columns([retention::Column::Days, retention::Column::HeldSince])
            .to_owned();
        retention::Entity::insert(row).on_conflict(replaced).exec_without_returning(to.tx).await?;
        Ok(())
    }
}
