use postern_domain::feature::{FeatureKey, Override};
use sea_orm::entity::prelude::*;

use crate::error::{StoreError, unknown};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "feature_override")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub feature: String,
    pub enabled: bool,
    pub reason: String,
    pub expires_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Override {
    type Error = StoreError;

    fn try_from(
        Model { org_id: _, feature, enabled, reason, expires_at }: Model,
    ) -> Result<Self, StoreError> {
        let key = FeatureKey::parse(&feature).ok_or_else(|| unknown("feature", &feature))?;
        Ok(Self { key, enabled, reason, expires_at })
    }
}
