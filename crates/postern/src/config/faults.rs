use std::fmt::{self, Display, Formatter, Write};

/// All errors of a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} error(s):{}", .0.len(), format_list(.0))]
pub struct Faults(pub(super) Vec<Fault>);

/// An error of a setting, or of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the setting, or the name of a variable; empty for an error of a whole file.
    pub setting: String,
    /// The error; `None` if the accepted values state it.
    pub cause: Option<String>,
    /// Accepted values.
    pub accepted: Option<String>,
    /// File or environment variable that sets it, such as `set in postern.toml`.
    pub origin: Option<String>,
}

impl Fault {
    pub fn of_file(cause: String) -> Self {
        Self { setting: String::new(), cause: Some(cause), accepted: None, origin: None }
    }

    /// An error of an environment variable that sets nothing.
    pub fn of_variable(name: &str, cause: String) -> Self {
        Self { setting: name.to_owned(), ..Self::of_file(cause) }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        let texts: Vec<&str> =
            [&self.cause, &self.accepted].into_iter().filter_map(Option::as_deref).collect();
        f.write_str(&texts.join("; "))?;
        self.origin.as_ref().map_or(Ok(()), |origin| write!(f, " ({origin})"))
    }
}

fn format_list(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |mut text, fault| {
        write!(text, "\n  - {fault}").expect("writing to a string does not fail");
        text
    })
}
