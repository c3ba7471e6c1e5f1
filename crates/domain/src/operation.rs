//! Operations: the type of a row in the operations table of `postern-api`.

use chrono::NaiveDate;

use crate::{action::Action, permission::Permission, scope::ScopeKind, string_enum};

/// A row of the operations table.
#[derive(Debug)]
pub struct Operation {
    /// Operation id in the OpenAPI document, and the name of the handler: `change_member_role`.
    pub id: &'static str,
    pub scope: ScopeKind,
    /// Required permission; none if authentication suffices or is not required.
    pub needs: Option<Permission>,
    pub records: Records,
    pub impersonated: Impersonated,
    pub demands: &'static [Demand],
    pub deprecated: Option<Deprecation>,
}

impl Operation {
    /// Whether a POST supports `Idempotency-Key`: true for authenticated operations that record
    /// events. Logout is excluded, because the same request from another session ends another
    /// session.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.scope, ScopeKind::Public)
            && !self.records.actions().is_empty()
            && !self.records.actions().contains(&Action::AuthLoggedOut)
    }
}

/// Deprecation of an operation, announced in its responses until it is removed.
#[derive(Debug, Clone, Copy)]
pub struct Deprecation {
    /// Date of the deprecation: new clients should not use the operation.
    pub since: NaiveDate,
    /// Earliest date of removal.
    pub sunset: NaiveDate,
    /// Id of the operation to use instead.
    pub successor: &'static str,
}

impl Deprecation {
    /// Minimum number of days from `since` to `sunset`.
    pub const NOTICE: i64 = 180;

    /// Takes dates as year, month, day. An invalid date in a constant does not compile.
    #[must_use]
    pub const fn new(
        since: (i32, u32, u32),
        sunset: (i32, u32, u32),
        successor: &'static str,
    ) -> Self {
        const fn date((year, month, day): (i32, u32, u32)) -> NaiveDate {
            NaiveDate::from_ymd_opt(year, month, day).expect("a valid date")
        }
        Self { since: date(since), sunset: date(sunset), successor }
    }
}

/// Audit actions that an operation records.
#[derive(Debug, Clone, Copy)]
pub enum Records {
    /// None: the operation changes nothing, and what it reads is not audited.
    Nothing,
    /// The operation changes state or discloses data: on success, at least one of these is
    /// recorded.
    Always(&'static [Action]),
    /// The operation only reads. For an audited read, one of these is committed in its own
    /// transaction before the response is sent.
    InOwnTx(&'static [Action]),
    /// The operation writes unaudited state, and records one of these only for an anomaly.
    OnAnomaly(&'static [Action]),
}

impl Records {
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::Nothing => &[],
            Self::Always(actions) | Self::InOwnTx(actions) | Self::OnAnomaly(actions) => actions,
        }
    }
}

string_enum! {
    /// Availability of an operation under impersonation.
    Impersonated {
        Allowed = "allowed",
        /// Only with `mode: full`.
        Write = "write",
        /// Never.
        Blocked = "blocked",
    }
}

string_enum! {
    /// Input that an operation requires in addition to its permission.
    Demand {
        Reason = "reason",
        Ticket = "ticket",
        IdempotencyKey = "idempotency_key",
    }
}
