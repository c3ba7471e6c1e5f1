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
        if rows.is_empty() {
            return self.empty_page();
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

    /// A page without rows, because there are none or they were removed after its cursor was
    /// issued. It leads back to the row that the cursor names, and not onwards: a client that
    /// follows its cursors in one direction stops.
    const fn empty_page<T>(self) -> Page<T> {
        let (older, newer) = match self.from {
            PageStart::Newest => (None, None),
            PageStart::OlderThan(id) => (None, Some(PageStart::NewerThan(neighbor(id, -1)))),
            PageStart::NewerThan(id) => (Some(PageStart::OlderThan(neighbor(id, 1))), None),
        };
        Page { rows: Vec::new(), older, newer }
    }
}

/// The id next to another in the order of ids, so that a page that excludes it includes the other.
const fn neighbor(id: Uuid, step: i128) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add_signed(step))
}

impl<T> Page<T> {
    /// Reports whether there are more rows in the requested direction.
    pub(super) const fn has_more(&self, request: PageRequest) -> bool {
        match request.from {
            PageStart::NewerThan(_) => self.newer.is_some(),
            PageStart::Newest | PageStart::OlderThan(_) => self.older.is_some(),
        }
    }

    /// Makes the page continue after `last`, which need not be on it, in the requested direction.
    pub(super) const fn continue_after(mut self, request: PageRequest, last: Uuid) -> Self {
        match request.from {
            PageStart::NewerThan(_) => self.newer = Some(PageStart::NewerThan(last)),
            PageStart::Newest | PageStart::OlderThan(_) => {
                self.older = Some(PageStart::OlderThan(last));
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn page(from: PageStart, ids: &[u128]) -> Page<Uuid> {
        let rows = ids.iter().map(|id| Uuid::from_u128(*id)).collect();
        PageRequest { from, limit: 2 }.into_page(rows, |id| *id)
    }

    #[test]
    fn empty_page_leads_back_to_the_row_of_its_cursor() {
        let empty = page(PageStart::OlderThan(ID), &[]);
        assert_eq!(empty.older, None, "there are no older rows");
        assert_eq!(
            empty.newer,
            Some(PageStart::NewerThan(Uuid::from_u128(6))),
            "the page of newer rows includes the row of the cursor"
        );
        let empty = page(PageStart::NewerThan(ID), &[]);
        assert_eq!(empty.newer, None, "there are no newer rows");
        assert_eq!(
            empty.older,
            Some(PageStart::OlderThan(Uuid::from_u128(8))),
            "the page of older rows includes the row of the cursor"
        );
        let empty = page(PageStart::Newest, &[]);
        assert_eq!((empty.older, empty.newer), (None, None), "an empty list has no other pages");
    }

    #[test]
    fn the_first_and_the_last_id_have_no_neighbor_beyond() {
        assert_eq!(neighbor(Uuid::nil(), -1), Uuid::nil(), "there is no id before the first");
        assert_eq!(neighbor(Uuid::max(), 1), Uuid::max(), "there is no id after the last");
    }
}
