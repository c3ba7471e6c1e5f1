//! What can go wrong with the store, in the four ways a caller can do something about.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something of that name is there already.
    #[error("conflicts with a row that is there already")]
    Conflict(#[source] DbErr),
    /// The database does not answer, or refuses for now; nothing was written.
    #[error("the database is not available")]
    Unavailable(#[source] DbErr),
    /// A row does not say what it must; somebody else wrote it.
    #[error("a row cannot be skip_unreadable: {0}")]
    Corrupt(String),
    /// The code asked for what it may not do: it would have committed something else than its operation promises.
    #[error("{0}")]
    Broken(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match (&error, error.sql_err()) {
            (_, Some(SqlErr::UniqueConstraintViolation(_))) => Self::Conflict(error),
            (DbErr::Type(why) | DbErr::Json(why), _) => Self::Corrupt(why.clone()),
            (DbErr::Query(RuntimeErr::SqlxError(cause)), _)
                if matches!(**cause, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) =>
            {
                Self::Corrupt(cause.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// A word that the database keeps and the domain does not know.
pub(crate) fn unknown(what: &str, word: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} {word:?}"))
}
