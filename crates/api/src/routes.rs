//! Collection of all routes.

use crate::{
    accounts, audit, auth, features, http::Routes, impersonations, me, members, orgs, permissions,
    settings, staff, system,
};

/// All mounted operations. A test compares them with the operations table.
#[must_use]
pub fn routes() -> Routes {
    let mut routes = Routes::default();
    auth::routes(&mut routes);
    me::routes(&mut routes);
    orgs::routes(&mut routes);
    members::routes(&mut routes);
    settings::routes(&mut routes);
    features::routes(&mut routes);
    audit::routes(&mut routes);
    accounts::routes(&mut routes);
    impersonations::routes(&mut routes);
    staff::routes(&mut routes);
    permissions::routes(&mut routes);
    system::routes(&mut routes);
    routes
}

/// Reports whether paths of the server begin with this segment.
#[must_use]
pub fn is_first_segment(segment: &str) -> bool {
    let routes = routes();
    let operations = routes.mounted().iter().map(|mounted| mounted.path.as_str());
    operations
        .chain(["/docs/", "/openapi.json", "/openapi-3.0.json"])
        .any(|path| path.split('/').nth(1) == Some(segment))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use postern_domain::slug;

    use super::*;
    use crate::operations;

    #[test]
    fn words_of_paths_are_reserved_slugs() {
        for mounted in routes().mounted() {
            for word in mounted.path.split('/').filter(|word| slug::is_slug(word)) {
                assert!(slug::is_reserved(word), "{}: {word} is reserved", mounted.path);
            }
        }
    }

    #[test]
    fn routes_match_the_operations_table() {
        let routes = routes();
        let mounted: Vec<&str> = routes.mounted().iter().map(|mounted| mounted.row.id).collect();
        let once: BTreeSet<&str> = mounted.iter().copied().collect();
        assert_eq!(once.len(), mounted.len(), "an operation is mounted twice");
        let rows: BTreeSet<&str> = operations::TABLE.iter().map(|row| row.id).collect();
        assert_eq!(once, rows, "every row of the table is mounted, and nothing else");
    }
}
