//! Pages of lists, newest first, with links in both directions. Ids sort by creation time, so an id
//! is a complete cursor.

use sea_orm::{
    Order,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use uuid::Uuid;

/// Start of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart {
    /// The newest row.
    Newest,
    /// The first row older than this one.
    OlderThan(Uuid),
    /// The rows that are newer than this one and closest to it.
    NewerThan(Uuid),
}

/// A requested page.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    pub from: PageStart,
    /// Maximum number of rows, 1 to 100.
    pub limit: u64,
}

/// A page, and the starts of the adjacent pages, if there are any.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub older: Option<PageStart>,
    pub newer: Option<PageStart>,
}

impl PageRequest {
    /// Restricts a query to this page by the id in `column`, plus one row that shows whether there
    /// is a next page.
    pub(super) fn apply(self, query: &mut SelectStatement, column: impl Into<Expr>) {
        self.ordered(query, column).limit(self.limit + 1);
    }

    /// Restricts a query to rows from the start of this page on, and sorts it, by the id in
    /// `column`.
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
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let backwards = matches!(self.from, PageStart::NewerThan(_));
        if backwards {
            rows.reverse();
        }
        // The page that the request came from always exists.
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
    /// Reports whether there are more rows in the requested direction.
    pub(super) const fn has_more(&self, request: PageRequest) -> bool {
        match request.from {
            PageStart::NewerThan(_) => self.newer.is_some(),
            PageStart::Newest | PageStart::OlderThan(_) => self.older.is_some(),
        }
    }

    /// Makes the page continue after `last`, which need not be on it; for an empty page, in both
    /// directions.
    pub(super) fn continue_after(mut self, request: PageRequest, last: Uuid) -> Self {
        let (older, newer) = (Some(PageStart::OlderThan(last)), Some(PageStart::NewerThan(last)));
        let empty = self.rows.is_empty();
        match request.from {
            PageStart::NewerThan(_) => {
                (self.newer, self.older) = (newer, if empty { older } else { self.older });
            }
            PageStart::OlderThan(_) => {
                (self.older, self.newer) = (older, if empty { newer } else { self.newer });
            }
            PageStart::Newest => self.older = older,
        }
        self
    }
}

impl<T> Page<(Uuid, Option<T>)> {
    /// Drops the rows that could not be read.
    pub(super) fn skip_unreadable(self) -> Page<T> {
        Page {
            rows: self.rows.into_iter().filter_map(|(_, row)| row).collect(),
            older: self.older,
            newer: self.newer,
        }
    }
}
