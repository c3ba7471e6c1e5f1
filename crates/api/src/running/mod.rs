//! For those who run Postern.

mod figures;
mod read;

use crate::http::Routes;
pub use figures::collected;

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::read_health)
        .add(read::read_readiness)
        .add(figures::read_metrics)
        .add(read::read_problem);
}
