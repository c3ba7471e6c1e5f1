//! State of a transaction.

use sea_orm::{DbErr, sqlx};

use crate::{
    backend::{Begun, affects_others, is_lost},
    commit_outcome::Evidence,
    error::sqlx_error,
};

pub struct State {
    /// None after the end of the transaction.
    pub begun: Option<Begun>,
    /// Whether a statement failed or was cancelled. Then only a rollback is possible: PostgreSQL
    /// rejects further statements, and SQLite could run them outside the transaction.
    failed: bool,
    /// Whether the connection cannot be used any more.
    pub lost: bool,
    /// Whether other connections are probably lost too.
    pub others_lost: bool,
    /// Identity of the transaction, to find out its outcome.
    pub evidence: Option<Evidence>,
}

impl State {
    pub const fn new(begun: Begun) -> Self {
        Self { begun: Some(begun), failed: false, lost: false, others_lost: false, evidence: None }
    }

    /// The connection, for one statement. The transaction has failed until [`Self::finish`].
    pub fn start(&mut self) -> Result<&mut Begun, DbErr> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(DbErr::Custom("the transaction has failed before".to_owned()));
        }
        self.begun.as_mut().ok_or_else(|| DbErr::Custom("the transaction has ended".to_owned()))
    }

    pub fn finish<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        match &result {
            Ok(_) => self.failed = false,
            Err(error) => {
                (self.lost, self.others_lost) = (is_lost(error), affects_others(error));
            }
        }
        result.map_err(sqlx_error)
    }
}
