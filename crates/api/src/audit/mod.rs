//! Reading the record.

mod read;

use crate::http::Routes;

pub fn routes(routes: &mut Routes) {
    routes
        .add(read::list_audit_events)
        .add(read::read_audit_event)
        .add(read::list_org_impersonations)
        .add(read::list_platform_audit_events);
}
