//! Impersonation of customers' users by staff.

mod end_impersonation;
mod read;
mod start_impersonation;

use postern_domain::impersonation::ImpersonationError;

use crate::http::{Code, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(start_impersonation::start_impersonation)
        .add(read::list_impersonations)
        .add(end_impersonation::end_impersonation);
}

impl From<ImpersonationError> for Problem {
    fn from(error: ImpersonationError) -> Self {
        let code = match error {
            ImpersonationError::OwnUser
            | ImpersonationError::StaffTarget
            | ImpersonationError::SuspendedTarget => Code::CannotImpersonate,
            ImpersonationError::AlreadyEnded => Code::AlreadyEnded,
        };
        Self::new(code).detail(error.to_string())
    }
}
