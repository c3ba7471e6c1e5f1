//! Operations by the problems that they can return, for the pages of the problems.

use std::collections::BTreeMap;

use actix_web::web;

use super::{
    code::Code,
    document::problems,
    input::{FromInput, Input},
    problem::Problem,
    routes::{Routes, actix_method},
};

/// An operation on a page.
#[derive(Debug, Clone)]
pub struct OperationRef {
    pub id: &'static str,
    pub tag: String,
    pub method: String,
    pub path: String,
}

/// Operations by problem code.
#[derive(Debug, Clone)]
pub struct ProblemOperations {
    by_code: BTreeMap<&'static str, Vec<OperationRef>>,
    total: usize,
}

impl ProblemOperations {
    pub fn new(routes: &Routes) -> Self {
        let mut by_code: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mounted in routes.mounted() {
            let operation = OperationRef {
                id: mounted.row.id,
                tag: mounted.document.tags.iter().flatten().next().cloned().unwrap_or_default(),
                method: actix_method(&mounted.method).to_string(),
                path: mounted.path.clone(),
            };
            for code in problems::codes(mounted) {
                by_code.entry(code.name()).or_default().push(operation.clone());
            }
        }
        Self { by_code, total: routes.mounted().len() }
    }

    /// Operations that can return the problem.
    pub fn of(&self, code: Code) -> &[OperationRef] {
        self.by_code.get(code.name()).map_or(&[], Vec::as_slice)
    }

    /// Whether each operation can return the problem.
    pub fn all_return(&self, code: Code) -> bool {
        self.of(code).len() == self.total
    }
}

impl FromInput for web::Data<ProblemOperations> {
    fn from_input(input: &Input) -> Result<Self, Problem> {
        Ok(input.request.app_data::<Self>().expect("the server provides them").clone())
    }
}
