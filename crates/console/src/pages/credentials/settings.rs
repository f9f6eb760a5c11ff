//! What an owner says of a credential beside its secret, on a form.

use std::collections::HashMap;

use switchyard_app::{
    api_keys::KeyQuery,
    own_credentials::{CredentialFilters, CredentialSettings, StoredSection},
    people::sessions::Visitor,
};

use super::{Sent, secret};
use crate::{
    Console,
    error::PageError,
    form::Faults,
    pages::keys::{names_of_people, sight_of},
};

/// When it is tried.
pub(super) const SECTIONS: &[(&str, &str, &str)] = &[
    ("prioritized", "First", "Before paid capacity."),
    (
        "fallback",
        "As a fallback",
        "After paid capacity could not serve.",
    ),
];

/// What becomes of paid capacity.
pub(super) const PAID: &[(&str, &str, &str)] = &[
    (
        "never",
        "Never use paid capacity at this provider",
        "Where this key cannot serve, the request goes to other providers or fails. Nothing is charged to your credit at this provider.",
    ),
    (
        "required",
        "Always use this key for the models it is for",
        "Paid capacity at this provider serves other models only.",
    ),
    (
        "may",
        "Paid capacity may stand in",
        "Where this key is refused or used up, your credit pays.",
    ),
];

/// The settings as a form has them.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) section: String,
    pub(super) paid: String,
    pub(super) models: String,
    pub(super) keys: Vec<String>,
    pub(super) people: Vec<String>,
    pub(super) declared_zdr: bool,
}

/// Something that can be chosen: a key or a person.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

