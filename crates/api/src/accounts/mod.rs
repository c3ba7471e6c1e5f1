//! Search over users and orgs, for support.

mod search_accounts;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(search_accounts::search_accounts);
}
