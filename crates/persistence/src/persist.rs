//! What can be stored, and where: each repository says it for its own kinds of state.

use postern_domain::{policy::Grant, scope::Scope};

use crate::{error::StoreError, tx::Tx};

/// State that [`crate::unit::Work::save`] can write in a scope. There is no other way to write any.
pub trait Persist<S: Scope>: Sized {
    #[doc(hidden)]
    fn persist(&self, to: WriteContext<'_, S>) -> impl Future<Output = Result<(), StoreError>>;
}

/// Where [`Persist`] writes: opaque outside this crate.
pub struct WriteContext<'a, S: Scope> {
    pub(crate) tx: &'a Tx,
    pub(crate) grant: &'a Grant<S>,
}
