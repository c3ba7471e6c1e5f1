//! Errors of loading demo data.

use crate::error::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("demo data requires a database of its own, and this one is not a demo database")]
    NotADemo,
    #[error(
        "company-1 already exists: a demo database is filled once, create another one for more data"
    )]
    FilledAlready,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for DemoError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
