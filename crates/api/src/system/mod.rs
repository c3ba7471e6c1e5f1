//! Operations for monitoring the server, and the pages that explain problems.

mod metrics;
mod problem_page;
mod problems;
mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::read_health)
        .add(read::read_readiness)
        .add(metrics::read_metrics)
        .add(problems::list_problems)
        .add(problems::read_problem);
}
