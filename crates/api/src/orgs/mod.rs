//! Orgs, for their members.

mod create_org;
mod delete_org;
mod read;
mod update_org;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(create_org::create_org)
        .add(read::list_my_orgs)
        .add(read::read_org)
        .add(update_org::update_org)
        .add(delete_org::delete_org)
        .add(read::read_dashboard);
}
