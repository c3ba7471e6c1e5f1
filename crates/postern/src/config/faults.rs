use std::fmt::Write;

/// All errors of a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} error(s):{}", .0.len(), format_list(.0))]
pub struct Faults(pub(super) Vec<String>);

fn format_list(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut text, fault| {
        write!(text, "\n  - {fault}").expect("writing to a string does not fail");
        text
    })
}

impl Faults {
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }
}
