//! Features of an org, and the override, plan or default that decides each of them.

mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(read::list_features).add(read::read_feature);
}
