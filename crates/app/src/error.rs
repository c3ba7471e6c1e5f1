use postern_persistence::StoreError;

/// Failure of a use case. `R` is the error of the domain rule.
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError<R> {
    /// Names what was not found, such as `user ana@acme.example`.
    #[error("{0} not found")]
    NotFound(String),
    #[error(transparent)]
    Rule(R),
    #[error(transparent)]
    Store(#[from] StoreError),
}
