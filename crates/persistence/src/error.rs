//! Store errors: four kinds, by what the caller can do about them.

use postern_keystore::{RandomError, SignError};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint was violated, or a concurrent write was first.
    #[error("conflicts with an existing row")]
    Conflict(#[source] DbErr),
    /// The database is unreachable or failed a statement; nothing was written.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The connection was lost during a commit, and the database could not say whether it took
    /// effect.
    #[error("the outcome of a commit is unknown")]
    OutcomeUnknown(#[source] DbErr),
    /// A row holds a value that this server did not write.
    #[error("invalid data in the database: {0}")]
    Corrupt(String),
    /// A violated internal rule or a wrong key configuration: an undeclared event, a commit without
    /// an event, missing or foreign audit keys.
    #[error("{0}")]
    Broken(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match (&error, error.sql_err()) {
            (_, Some(SqlErr::UniqueConstraintViolation(_))) => Self::Conflict(error),
            (DbErr::Type(cause) | DbErr::Json(cause), _) => Self::Corrupt(cause.clone()),
            (DbErr::Query(RuntimeErr::SqlxError(cause)), _)
                if matches!(**cause, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) =>
            {
                Self::Corrupt(cause.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

impl From<RandomError> for StoreError {
    fn from(error: RandomError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<SignError> for StoreError {
    fn from(error: SignError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Error for a stored enum value that the domain does not define.
pub(crate) fn unknown(kind: &str, value: &str) -> StoreError {
    StoreError::Corrupt(format!("unknown {kind} {value:?}"))
}

/// Error of a pool or a statement, as SeaORM returns it.
pub(crate) fn sqlx_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
