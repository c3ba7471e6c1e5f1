//! People's accounts.

use postern_domain::{
    id::UserId,
    operation::{Personal, Staff},
    user::User,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use crate::{
    entity::user,
    error::StoreError,
    tx::Tx,
    unit::{Stored, Target},
};

pub struct Users<'a> {
    tx: &'a Tx,
}

impl<'a> Users<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    pub async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(user::Entity::find_by_id(id.uuid()).one(self.tx).await?.map(Into::into))
    }

    /// The account, locked until the unit of work ends.
    pub async fn locked(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(user::Entity::find_by_id(id.uuid()).lock(LockType::Update).one(self.tx).await?.map(Into::into))
    }
}

impl Stored<Personal> for User {
    async fn store(&self, to: Target<'_, Personal>) -> Result<(), StoreError> {
        store(self, to.tx).await
    }
}

impl Stored<Staff> for User {
    async fn store(&self, to: Target<'_, Staff>) -> Result<(), StoreError> {
        store(self, to.tx).await
    }
}

async fn store(user: &User, tx: &Tx) -> Result<(), StoreError> {
    user::Entity::update_many()
        .col_expr(user::Column::Name, Expr::value(&user.name))
        .col_expr(user::Column::ImageUrl, Expr::value(user.image_url.clone()))
        .col_expr(user::Column::SuspendedAt, Expr::value(user.suspended_at))
        .filter(user::Column::Id.eq(user.id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}
