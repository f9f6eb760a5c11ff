//! The raw settings and where each comes from. `config.default.toml` names all there are.

use std::{collections::BTreeMap, fmt, path::Path};

const DEFAULTS: &str = include_str!("../../config.default.toml");
const ENV_PREFIX: &str = "SWITCHYARD__";
/// Settings whose values are not shown if they hold a password.
const ADDRESSES: [&str; 4] = [
    "database.url",
    "redis.url",
    "vault.aws_kms.endpoint",
    "vault.transit.address",
];
/// Settings whose values are never shown.
const SECRETS: [&str; 5] = [
    "vault.environment.key",
    "vault.aws_kms.secret_access_key",
    "mail.password",
    "vault.aws_kms.session_token",
    "vault.transit.token",
];
/// AWS's own variables. They belong together, so they count only where none of the three is set.
const AWS_VARIABLES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "vault.aws_kms.access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "vault.aws_kms.secret_access_key"),
    ("AWS_SESSION_TOKEN", "vault.aws_kms.session_token"),
];

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(String),
    Environment(String),
    /// A command decided it, such as `demo`.
    Command,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Command => f.write_str("command"),
        }
    }
}

/// One setting's value, as text, and who set it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl fmt::Debug for Setting {
    /// The value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)
    }
}

/// All settings by dotted name.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    settings: BTreeMap<String, Setting>,
    faults: Vec<String>,
}

impl Layers {
    /// Defaults, then the file, then the environment.
    pub(crate) fn gather(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Self {
        let defaults = toml::from_str(DEFAULTS).expect("config.default.toml is valid TOML");
        let mut layers = Self {
            settings: BTreeMap::new(),
            faults: Vec::new(),
        };
        for (name, value) in flatten(&defaults) {
            layers.settings.insert(
                name,
                Setting {
                    value,
                    origin: Origin::Default,
                },
            );
        }
        if let Some(path) = file {
            layers.add_file(path);
        }
        layers.add_environment(environment);
        layers
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.faults
                    .push(format!("{shown}: cannot be read: {error}"));
                return;
            }
        };
        match toml::from_str::<toml::Table>(&text) {
            Ok(table) => {
                for (name, value) in flatten(&table) {
                    self.set(&name, value, Origin::File(shown.clone()));
                }
            }
            Err(error) => self
                .faults
                .push(format!("{shown}: not valid TOML: {error}")),
        }
    }

    fn add_environment(&mut self, environment: impl Iterator<Item = (String, String)>) {
        let mut variables: Vec<(String, String)> = environment.collect();
        // The long form wins over the short one.
        variables.sort_by_key(|(variable, _)| variable.starts_with(ENV_PREFIX));
        let mut aws = Vec::new();
        for (variable, value) in variables {
            if let Some((_, name)) = AWS_VARIABLES.iter().find(|(aws, _)| *aws == variable) {
                aws.push((*name, value, variable));
                continue;
            }
            let name = match variable.as_str() {
                "DATABASE_URL" => "database.url".to_owned(),
                "REDIS_URL" => "redis.url".to_owned(),
                long => match long.strip_prefix(ENV_PREFIX) {
                    Some(rest) => rest.to_lowercase().replace("__", "."),
                    None => continue,
                },
            };
            self.set(&name, value, Origin::Environment(variable));
        }
        let is_unset = |(_, name): &(_, &str)| self.get(name).origin == Origin::Default;
        if AWS_VARIABLES.iter().all(is_unset) {
            for (name, value, variable) in aws {
                self.set(name, value, Origin::Environment(variable));
            }
        }
    }

    fn set(&mut self, name: &str, value: String, origin: Origin) {
        match self.settings.get_mut(name) {
            Some(setting) => *setting = Setting { value, origin },
            None => self.faults.push(format!(
                "{origin}: there is no setting `{name}`; `switchyard config show` lists all"
            )),
        }
    }

    /// Sets a value unless somebody chose another.
    pub(crate) fn suggest(&mut self, name: &str, value: String) {
        let setting = self
            .settings
            .get_mut(name)
            .expect("commands suggest known settings only");
        if setting.origin == Origin::Default {
            *setting = Setting {
                value,
                origin: Origin::Command,
            };
        }
    }

    /// Sets a value that a command depends on.
    pub(crate) fn insist(&mut self, name: &str, value: String) {
        let setting = self
            .settings
            .get_mut(name)
            .expect("commands insist on known settings only");
        *setting = Setting {
            value,
            origin: Origin::Command,
        };
    }

    pub(crate) fn get(&self, name: &str) -> &Setting {
        self.settings
            .get(name)
            .expect("the code reads settings that config.default.toml names")
    }

    /// Every setting for display; secrets and addresses that may hold a password are masked.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&str, String, &Origin)> {
        self.settings.iter().map(|(name, setting)| {
            let (name_text, value) = (name.as_str(), &setting.value);
            let is_hidden = (SECRETS.contains(&name_text) && !value.is_empty())
                || (ADDRESSES.contains(&name_text) && value.contains('@'));
            let value = if is_hidden {
                "(hidden)".to_owned()
            } else {
                setting.value.clone()
            };
            (name.as_str(), value, &setting.origin)
        })
    }

    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }
}

fn flatten(table: &toml::Table) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => flat.extend(
                flatten(inner)
                    .into_iter()
                    .map(|(rest, value)| (format!("{name}.{rest}"), value)),
            ),
            toml::Value::Array(items) => {
                let items: Vec<String> = items.iter().map(plain).collect();
                flat.push((name.clone(), items.join(",")));
            }
            scalar => flat.push((name.clone(), plain(scalar))),
        }
    }
    flat
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
