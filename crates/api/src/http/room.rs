//! Answers that last take up room: streams and exports. There is so much for everybody, and so much of it for one person.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_domain::id::UserId;

use super::{Code, Problem};

/// How much room there is, and who has how much of it.
pub struct Rooms {
    all: usize,
    each: usize,
    taken: Mutex<HashMap<UserId, usize>>,
}

/// Room for one answer, until it is dropped.
pub struct Room {
    rooms: Arc<Rooms>,
    whose: UserId,
}

impl Rooms {
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all, each, taken: Mutex::default() })
    }

    /// Takes room for somebody. 429 where they have as much as one may, 503 where there is none left.
    pub fn enter(self: &Arc<Self>, whose: UserId) -> Result<Room, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(&whose).is_some_and(|theirs| *theirs >= self.each) {
            return Err(Problem::new(Code::TooManyOpen).retry_after(Duration::from_secs(5)));
        }
        if taken.values().sum::<usize>() >= self.all {
            return Err(Problem::new(Code::Unavailable).detail("as many streams and exports are open as this server has room for"));
        }
        *taken.entry(whose).or_default() += 1;
        Ok(Room { rooms: Arc::clone(self), whose })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.rooms.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = taken.get_mut(&self.whose) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}
