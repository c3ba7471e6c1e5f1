//! Access to what an annotation of `utoipa` says: the only use of its hidden traits, from which its
//! own framework bindings collect tags and schemas.

use utoipa::{
    __dev::{SchemaReferences, Tags},
    Path,
    openapi::{RefOr, Schema, path::Operation},
};

/// An operation with an annotation.
pub trait Documented: Path + SchemaReferences + for<'t> Tags<'t> {}

impl<T: Path + SchemaReferences + for<'t> Tags<'t>> Documented for T {}

/// The documented operation, and the schemas that it refers to, by name.
pub fn documented<O: Documented>() -> (Operation, Vec<(String, RefOr<Schema>)>) {
    let (mut schemas, mut operation) = (Vec::new(), O::operation());
    <O as SchemaReferences>::schemas(&mut schemas);
    operation.tags = Some(<O as Tags>::tags().into_iter().map(str::to_owned).collect());
    (operation, schemas)
}
