//! Permissions, with the roles and tiers that have them.

mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(read::read_policy);
}
