//! What an operation is: one row of the table that `postern-api` states every operation in, once.

use chrono::NaiveDate;

use crate::{action::Action, permission::Permission, scope::ScopeKind};

/// One row of the table of operations.
#[derive(Debug)]
pub struct Operation {
    /// The id in the contract, and the name of the handler: `change_member_role`.
    pub id: &'static str,
    pub scope: ScopeKind,
    /// The permission it needs; none where being signed in is enough, or nobody has to be.
    pub needs: Option<Permission>,
    pub records: Records,
    pub impersonated: Impersonated,
    pub demands: &'static [Demand],
    pub deprecated: Option<Deprecation>,
}

impl Operation {
    /// Whether a repeated POST of it is known by its key and gets the first answer again: what somebody known does, but for what ends the very
    /// session that it comes in. In another session that is another request.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.scope, ScopeKind::Public)
            && !self.records.actions().is_empty()
            && !self.records.actions().contains(&Action::AuthLoggedOut)
    }
}

/// An operation that is on its way out: it still answers, and says so.
#[derive(Debug, Clone, Copy)]
pub struct Deprecation {
    /// Since when nobody should begin to use it.
    pub since: NaiveDate,
    /// From when on it may be gone.
    pub sunset: NaiveDate,
    /// The id of the operation to use instead.
    pub successor: &'static str,
}

impl Deprecation {
    /// How many days there are at least between the two.
    pub const NOTICE: i64 = 180;

    /// Dates are year, month, day; one that no calendar has does not compile.
    #[must_use]
    pub const fn new(
        since: (i32, u32, u32),
        sunset: (i32, u32, u32),
        successor: &'static str,
    ) -> Self {
        const fn date((year, month, day): (i32, u32, u32)) -> NaiveDate {
            NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
        }
        Self { since: date(since), sunset: date(sunset), successor }
    }
}

/// What an operation leaves in the record.
#[derive(Debug, Clone, Copy)]
pub enum Records {
    /// It changes nothing and shows nothing that has to be told.
    Nothing,
    /// It changes state or discloses: when it succeeds, one of these is in the record.
    Always(&'static [Action]),
    /// It only reads; where what it shows has to be told, one of these is committed by itself before it is shown.
    InOwnTx(&'static [Action]),
    /// It keeps books that are nobody's act, and records one of these only when something is wrong.
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

/// How an operation stands when it is called under another's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impersonated {
    Allowed,
    /// Only with `mode: full`.
    Write,
    /// Never.
    Blocked,
}

impl Impersonated {
    /// The word of `x-impersonation`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Write => "write",
            Self::Blocked => "blocked",
        }
    }
}

/// What a request must bring besides the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    Reason,
    Ticket,
    IdempotencyKey,
}

impl Demand {
    /// The word of `x-demands`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Ticket => "ticket",
            Self::IdempotencyKey => "idempotency_key",
        }
    }
}
