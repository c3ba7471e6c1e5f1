//! User accounts.

use postern_domain::{
    id::UserId,
    scope,
    user::{User, UserKey},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use crate::{
    entity::user,
    error::StoreError,
    persist::{Persist, WriteContext},
    tx::Tx,
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
    pub async fn find_for_update(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(user::Entity::find_by_id(id.uuid())
            .lock(LockType::Update)
            .one(self.tx)
            .await?
            .map(Into::into))
    }
}

/// Condition that selects the referenced user.
pub(crate) fn matches(reference: &UserKey) -> Expr {
    match reference {
        UserKey::Id(id) => user::Column::Id.eq(id.uuid()),
        UserKey::Email(email) => user::Column::Email.eq(email.as_str()),
    }
}

impl Persist<scope::User> for User {
    async fn persist(&self, to: WriteContext<'_, scope::User>) -> Result<(), StoreError> {
        user::Entity::update_many()
            .col_expr(user::Column::Name, Expr::value(&self.name))
            .col_expr(user::Column::ImageUrl, Expr::value(self.image_url.clone()))
            .filter(user::Column::Id.eq(self.id.uuid()))
            .exec(to.tx)
            .await?;
        Ok(())
    }
}
