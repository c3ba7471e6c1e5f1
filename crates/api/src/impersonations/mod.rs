//! Impersonation of customers' users by staff.

mod end_impersonation;
mod read;
mod start_impersonation;

use postern_domain::{impersonation::AlreadyEnded, impersonation_start::StartError};

use crate::http::{Code, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_org_impersonations)
        .add(read::read_org_impersonation)
        .add(start_impersonation::start_impersonation)
        .add(read::list_impersonations)
        .add(read::read_impersonation)
        .add(end_impersonation::end_impersonation);
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        Self::new(Code::CannotImpersonate).detail(error.to_string())
    }
}

impl From<AlreadyEnded> for Problem {
    fn from(error: AlreadyEnded) -> Self {
        Self::new(Code::AlreadyEnded).detail(error.to_string())
    }
}
