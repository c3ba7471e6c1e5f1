//! Sign-in, sign-out, token refresh, and the metadata for verifying tokens.

mod login;
mod logout;
mod metadata;
mod refresh;
mod tokens_view;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(login::login)
        .add(refresh::refresh)
        .add(logout::logout)
        .add(metadata::read_jwks)
        .add(metadata::read_authorization_server);
}
