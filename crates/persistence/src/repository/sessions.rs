//! Sessions and refresh tokens.

use chrono::{DateTime, Utc};
use postern_domain::{
    change::New,
    id::{SessionId, UserId},
    scope,
    session::Session,
    user::User,
};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, LockType},
};

use super::page::{Page, PageRequest};
use crate::{
    entity::{refresh_token, session, user},
    error::StoreError,
    persist::{Persist, WriteContext},
    tx::Tx,
};

pub struct Sessions<'a> {
    tx: &'a Tx,
}

/// A refresh token with its session and user.
#[derive(Debug)]
pub struct IssuedToken {
    pub used: bool,
    pub session: Session,
    pub user: User,
}

impl<'a> Sessions<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    /// Active sessions of a user, newest first.
    pub async fn page_of(
        &self,
        user: UserId,
        now: DateTime<Utc>,
        page: PageRequest,
    ) -> Result<Page<Session>, StoreError> {
        let mut select = session::Entity::find()
            .filter(session::Column::UserId.eq(user.uuid()))
            .filter(session::Column::EndedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(now));
        page.apply(
            QueryTrait::query(&mut select),
            Expr::col((session::Entity, session::Column::Id)),
        );
        let rows = select.all(self.tx).await?.into_iter().map(Session::from).collect();
        Ok(page.into_page(rows, |session: &Session| session.id.uuid()))
    }

    /// A session of a user, locked until the unit of work ends.
    pub async fn find_for_update(
        &self,
        id: SessionId,
        user: UserId,
    ) -> Result<Option<Session>, StoreError> {
        let select =
            session::Entity::find_by_id(id.uuid()).filter(session::Column::UserId.eq(user.uuid()));
        Ok(select.lock(LockType::Update).one(self.tx).await?.map(Into::into))
    }

    /// The refresh token with this hash, locked until the unit of work ends: of two concurrent
    /// requests with the same token, the second sees that it was used.
    pub async fn by_refresh_token(&self, hash: &[u8]) -> Result<Option<IssuedToken>, StoreError> {
        let select = refresh_token::Entity::find_by_id(hash.to_vec()).lock(LockType::Update);
        let Some(token) = select.one(self.tx).await? else { return Ok(None) };
        let session = session::Entity::find_by_id(token.session_id)
            .lock(LockType::Update)
            .one(self.tx)
            .await?;
        let Some(session) = session else { return Ok(None) };
        let user = user::Entity::find_by_id(session.user_id).one(self.tx).await?;
        Ok(user.map(|user| IssuedToken {
            used: token.used_at.is_some(),
            session: session.into(),
            user: user.into(),
        }))
    }
}

/// Ends all sessions of a user except `kept_session`.
pub(crate) async fn end_all_but(
    tx: &Tx,
    user: UserId,
    kept_session: SessionId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(at))
        .filter(session::Column::UserId.eq(user.uuid()))
        .filter(session::Column::Id.ne(kept_session.uuid()))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

impl Persist<scope::Public> for New<Session> {
    async fn persist(&self, to: WriteContext<'_, scope::Public>) -> Result<(), StoreError> {
        let row = session::Model::from(self.0.clone()).into_active_model();
        session::Entity::insert(row).exec_without_returning(to.tx).await?;
        Ok(())
    }
}

impl Persist<scope::Public> for Session {
    async fn persist(&self, to: WriteContext<'_, scope::Public>) -> Result<(), StoreError> {
        end(self, to.tx).await
    }
}

impl Persist<scope::User> for Session {
    async fn persist(&self, to: WriteContext<'_, scope::User>) -> Result<(), StoreError> {
        end(self, to.tx).await
    }
}

async fn end(session: &Session, tx: &Tx) -> Result<(), StoreError> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(session.ended_at))
        .filter(session::Column::Id.eq(session.id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}
