//! Feature overrides of one org.

use postern_domain::{feature::Override, id::OrgId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{entity::feature_override, error::StoreError, tx::Tx};

pub struct Features<'a> {
    tx: &'a Tx,
    org: OrgId,
}

impl<'a> Features<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org }
    }

    pub async fn overrides(&self) -> Result<Vec<Override>, StoreError> {
        let rows = feature_override::Entity::find()
            .filter(feature_override::Column::OrgId.eq(self.org.uuid()))
            .all(self.tx)
            .await?;
        rows.into_iter().map(Override::try_from).collect()
    }
}
