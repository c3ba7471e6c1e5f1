//! User accounts created by the vendor.

use postern_domain::{
    credential::{NewUser, PasswordHash},
    password::{Password, WeakPassword},
    scope,
    text::{self, BadText},
    user::User,
};
use postern_persistence::{StoreError, unit::Work};

use crate::UseCaseError;

/// Validated details of an account that is to be created.
#[derive(Debug)]
pub struct AccountDetails {
    email: String,
    name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{0} is not a valid e-mail address")]
    Email(String),
    #[error("the name {0}")]
    Name(#[from] BadText),
    #[error(transparent)]
    Password(#[from] WeakPassword),
    #[error("an account with the address {0} already exists")]
    EmailTaken(String),
}

impl AccountDetails {
    /// Normalizes the e-mail address, and checks address, name and password.
    pub fn new(email: &str, name: &str, password: &Password) -> Result<Self, AccountError> {
        let email = text::email(email);
        if !text::is_email(&email) {
            return Err(AccountError::Email(email));
        }
        let name = text::name(name)?;
        password.check(&email)?;
        Ok(Self { email, name })
    }
}

/// Creates an account. `hash` is the hash of the checked password.
pub async fn add_user(
    work: &mut Work<scope::Staff>,
    AccountDetails { email, name }: AccountDetails,
    hash: PasswordHash,
) -> Result<User, UseCaseError<AccountError>> {
    let context = work.context().clone();
    let change = NewUser::new(context.id(), email.clone(), name, hash, context.now);
    match work.save(change).await {
        Ok(account) => Ok(account.user),
        Err(StoreError::Conflict(_)) => Err(UseCaseError::Rule(AccountError::EmailTaken(email))),
        Err(error) => Err(error.into()),
    }
}
