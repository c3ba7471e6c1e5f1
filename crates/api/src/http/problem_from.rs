//! Conversion of errors into problems.

use std::time::Duration;

use postern_app::UseCaseError;
use postern_domain::{
    chain,
    policy::{AuthenticationError, Denial},
};
use postern_keystore::RandomError;
use postern_persistence::StoreError;

use super::{code::Code, problem::Problem};
use crate::identity::{Busy, TokenError};

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::NotFound => Self::not_found(),
            Denial::Forbidden(permission) => Self::new(Code::PermissionDenied)
                .detail(format!("requires the permission {permission}")),
            Denial::Blocked => Self::new(Code::ImpersonationBlocked),
            Denial::ReadOnly => Self::new(Code::ImpersonationReadOnly),
        }
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        Self::new(match error {
            AuthenticationError::SessionEnded => Code::SessionEnded,
            AuthenticationError::ImpersonationEnded
            | AuthenticationError::ImpersonationInvalid { .. } => Code::ImpersonationEnded,
            AuthenticationError::ImpersonationExpired => Code::ImpersonationExpired,
        })
    }
}

impl<R: Into<Self>> From<UseCaseError<R>> for Problem {
    fn from(error: UseCaseError<R>) -> Self {
        match error {
            UseCaseError::NotFound(_) => Self::not_found(),
            UseCaseError::Rule(error) => error.into(),
            UseCaseError::Store(error) => error.into(),
        }
    }
}

/// Logs the cause; the client gets only the request ID.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let cause = chain(&error);
        match error {
            StoreError::Conflict(_) => {
                tracing::info!(cause, "write conflict");
                Self::new(Code::Conflict)
            }
            StoreError::Unavailable(_) => {
                tracing::error!(cause, "database unavailable");
                Self::new(Code::Unavailable)
            }
            StoreError::OutcomeUnknown(_) => {
                tracing::error!(cause, "outcome of a commit unknown");
                Self::new(Code::OutcomeUnknown)
            }
            StoreError::Corrupt(_) | StoreError::Broken(_) => {
                tracing::error!(cause, "unexpected store error");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<RandomError> for Problem {
    fn from(error: RandomError) -> Self {
        tracing::error!("{error}");
        Self::new(Code::Internal)
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        tracing::warn!("{busy}");
        Self::new(Code::Unavailable).detail(busy.to_string()).retry_after(Duration::from_secs(5))
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(match error {
            TokenError::Missing => Code::Unauthenticated,
            TokenError::Invalid => Code::InvalidToken,
            TokenError::Expired => Code::TokenExpired,
            TokenError::ImpersonationExpired => Code::ImpersonationExpired,
        })
    }
}
