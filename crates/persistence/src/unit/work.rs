//! Write access under a grant.

use std::ops::Deref;

use postern_domain::{
    change::Change,
    effect::{Effect, ImpersonationsOf},
    event_draft::EventDraft,
    operation::Records,
    scope::Scope,
};

use super::{log::HasLog, reader::Reader};
use crate::{
    error::StoreError,
    event_writer,
    persist::{Persist, WriteContext},
    repository::{impersonations::Impersonations, sessions, unaudited::UnauditedWrite},
};

/// A unit of work: its writes are committed together or not at all.
#[must_use = "a unit of work that is not committed is rolled back"]
pub struct Work<S: Scope> {
    reader: Reader<S>,
    event_recorded: bool,
    wrote_unaudited: bool,
}

impl<S: Scope> Deref for Work<S> {
    type Target = Reader<S>;

    fn deref(&self) -> &Reader<S> {
        &self.reader
    }
}

impl<S: HasLog> Reader<S> {
    /// Continues with write access.
    pub const fn begin(self) -> Work<S> {
        Work { reader: self, event_recorded: false, wrote_unaudited: false }
    }
}

impl<S: HasLog> Work<S> {
    /// Writes the new state with its event and effects, and returns the state. An unchanged state
    /// is neither written nor recorded.
    pub async fn save<T: Persist<S>>(&mut self, change: Change<T>) -> Result<T, StoreError> {
        let (after, draft, effects) = change.into_parts();
        if let Some(draft) = draft {
            after.persist(WriteContext { tx: &self.reader.tx, grant: &self.reader.grant }).await?;
            self.record(draft).await?;
        }
        for effect in effects {
            self.apply(effect).await?;
        }
        // Also for an unchanged state: it needs no event, and `commit` must succeed.
        self.event_recorded = true;
        Ok(after)
    }

    /// Records an event without a change of state: a disclosure or a failure.
    pub async fn record(&mut self, draft: EventDraft) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        if !grant.operation().records.actions().contains(&draft.action) {
            return Err(StoreError::Broken(format!(
                "{} does not declare the audit action {}",
                grant.operation().id,
                draft.action
            )));
        }
        self.event_recorded = true;
        event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await
    }

    async fn apply(&self, effect: Effect) -> Result<(), StoreError> {
        let Reader { tx, context, .. } = &self.reader;
        match effect {
            Effect::EndImpersonations(of) => self.end_impersonations(of).await,
            Effect::EndOtherSessions { user, kept_session } => {
                sessions::end_all_but(tx, user, kept_session, context.now).await?;
                self.end_impersonations(ImpersonationsOf::OtherSessions { user, kept_session })
                    .await
            }
        }
    }

    /// Ends active impersonations, each with its own event. Operations do not declare this event,
    /// because every operation may have this effect.
    async fn end_impersonations(&self, of: ImpersonationsOf) -> Result<(), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        for impersonation in
            Impersonations::of_all(tx).find_linked_for_update(of, context.now).await?
        {
            let ended = impersonation
                .end(context.now)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            if let (impersonation, Some(draft), _) = ended.into_parts() {
                impersonation.persist(WriteContext { tx, grant }).await?;
                event_writer::write(tx, draft, grant.actor(), S::log(grant), context).await?;
            }
        }
        Ok(())
    }

    /// Writes without an audit event.
    pub async fn write_unaudited(&mut self, write: UnauditedWrite) -> Result<(), StoreError> {
        self.wrote_unaudited = true;
        write.run(&self.reader.tx).await
    }

    /// Commits. Fails if the operation did not record what it declares.
    pub async fn commit(self) -> Result<(), StoreError> {
        let operation = self.reader.grant.operation();
        let recorded = match operation.records {
            Records::Nothing | Records::InOwnTx(_) => false,
            Records::Always(_) => self.event_recorded,
            Records::OnAnomaly(_) => self.event_recorded || self.wrote_unaudited,
        };
        if !recorded {
            return Err(StoreError::Broken(format!(
                "{}: commit refused, no audit event was recorded",
                operation.id
            )));
        }
        self.reader.tx.commit().await
    }
}
