//! The mark of demo databases.

use std::sync::Arc;

use postern_domain::clock::RequestContext;
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{backend::Mode, entity::instance, error::StoreError, store::Store, tx::Tx};

const KEY: &str = "demo";

/// Reports whether the demo data is loaded.
pub async fn is_loaded(store: &Arc<Store>) -> Result<bool, StoreError> {
    is_marked(&Tx::begin(store, Mode::Read).await?).await
}

pub(super) async fn is_marked(tx: &Tx) -> Result<bool, StoreError> {
    Ok(instance::Entity::find_by_id(KEY).one(tx).await?.is_some())
}

pub(super) async fn mark(tx: &Tx, context: &RequestContext) -> Result<(), StoreError> {
    let mark =
        instance::ActiveModel { key: Set(KEY.to_owned()), value: Set(context.now.to_rfc3339()) };
    instance::Entity::insert(mark).exec_without_returning(tx).await?;
    Ok(())
}
