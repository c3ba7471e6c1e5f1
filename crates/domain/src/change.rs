//! A decision and its event as one value, so that neither reaches the database without the other.
//!
//! Transitions of the domain take the state by value and give a `Change`; the store has no other way to write state
//! than `save(Change<T>)`. Taking a `Change` apart gives no way to write the parts.

use crate::event::EventDraft;

/// The state after a decision, and what the record says of it.
#[derive(Debug)]
#[must_use = "a change that is not saved has not happened"]
pub struct Change<T> {
    after: T,
    draft: Option<EventDraft>,
}

impl<T> Change<T> {
    pub const fn recorded(after: T, draft: EventDraft) -> Self {
        Self { after, draft: Some(draft) }
    }

    /// What was asked for is so already: nothing is written, and there is nothing to record.
    pub const fn unchanged(value: T) -> Self {
        Self { after: value, draft: None }
    }

    /// For the store: the state to write and the act to record, or no act where there is nothing to write.
    #[must_use]
    pub fn into_parts(self) -> (T, Option<EventDraft>) {
        (self.after, self.draft)
    }

    /// For tests and for the store: what would be recorded.
    pub const fn event(&self) -> Option<&EventDraft> {
        self.draft.as_ref()
    }
}

/// Something that was not there before, so that the store inserts it.
#[derive(Debug)]
pub struct New<T>(pub T);
