//! An org's settings.

use postern_domain::{
    org::Org,
    scope,
    settings::{Branding, Settings},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use crate::{
    entity::org_setting,
    error::StoreError,
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct OrgSettings<'a> {
    tx: &'a Tx,
    org: &'a Org,
}

impl<'a> OrgSettings<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: &'a Org) -> Self {
        Self { tx, org }
    }

    pub async fn read(&self) -> Result<Settings, StoreError> {
        self.convert(org_setting::Entity::find_by_id(self.org.id.uuid()).one(self.tx).await?)
    }

    /// The settings, locked until the unit of work ends.
    pub async fn find_for_update(&self) -> Result<Settings, StoreError> {
        let select = org_setting::Entity::find_by_id(self.org.id.uuid()).lock(LockType::Update);
        self.convert(select.one(self.tx).await?)
    }

    fn convert(&self, row: Option<org_setting::Model>) -> Result<Settings, StoreError> {
        let row =
            row.ok_or_else(|| StoreError::Corrupt(format!("{} has no settings", self.org.id)))?;
        let org_setting::Model { org_id: _, color, logo_url, support_email, version } = row;
        Ok(Settings {
            branding: Branding { color, logo_url },
            support_email,
            limits: self.org.limits,
            version,
        })
    }
}

impl Persist<scope::Org> for Settings {
    async fn persist(&self, to: WriteContext<'_, scope::Org>) -> Result<(), StoreError> {
        let Self { branding: Branding { color, logo_url }, support_email, limits: _, version } =
            self;
        org_setting::Entity::update_many()
            .col_expr(org_setting::Column::Color, Expr::value(color.clone()))
            .col_expr(org_setting::Column::LogoUrl, Expr::value(logo_url.clone()))
            .col_expr(org_setting::Column::SupportEmail, Expr::value(support_email.clone()))
            .col_expr(org_setting::Column::Version, Expr::value(*version))
            .filter(org_setting::Column::OrgId.eq(to.grant.context().org.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}
