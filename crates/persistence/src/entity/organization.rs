use postern_domain::{
    Id,
    org::Org,
    plan::{Limits, Plan},
};
use sea_orm::entity::prelude::*;

use crate::error::{StoreError, unknown};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub plan: String,
    pub trial_ends_at: Option<DateTimeUtc>,
    pub max_users: i64,
    pub max_projects: i64,
    pub created_at: DateTimeUtc,
    pub deletion_requested_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Org {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self, StoreError> {
        let Model {
            id,
            slug,
            name,
            plan,
            trial_ends_at,
            max_users,
            max_projects,
            created_at,
            deletion_requested_at,
        } = model;
        let plan = Plan::parse(&plan).ok_or_else(|| unknown("plan", &plan))?;
        let limits = Limits { max_users, max_projects };
        Ok(Self {
            id: Id::new(id),
            slug,
            name,
            plan,
            trial_ends_at,
            limits,
            created_at,
            deletion_requested_at,
        })
    }
}

impl From<Org> for Model {
    fn from(org: Org) -> Self {
        let Org { id, slug, name, plan, trial_ends_at, limits, created_at, deletion_requested_at } =
            org;
        let Limits { max_users, max_projects } = limits;
        let plan = plan.name().to_owned();
        Self {
            id: id.uuid(),
            slug,
            name,
            plan,
            trial_ends_at,
            max_users,
            max_projects,
            created_at,
            deletion_requested_at,
        }
    }
}
