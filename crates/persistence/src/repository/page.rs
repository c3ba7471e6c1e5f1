//! Pages of lists, newest first. Ids sort by when they were made, so an id is all that a page needs to go on from.

use sea_orm::{
    Order,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use uuid::Uuid;

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// The last id of the page before; none for the first page.
    pub after: Option<Uuid>,
    /// How many rows at the most; 1 to 100.
    pub limit: u64,
}

/// A page, and the id to go on from if there is more.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<Uuid>,
}

impl PageRequest {
    /// Restricts a query to this page by the id in `column`, and to one row more, which tells whether there is a next.
    pub(super) fn apply(self, query: &mut SelectStatement, column: impl Into<Expr>) {
        let column = column.into();
        if let Some(after) = self.after {
            query.and_where(column.clone().lt(after));
        }
        query.order_by_expr(column, Order::Desc).limit(self.limit + 1);
    }

    pub(super) fn cut<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = if more { rows.last().map(id) } else { None };
        Page { rows, next }
    }
}
