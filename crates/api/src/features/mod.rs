//! The features of an org's plan, and what decided each.

mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(read::list_features).add(read::read_feature);
}
