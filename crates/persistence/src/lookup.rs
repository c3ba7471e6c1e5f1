//! The SQL statement that loads a caller.

use postern_domain::org_key::OrgKey;

use crate::{
    backend::set_tenant_role_sql,
    columns::all,
    entity::{impersonation, organization, session, user},
};

/// The kind of org key in a lookup.
#[derive(Clone, Copy)]
pub enum ByOrg {
    None,
    Id,
    Slug,
}

impl From<Option<&OrgKey>> for ByOrg {
    fn from(org: Option<&OrgKey>) -> Self {
        match org {
            None => Self::None,
            Some(OrgKey::Id(_)) => Self::Id,
            Some(OrgKey::Slug(_)) => Self::Slug,
        }
    }
}

/// The lookup in six forms: with or without impersonation, and with an org by id, by slug or
/// without an org.
///
/// Aliases: session `s`, user `u` with staff row `st`; impersonation `i`, its target `t` with staff
/// row `tst`, its org `b` with membership `bm`; the requested org `o` with membership `m`.
///
/// With an org, the statement also sets the transaction's tenant context, so that rows of other
/// orgs are out of reach from then on, even for incorrect code (`tests/suite/tenancy/rls`).
pub struct Lookups([String; 6]);

impl Lookups {
    /// `tenant` is the role of transactions that serve one org; none on SQLite.
    pub fn new(tenant: Option<&str>) -> Self {
        let of = |impersonation, org| build(impersonation, org, tenant);
        Self([
            of(false, ByOrg::None),
            of(false, ByOrg::Id),
            of(false, ByOrg::Slug),
            of(true, ByOrg::None),
            of(true, ByOrg::Id),
            of(true, ByOrg::Slug),
        ])
    }

    pub fn sql(&self, impersonation: bool, org: ByOrg) -> &str {
        &self.0[3 * usize::from(impersonation) + org as usize]
    }
}

fn build(impersonation: bool, org: ByOrg, tenant: Option<&str>) -> String {
    let mut columns =
        vec![all::<session::Column>("s"), all::<user::Column>("u"), "st.tier AS tier".to_owned()];
    let mut joins =
        r#"session s JOIN "user" u ON u.id = s.user_id LEFT JOIN staff st ON st.user_id = u.id"#
            .to_owned();
    if impersonation {
        columns.extend([
            all::<impersonation::Column>("i"),
            "u.email AS i_staff_email, u.name AS i_staff_name, t.email AS i_user_email, \
             t.name AS i_user_name, b.slug AS i_org_slug, b.name AS i_org_name"
                .to_owned(),
            all::<user::Column>("t"),
            "tst.tier AS t_tier".to_owned(),
            all::<organization::Column>("b"),
            "bm.role AS b_role".to_owned(),
        ]);
        joins += r#"
            JOIN impersonation i ON i.id = $2
            JOIN "user" t ON t.id = i.target_user_id LEFT JOIN staff tst ON tst.user_id = t.id
            JOIN organization b ON b.id = i.org_id
            LEFT JOIN membership bm ON bm.org_id = b.id AND bm.user_id = t.id"#;
    }
    let (column, n) =
        (if matches!(org, ByOrg::Slug) { "slug" } else { "id" }, if impersonation { 3 } else { 2 });
    let effective = if impersonation { "t" } else { "u" };
    if !matches!(org, ByOrg::None) {
        columns.extend([
            all::<organization::Column>("o"),
            "m.id AS m_id, m.role AS m_role".to_owned(),
        ]);
        columns.extend(tenant.map(|role| set_tenant_role_sql(role, "o.id")));
        joins += &format!(
            " LEFT JOIN organization o ON o.{column} = ${n}
              LEFT JOIN membership m ON m.org_id = o.id AND m.user_id = {effective}.id"
        );
    }
    format!("SELECT {} FROM {joins} WHERE s.id = $1", columns.join(", "))
}
