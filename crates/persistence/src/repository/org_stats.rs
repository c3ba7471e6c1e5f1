//! Statistics for an org's dashboard, in one statement regardless of the org's size.

use chrono::{DateTime, Utc};
use postern_domain::{id::OrgId, role::Role};
use sea_orm::ConnectionTrait;

use crate::{
    backend::statement,
    error::{StoreError, unknown},
    tx::Tx,
};

pub struct OrgStats<'a> {
    tx: &'a Tx,
    org: OrgId,
}

/// Counts for the dashboard.
#[derive(Debug, Default)]
pub struct OrgCounts {
    /// Number of members per role. Roles without members are omitted.
    pub members: Vec<(Role, u64)>,
    /// The latest value of each metric.
    pub usage: Vec<(String, i64)>,
    /// Time of the latest event in the org's audit log.
    pub last_activity_at: Option<DateTime<Utc>>,
}

impl<'a> OrgStats<'a> {
    pub(crate) const fn new(tx: &'a Tx, org: OrgId) -> Self {
        Self { tx, org }
    }

    pub async fn count(&self) -> Result<OrgCounts, StoreError> {
        const SQL: &str = "
            SELECT 'members' AS kind, role AS name, count(*) AS amount,
                   CAST(NULL AS timestamptz) AS at
              FROM membership WHERE org_id = $1 GROUP BY role
            UNION ALL
            SELECT 'usage', p.metric, p.value, NULL FROM usage_point p
             WHERE p.org_id = $1
               AND p.at = (SELECT max(l.at) FROM usage_point l
                            WHERE l.org_id = $1 AND l.metric = p.metric)
            UNION ALL
            SELECT 'activity', '', 0,
                   (SELECT occurred_at FROM audit_event WHERE org_id = $1 ORDER BY id DESC LIMIT 1)
            ORDER BY 1, 2";
        let rows = self
            .tx
            .query_all_raw(statement(self.tx.get_database_backend(), SQL, [self.org.uuid().into()]))
            .await?;
        let mut counted = OrgCounts::default();
        for row in rows {
            let (kind, name): (String, String) =
                (row.try_get("", "kind")?, row.try_get("", "name")?);
            let amount: i64 = row.try_get("", "amount")?;
            match kind.as_str() {
                "members" => {
                    let role = Role::parse(&name).ok_or_else(|| unknown("role", &name))?;
                    counted.members.push((role, amount.unsigned_abs()));
                }
                "usage" => counted.usage.push((name, amount)),
                _ => counted.last_activity_at = row.try_get("", "at")?,
            }
        }
        Ok(counted)
    }
}
