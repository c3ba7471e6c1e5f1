//! Write access under a grant.

use std::{collections::VecDeque, ops::Deref};

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
        if let Some(draft) = change.event() {
            self.check_declared(draft)?;
        }
        let (after, effects) = self.write(change).await?;
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            effects.extend(self.apply(effect).await?);
        }
        // Also for an unchanged state: it needs no event, and `commit` must succeed.
        self.event_recorded = true;
        Ok(after)
    }

    /// Writes a state with its event, and returns the effects that are left to apply.
    async fn write<T: Persist<S>>(
        &self,
        change: Change<T>,
    ) -> Result<(T, Vec<Effect>), StoreError> {
        let Reader { tx, grant, context } = &self.reader;
        let (after, draft, effects) = change.into_parts();
        if let Some(draft) = draft {
            after.persist(WriteContext { tx, grant }).await?;
            let log = S::log(grant).map(Into::into);
            event_writer::write(tx, draft, grant.actor(), log, context).await?;
        }
        Ok((after, effects))
    }

    /// Records an event without a change of state: a disclosure or a failure.
    pub async fn record(&mut self, draft: EventDraft) -> Result<(), StoreError> {
        self.check_declared(&draft)?;
        self.event_recorded = true;
        let Reader { tx, grant, context } = &self.reader;
        let log = S::log(grant).map(Into::into);
        event_writer::write(tx, draft, grant.actor(), log, context).await
    }

    fn check_declared(&self, draft: &EventDraft) -> Result<(), StoreError> {
        let operation = self.reader.grant.operation();
        if operation.records.actions().contains(&draft.action) {
            return Ok(());
        }
        Err(StoreError::Broken(format!(
            "{} does not declare the audit action {}",
            operation.id, draft.action
        )))
    }

    /// Applies an effect, and returns the effects of the changes that it makes. Operations do not
    /// declare the events of effects, because every operation may have them.
    async fn apply(&self, effect: Effect) -> Result<Vec<Effect>, StoreError> {
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

    /// Ends active impersonations, each with its own event.
    async fn end_impersonations(&self, of: ImpersonationsOf) -> Result<Vec<Effect>, StoreError> {
        let Reader { tx, context, .. } = &self.reader;
        let mut effects = Vec::new();
        for impersonation in
            Impersonations::of_all(tx).find_linked_for_update(of, context.now).await?
        {
            let ended = impersonation
                .end(of.cause(), context.now)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            effects.extend(self.write(ended).await?.1);
        }
        Ok(effects)
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
