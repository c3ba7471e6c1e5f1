//! A state change with its audit event and effects as one value, so that none is saved without
//! the others.
//!
//! Domain transitions take the state by value and return a `Change`. The store writes audited
//! state only with `save(Change<T>)`; the parts of a `Change` cannot be saved separately.

use crate::{effect::Effect, event_draft::EventDraft};

/// The new state, its audit event and its effects.
#[derive(Debug)]
#[must_use = "a change has no effect until it is saved"]
pub struct Change<T> {
    after: T,
    draft: Option<EventDraft>,
    effects: Vec<Effect>,
}

impl<T> Change<T> {
    pub const fn recorded(after: T, draft: EventDraft) -> Self {
        Self { after, draft: Some(draft), effects: Vec::new() }
    }

    /// The requested state is already in effect: nothing is written or recorded.
    pub const fn unchanged(value: T) -> Self {
        Self { after: value, draft: None, effects: Vec::new() }
    }

    /// Adds a consequence of the change.
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// For the store: the state to write, the event to record and the effects to apply; no event
    /// and no effects if there is nothing to write.
    #[must_use]
    pub fn into_parts(self) -> (T, Option<EventDraft>, Vec<Effect>) {
        (self.after, self.draft, self.effects)
    }

    /// The effects that saving applies.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// The event that saving records, for tests and for the store.
    pub const fn event(&self) -> Option<&EventDraft> {
        self.draft.as_ref()
    }
}

/// A new resource: the store inserts it.
#[derive(Debug)]
pub struct New<T>(pub T);
