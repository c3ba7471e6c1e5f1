//! The signed-in user: profile, password, sessions and permissions.

mod change_password;
mod read;
mod revoke_my_session;
mod update_me;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::read_me)
        .add(update_me::update_me)
        .add(change_password::change_password)
        .add(read::list_my_sessions)
        .add(revoke_my_session::revoke_my_session)
        .add(read::read_my_permissions);
}
