//! Staff and their tiers.

mod read;
mod remove_staff;
mod set_staff_tier;

use postern_domain::staff::StaffError;

use crate::http::{Code, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_staff)
        .add(set_staff_tier::set_staff_tier)
        .add(remove_staff::remove_staff);
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let code = match error {
            StaffError::TooManySuperAdmins { .. } => Code::SuperAdminLimit,
            StaffError::LastSuperAdmin => Code::LastSuperAdmin,
            StaffError::OwnTier => Code::OwnTier,
            StaffError::NotStaff => Code::NotStaff,
            StaffError::NoLongerAllowed => Code::PermissionDenied,
        };
        Self::new(code).detail(error.to_string())
    }
}
