//! Demo users.

use std::sync::Arc;

use postern_domain::{Id, clock::RequestContext, credential::PasswordHash, id::UserId};
use sea_orm::{ActiveValue::Set, EntityTrait};
use secrecy::ExposeSecret;

use crate::{
    backend::Mode,
    entity::{credential, user},
    error::StoreError,
    store::Store,
    tx::Tx,
};

/// Reports whether the database has any users.
pub async fn has_users(store: &Arc<Store>) -> Result<bool, StoreError> {
    any(&Tx::begin(store, Mode::Read).await?).await
}

pub(super) async fn any(tx: &Tx) -> Result<bool, StoreError> {
    Ok(user::Entity::find().one(tx).await?.is_some())
}

/// Inserts a user with a password.
pub(super) async fn insert_user(
    tx: &Tx,
    email: &str,
    name: &str,
    hash: &PasswordHash,
    context: &RequestContext,
) -> Result<UserId, StoreError> {
    let id = context.id();
    let row = user::ActiveModel {
        id: Set(Id::uuid(id)),
        email: Set(email.to_owned()),
        name: Set(name.to_owned()),
        image_url: Set(None),
        created_at: Set(context.now),
        suspended_at: Set(None),
    };
    user::Entity::insert(row).exec_without_returning(tx).await?;
    let row = credential::ActiveModel {
        user_id: Set(Id::uuid(id)),
        password_hash: Set(hash.expose_secret().to_owned()),
        changed_at: Set(context.now),
    };
    credential::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}
