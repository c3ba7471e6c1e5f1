//! A decision and its event as one value, so that neither reaches the database without the other.
//!
//! Transitions of the domain take the state by value and give a `Change`; the store has no other way to write state
//! than `save(Change<T>)`. Taking a `Change` apart gives no way to write the parts.

use crate::event::Act;

/// The state after a decision, and what the record says of it.
#[derive(Debug)]
#[must_use = "a change that is not saved has not happened"]
pub struct Change<T> {
    after: T,
    act: Option<Act>,
}

impl<T> Change<T> {
    pub const fn recorded(after: T, act: Act) -> Self {
        Self { after, act: Some(act) }
    }

    /// What was asked for is so already: nothing is written, and there is nothing to record.
    pub const fn unchanged(value: T) -> Self {
        Self { after: value, act: None }
    }

    /// For the store: the state to write and the act to record, or no act where there is nothing to write.
    #[must_use]
    pub fn into_parts(self) -> (T, Option<Act>) {
        (self.after, self.act)
    }

    /// For tests and for the store: what would be recorded.
    pub const fn act(&self) -> Option<&Act> {
        self.act.as_ref()
    }
}

/// Something that was not there before, so that the store inserts it.
#[derive(Debug)]
pub struct New<T>(pub T);
