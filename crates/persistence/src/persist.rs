//! Writing of state: each repository implements [`Persist`] for its own types.

use postern_domain::{policy::Grant, scope::Scope};

use crate::{error::StoreError, tx::Tx};

/// State that [`crate::unit::Work::save`] can write in a scope, which is the only way to write it.
pub trait Persist<S: Scope>: Sized {
    #[doc(hidden)]
    fn persist(&self, to: WriteContext<'_, S>) -> impl Future<Output = Result<(), StoreError>>;
}

/// The transaction and grant of a write. Opaque outside this crate.
pub struct WriteContext<'a, S: Scope> {
    pub(crate) tx: &'a Tx,
    pub(crate) grant: &'a Grant<S>,
}
