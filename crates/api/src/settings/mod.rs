//! Settings of an org.

mod read;
mod update_settings;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes.add(read::read_settings).add(update_settings::update_settings);
}
