//! Settings from environment variables. The type of a setting's default decides how its text is
//! read, so that `12345` is a text where a text is expected.

use std::{env, ffi::OsString};

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use super::{defaults::DEFAULT, faults::Fault};

const PREFIX: &str = "POSTERN__";
const SEPARATOR: &str = "__";

/// The variables that begin with `POSTERN__`, as paths of settings with their texts.
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// Name of this provider in the metadata of its values.
    pub const NAME: &str = "environment";

    /// Reads the environment of the process. Returns the errors of names and texts, too.
    pub fn of_process() -> (Self, Vec<Fault>) {
        Self::of(env::vars_os())
    }

    fn of(variables: impl Iterator<Item = (OsString, OsString)>) -> (Self, Vec<Fault>) {
        let (mut settings, mut faults) = (Vec::new(), Vec::new());
        for (name, text) in variables {
            let name = name.to_string_lossy();
            let is_ours = name.as_bytes().get(..PREFIX.len());
            if !is_ours.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes())) {
                continue;
            }
            let text = text.into_string().map_err(|_| "must be UTF-8".to_owned());
            match path(&name).and_then(|path| Ok((path, text?))) {
                Ok(setting) => settings.push(setting),
                Err(cause) => faults.push(Fault::of_variable(&name, cause)),
            }
        }
        faults.sort_by(|one, other| one.setting.cmp(&other.setting));
        (Self(settings), faults)
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

/// Path of the setting that a variable sets.
fn path(variable: &str) -> Result<String, String> {
    // One spelling: of two, one would be ignored.
    let upper = variable.to_ascii_uppercase();
    if upper != variable {
        return Err(format!("variables are in upper case; rename it to {upper}"));
    }
    let parts: Vec<&str> = variable[PREFIX.len()..].split(SEPARATOR).collect();
    let is_name = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if parts.len() > 2 || !parts.iter().all(is_name) {
        return Err("must name a section and a setting, such as POSTERN__SERVER__LISTEN".to_owned());
    }
    Ok(parts.join(".").to_ascii_lowercase())
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
    use std::os::unix::ffi::OsStringExt;

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

    #[test]
    fn errors_of_lists_name_each_element() {
        let faults = read(&[("server.trusted_proxies", r#"["10.0.0.1/33", 5, -5, "x"]"#)]);
        let faults = faults.err().expect("the list is invalid").to_string();
        for expected in ["found 5, -5 in it (set by POSTERN__SERVER__", "found 10.0.0.1/33, x (set"]
        {
            assert!(faults.contains(expected), "{expected} is reported: {faults}");
        }
    }

    #[test]
    fn invalid_names_and_texts_are_reported() {
        let invalid = OsString::from_vec(b"\xff".to_vec());
        let variables = [
            ("POSTERN__", "1".into()),
            ("POSTERN__SERVER__", "1".into()),
            ("POSTERN____LISTEN", "x".into()),
            ("POSTERN__LOG__FORMAT__", "xml".into()),
            ("POSTERN__LOG__FORMAT__X", "xml".into()),
            ("POSTERN__LOG.FORMAT", "xml".into()),
            ("POSTERN__log__format", "xml".into()),
            ("POSTERN__LOG__FORMAT", "json".into()),
            ("postern__LOG__FILTER", "warn".into()),
            ("POSTERN__TOKENS__AUDIENCE", invalid),
            ("POSTERN_TOKEN", "x".into()),
            ("PÖSTERN__", "x".into()),
        ];
        let variables = variables.map(|(name, text): (_, OsString)| (name.into(), text));
        let (environment, faults) = Environment::of(variables.into_iter());
        let name = "must name a section and a setting, such as POSTERN__SERVER__LISTEN";
        let expected = [
            format!("POSTERN__: {name}"),
            format!("POSTERN__LOG.FORMAT: {name}"),
            format!("POSTERN__LOG__FORMAT__: {name}"),
            format!("POSTERN__LOG__FORMAT__X: {name}"),
            format!("POSTERN__SERVER__: {name}"),
            "POSTERN__TOKENS__AUDIENCE: must be UTF-8".to_owned(),
            format!("POSTERN____LISTEN: {name}"),
            "POSTERN__log__format: variables are in upper case; rename it to POSTERN__LOG__FORMAT"
                .to_owned(),
            "postern__LOG__FILTER: variables are in upper case; rename it to POSTERN__LOG__FILTER"
                .to_owned(),
        ];
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        assert_eq!(environment.0, [("log.format".to_owned(), "json".to_owned())]);
    }
}
