//! Settings from environment variables. The type of a setting's default decides how its text is
//! read, so that `12345` is a text where a text is expected.

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    providers::{Env, Format, Toml},
    value::{Dict, Map, Value},
};

use super::defaults::DEFAULT;

const PREFIX: &str = "POSTERN__";
const SEPARATOR: &str = "__";

/// The variables that begin with `POSTERN__`, as paths of settings with their texts.
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// Name of this provider in the metadata of its values.
    pub const NAME: &str = "environment";

    /// Reads the environment of the process.
    pub fn of_process() -> Self {
        let variables = Env::prefixed(PREFIX).split(SEPARATOR);
        Self(variables.iter().map(|(path, text)| (path.as_str().to_owned(), text)).collect())
    }

    /// Name of the variable of a setting.
    pub fn variable(path: &str) -> String {
        format!("{PREFIX}{}", path.to_ascii_uppercase().replace('.', SEPARATOR))
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(Self::NAME)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let defaults = Figment::from(Toml::string(DEFAULT));
        let mut settings = Dict::new();
        for (path, text) in &self.0 {
            let value = match defaults.find_value(path) {
                Ok(Value::String(..)) => Value::from(text.as_str()),
                _ => text.parse().expect("parsing a value does not fail"),
            };
            insert(&mut settings, path, value);
        }
        Ok(Profile::Default.collect(settings))
    }
}

/// Inserts the value of a setting. A value of a whole section is kept: it is reported as an error.
fn insert(settings: &mut Dict, path: &str, value: Value) {
    let Some((section, rest)) = path.split_once('.') else {
        settings.insert(path.to_owned(), value);
        return;
    };
    let section = settings.entry(section.to_owned()).or_insert_with(|| Dict::new().into());
    if let Value::Dict(_, section) = section {
        insert(section, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Faults};

    fn read(variables: &[(&str, &str)]) -> Result<Config, Faults> {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Config::read(Environment(variables.iter().map(own).collect()))
    }

    #[test]
    fn texts_may_look_like_values_of_other_types() {
        for text in ["12345", "true", "1e5", "0x10", "[a]", "{a=1}", "\"a\"", "'a'", " a ", "1.0"] {
            let config = read(&[("tokens.audience", text)]).expect("each text is an audience");
            assert_eq!(config.api.tokens.audience, text, "the text is used unchanged");
        }
    }

    #[test]
    fn other_types_are_parsed() {
        let config = read(&[
            ("tokens.access_minutes", "20"),
            ("database.prepared_statements", "false"),
            ("server.cors_origins", r#"["https://a.example", "https://b.example"]"#),
            ("tokens.keys_dir", "2026"),
            ("log.format", "json"),
        ])
        .expect("the values are valid");
        assert_eq!(config.api.tokens.access_minutes, 20);
        assert!(!config.database.prepared_statements, "a truth value is read");
        assert_eq!(config.api.server.cors_origins, ["https://a.example", "https://b.example"]);
        assert_eq!(config.api.tokens.keys_dir.to_str(), Some("2026"), "a path may be digits");
    }

    #[test]
    fn errors_name_the_variable() {
        let faults = read(&[("tokens.access_minutes", "ten"), ("tokens.refresh_days", "1.5")]);
        let faults = faults.err().expect("the values are invalid").to_string();
        for expected in [
            "tokens.access_minutes: expected a whole number, found a string; must be from 1 to 60 \
             (set by POSTERN__TOKENS__ACCESS_MINUTES)",
            "tokens.refresh_days: expected a whole number, found a decimal number; must be from 1 \
             to 365 (set by POSTERN__TOKENS__REFRESH_DAYS)",
        ] {
            assert!(faults.contains(expected), "{expected} is reported: {faults}");
        }
    }
}