impl Form {
    /// What is there before anybody said anything: no paid capacity.
    pub(super) fn new() -> Self {
        Self {
            section: "prioritized".to_owned(),
            paid: "never".to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn of(settings: &CredentialSettings) -> Self {
        let filters = &settings.filters;
        let paid = match (settings.is_byok_only, settings.is_required) {
            (true, _) => "never",
            (false, true) => "required",
            (false, false) => "may",
        };
        Self {
            name: settings.name.clone().unwrap_or_default(),
            section: settings.section.as_str().to_owned(),
            paid: paid.to_owned(),
            models: filters.models.clone().unwrap_or_default().join("\n"),
            keys: filters.api_key_hashes.clone().unwrap_or_default(),
            people: filters.user_ids.clone().unwrap_or_default(),
            declared_zdr: settings.declared_zdr == Some(true),
        }
    }

    pub(super) fn read(sent: &Sent) -> Self {
        Self {
            name: sent.get("name").to_owned(),
            section: sent.get("section").to_owned(),
            paid: sent.get("paid").to_owned(),
            models: sent.lines("models").join("\n"),
            keys: sent.all("keys"),
            people: sent.all("people"),
            declared_zdr: sent.get("declared_zdr") == "true",
        }
    }

    /// The settings that it says; what is wrong is said at its field.
    pub(super) fn settings(&self, disabled: bool, faults: &mut Faults) -> CredentialSettings {
        let section = match self.section.as_str() {
            "fallback" => StoredSection::Fallback,
            "prioritized" => StoredSection::Prioritized,
            _ => {
                faults.add("section", "Choose when it is tried.");
                StoredSection::Prioritized
            }
        };
        if !PAID.iter().any(|(name, ..)| *name == self.paid) {
            faults.add("paid", "Choose what becomes of paid capacity.");
        }
        if section == StoredSection::Fallback && self.paid == "never" {
            faults.add(
                "paid",
                "A fallback comes after paid capacity, so it cannot rule it out. Try the key first, or let paid capacity serve.",
            );
        }
        let list = |entries: Vec<String>| (!entries.is_empty()).then_some(entries);
        CredentialSettings {
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            disabled,
            section,
            is_required: self.paid == "required",
            is_byok_only: self.paid == "never",
            declared_zdr: self.declared_zdr.then_some(true),
            declared_region: None,
            filters: CredentialFilters {
                models: list(self.models.lines().map(str::to_owned).collect()),
                api_key_hashes: list(self.keys.clone()),
                user_ids: list(self.people.clone()),
            },
        }
    }

    /// Whether it is for some only.
    pub(super) fn is_filtered(&self) -> bool {
        !self.models.is_empty() || !self.keys.is_empty() || !self.people.is_empty()
    }

    /// API keys of the workspace, and which of them are chosen.
    pub(super) async fn key_choices(
        &self,
        console: &Console,
        visitor: &Visitor,
    ) -> Result<Vec<Choice>, PageError> {
        let query = KeyQuery {
            workspace_id: Some(visitor.workspace_id()),
            sight: switchyard_app::api_keys::KeySight {
                management: false,
                ..sight_of(visitor)
            },
            expired: Some(false),
            ..KeyQuery::default()
        };
        let (keys, _) = console.app.api_keys(visitor.account_id(), query).await?;
        let mut choices: Vec<Choice> = keys
            .into_iter()
            .map(|one| Choice {
                is_chosen: self.keys.contains(&one.key.hash),
                name: format!("{} ({})", one.key.name, one.key.label),
                value: one.key.hash,
            })
            .collect();
        // Keys of elsewhere, or that are gone, stay chosen until somebody takes them out.
        for hash in &self.keys {
            if !choices.iter().any(|choice| choice.value == *hash) {
                let start: String = hash.chars().take(12).collect();
                choices.push(Choice {
                    value: hash.clone(),
                    name: format!("Another key ({start}…)"),
                    is_chosen: true,
                });
            }
        }
        Ok(choices)
    }

    /// The people of the account, and which of them are chosen.
    pub(super) async fn people_choices(
        &self,
        console: &Console,
        visitor: &Visitor,
    ) -> Result<Vec<Choice>, PageError> {
        let names: HashMap<_, _> = names_of_people(console, visitor).await?;
        let mut choices: Vec<Choice> = names
            .into_iter()
            .map(|(id, name)| {
                let value = id.to_string();
                Choice {
                    is_chosen: self.people.contains(&value),
                    name,
                    value,
                }
            })
            .collect();
        choices.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(choices)
    }
}

/// Where a complaint about `field` stands on the form, and what the field is called there.
pub(super) fn field_of(field: &str) -> (String, &'static str) {
    let plain = field.split('[').next().unwrap_or(field);
    match plain {
        "name" => return ("name".to_owned(), "The name"),
        "allowed_models" => return ("models".to_owned(), "One of the models"),
        "allowed_api_key_hashes" => return ("keys".to_owned(), "One of the API keys"),
        "allowed_user_ids" => return ("people".to_owned(), "One of the people"),
        "is_byok_only" => return ("paid".to_owned(), "This"),
        _ => {}
    }
    // Of a secret: `key`, `key.region`, `key.[1].region`.
    let part = field.rsplit('.').next().unwrap_or(field);
    let known = secret::label(part);
    if known == "The key" {
        ("secret".to_owned(), known)
    } else {
        (part.to_owned(), known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_stand_at_the_field_that_people_see() {
        for (field, at) in [
            ("key", "secret"),
            ("key.region", "region"),
            ("key.[1].resource_name", "resource_name"),
            ("key.private_key", "secret"),
            ("allowed_models[2]", "models"),
            ("is_byok_only", "paid"),
        ] {
            assert_eq!(field_of(field).0, at, "{field}");
        }
    }

    #[test]
    fn a_new_credential_uses_no_paid_capacity() {
        let mut faults = Faults::default();
        let settings = Form::new().settings(false, &mut faults);
        assert!(faults.is_empty() && settings.is_byok_only && !settings.is_required);
        let fallback = Form {
            section: "fallback".to_owned(),
            ..Form::new()
        };
        fallback.settings(false, &mut faults);
        assert!(faults.at("paid").is_some(), "a fallback rules nothing out");
    }

    #[test]
    fn settings_come_back_as_they_were() {
        let mut faults = Faults::default();
        let form = Form {
            name: "team".to_owned(),
            paid: "required".to_owned(),
            models: "acme/oak\nacme/elm".to_owned(),
            ..Form::new()
        };
        let settings = form.settings(false, &mut faults);
        let again = Form::of(&settings);
        assert_eq!(
            (again.name, again.paid, again.models, again.section),
            (form.name, form.paid, form.models, form.section)
        );
    }
}
