//! For those who run Postern.

mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(read::read_health).add(read::read_readiness).add(read::read_problem);
}
