//! Pages of lists, newest first, from which one can go on in both directions. Ids sort by when they were made, so an id is all that a
//! page needs to go on from.

use sea_orm::{
    Order,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use uuid::Uuid;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart {
    /// With the newest.
    Newest,
    /// With what is older than this one.
    OlderThan(Uuid),
    /// It ends with what is newer than this one.
    NewerThan(Uuid),
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    pub from: PageStart,
    /// How many rows at the most; 1 to 100.
    pub limit: u64,
}

/// A page, and where to go on from it if there is more.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub older: Option<PageStart>,
    pub newer: Option<PageStart>,
}

impl PageRequest {
    /// Restricts a query to this page by the id in `column`, and to one row more, which tells whether there is a next.
    pub(super) fn apply(self, query: &mut SelectStatement, column: impl Into<Expr>) {
        self.ordered(query, column).limit(self.limit + 1);
    }

    /// Restricts a query to what comes from where this page begins, and puts it in order, by the id in `column`.
    pub(super) fn ordered(
        self,
        query: &mut SelectStatement,
        column: impl Into<Expr>,
    ) -> &mut SelectStatement {
        let column = column.into();
        let order = match self.from {
            PageStart::Newest => Order::Desc,
            PageStart::OlderThan(id) => {
                query.and_where(column.clone().lt(id));
                Order::Desc
            }
            PageStart::NewerThan(id) => {
                query.and_where(column.clone().gt(id));
                Order::Asc
            }
        };
        query.order_by_expr(column, order)
    }

    pub(super) fn into_page<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let backwards = matches!(self.from, PageStart::NewerThan(_));
        if backwards {
            rows.reverse();
        }
        // Whence one came there is always more.
        let (is_older, is_newer) =
            if backwards { (true, more) } else { (more, self.from != PageStart::Newest) };
        Page {
            older: rows.last().filter(|_| is_older).map(|row| PageStart::OlderThan(id(row))),
            newer: rows.first().filter(|_| is_newer).map(|row| PageStart::NewerThan(id(row))),
            rows,
        }
    }
}

impl<T> Page<T> {
    /// Is there more in the direction that was asked for?
    pub(super) const fn has_more(&self, asked: PageRequest) -> bool {
        match asked.from {
            PageStart::NewerThan(_) => self.newer.is_some(),
            PageStart::Newest | PageStart::OlderThan(_) => self.older.is_some(),
        }
    }

    /// It goes on behind `last`, which need not be on it; and where nothing is on it, back from there as well.
    pub(super) fn continue_after(mut self, asked: PageRequest, last: Uuid) -> Self {
        let (older, newer) = (Some(PageStart::OlderThan(last)), Some(PageStart::NewerThan(last)));
        let empty = self.rows.is_empty();
        match asked.from {
            PageStart::NewerThan(_) => {
                (self.newer, self.older) = (newer, if empty { older } else { self.older })
            }
            PageStart::OlderThan(_) => {
                (self.older, self.newer) = (older, if empty { newer } else { self.newer })
            }
            PageStart::Newest => self.older = older,
        }
        self
    }
}

impl<T> Page<(Uuid, Option<T>)> {
    /// Without what could not be understood.
    pub(super) fn skip_unreadable(self) -> Page<T> {
        Page {
            rows: self.rows.into_iter().filter_map(|(_, row)| row).collect(),
            older: self.older,
            newer: self.newer,
        }
    }
}
