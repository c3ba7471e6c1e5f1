//! Retention settings of an org's audit log.

use postern_domain::{
    justification::Reason,
    retention::{Retention, RetentionError},
    scope,
};
use postern_persistence::unit::Work;

use crate::UseCaseError;

/// An edit of retention settings.
#[derive(Debug, Clone, Copy)]
pub enum RetentionEdit {
    /// Sets the retention in days.
    Keep { days: i64 },
    /// Places a legal hold.
    Hold,
    /// Releases the legal hold.
    Release,
}

/// Edits the retention settings of the org with this slug.
pub async fn edit_retention(
    work: &mut Work<scope::Staff>,
    slug: &str,
    edit: RetentionEdit,
    reason: &Reason,
) -> Result<Retention, UseCaseError<RetentionError>> {
    let retention = work
        .retentions()
        .find_for_update(slug)
        .await?
        .ok_or_else(|| UseCaseError::NotFound(format!("org {slug}")))?;
    let change = match edit {
        RetentionEdit::Keep { days } => {
            retention.keep_for(days, reason).map_err(UseCaseError::Rule)?
        }
        RetentionEdit::Hold => retention.hold(reason, work.context().now),
        RetentionEdit::Release => retention.release(reason),
    };
    Ok(work.save(change).await?)
}
