//! The caller's own profile, password and sessions.

mod change_password;
mod list_my_sessions;
mod revoke_my_session;
mod update_me;
