//! Members of an org.

mod change_member_role;
mod read;
mod remove_member;

use postern_domain::member::MemberError;

use crate::http::{Code, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_members)
        .add(read::read_member)
        .add(change_member_role::change_member_role)
        .add(remove_member::remove_member);
}

impl From<MemberError> for Problem {
    fn from(error: MemberError) -> Self {
        let code = match error {
            MemberError::AboveOwnRole => Code::AboveOwnRole,
            MemberError::LastOwner => Code::LastOwner,
            MemberError::PromotionUnderImpersonation => Code::ImpersonationBlocked,
        };
        Self::new(code).detail(error.to_string())
    }
}
