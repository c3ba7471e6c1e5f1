//! Answers that last take up room: streams, exports, searches by text. There is so much for everybody, and so much
//! of it for one person and for one org.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_domain::id::{OrgId, UserId};

use super::{Code, Problem};

/// How much room there is, and who has how much of it.
pub struct Rooms {
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_person: HashMap<UserId, usize>,
    by_org: HashMap<OrgId, usize>,
}

/// Room for one answer, until it is dropped.
pub struct Room {
    rooms: Arc<Rooms>,
    person: UserId,
    org: Option<OrgId>,
}

impl Rooms {
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all, each, taken: Mutex::default() })
    }

    /// Takes room for somebody in an org. 429 where they, or their org, have as much as one may, 503 where there is none left.
    pub fn enter(self: &Arc<Self>, person: UserId, org: Option<OrgId>) -> Result<Room, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = self.each.max(self.all / 4);
        let has = |taken: Option<&usize>, most| taken.is_some_and(|taken| *taken >= most);
        if has(taken.by_person.get(&person), self.each)
            || org.is_some_and(|org| has(taken.by_org.get(&org), of_org))
        {
            return Err(Problem::new(Code::TooManyOpen).retry_after(Duration::from_secs(5)));
        }
        if taken.all >= self.all {
            return Err(Problem::new(Code::Unavailable)
                .detail("as many streams and exports are open as this server has room for"));
        }
        taken.all += 1;
        *taken.by_person.entry(person).or_default() += 1;
        if let Some(org) = org {
            *taken.by_org.entry(org).or_default() += 1;
        }
        Ok(Room { rooms: Arc::clone(self), person, org })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.rooms.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        give_back(&mut taken.by_person, self.person);
        if let Some(org) = self.org {
            give_back(&mut taken.by_org, org);
        }
    }
}

fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, whose: K) {
    if let Entry::Occupied(mut theirs) = taken.entry(whose) {
        *theirs.get_mut() -= 1;
        if *theirs.get() == 0 {
            theirs.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_domain::Id;
    use uuid::Uuid;

    use super::Rooms;

    #[test]
    fn nobody_takes_all_of_it() {
        let rooms = Rooms::new(8, 2);
        let person = |n| Id::new(Uuid::from_u128(n));
        let (acme, globex) = (Some(Id::new(Uuid::from_u128(1))), Some(Id::new(Uuid::from_u128(2))));
        let first = rooms.enter(person(1), acme).expect("there is room");
        let second = rooms.enter(person(1), acme).expect("there is room");
        assert_eq!(
            rooms.enter(person(1), acme).map(drop).expect_err("has two").code().name(),
            "too_many_open"
        );
        assert_eq!(
            rooms.enter(person(2), acme).map(drop).expect_err("acme has a quarter").code().name(),
            "too_many_open"
        );
        let others: Vec<_> =
            (0..6).map(|n| rooms.enter(person(3 + n), None).expect("there is room")).collect();
        assert_eq!(
            rooms.enter(person(20), globex).map(drop).expect_err("is full").code().name(),
            "unavailable"
        );
        drop(first);
        drop(rooms.enter(person(20), globex).expect("there is room again"));
        drop((second, others));
        assert!(rooms.taken.lock().expect("is sound").by_person.is_empty());
    }
}
