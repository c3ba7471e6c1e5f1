//! Writing the record. Reading it is [`crate::repository::events`].

use postern_domain::{actor::Actor, clock::Stamp, event::Act, event::Event, org::OrgRef};
use sea_orm::{EntityTrait, IntoActiveModel};

use crate::{entity::audit_event, error::StoreError, tx::Tx};

/// Adds the row that `act` becomes, in the transaction of what it records.
pub async fn write(tx: &Tx, act: Act, actor: &Actor, org: Option<OrgRef>, stamp: &Stamp) -> Result<(), StoreError> {
    let event = Event::of(act, stamp.id(), stamp.now, actor, org, stamp.source.clone());
    let row = audit_event::Model::from(event).into_active_model();
    audit_event::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
