//! How a credential is doing, and what helps.

use switchyard_app::own_credentials::{
    CredentialCondition, CredentialState, OwnCredentialRow, StoredSection,
};

/// A state: the kind of its mark, and the word.
pub(super) fn state_of(row: &OwnCredentialRow) -> (&'static str, &'static str) {
    if row.settings.disabled {
        return ("plain", "Disabled");
    }
    match row.state.as_ref().map(|state| state.condition) {
        Some(CredentialCondition::Ok) => ("ok", "Working"),
        Some(CredentialCondition::Failing) => ("danger", "Failing"),
        Some(CredentialCondition::Unchecked) | None => ("info", "Unchecked"),
    }
}

/// What the provider answered last when it refused, as long as it has not taken the key since.
pub(super) fn trouble(row: &OwnCredentialRow) -> Option<Trouble> {
    let state = row.state.as_ref()?;
    (state.condition == CredentialCondition::Failing).then(|| Trouble::of(state))
}

/// A refusal and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: String,
    pub(super) means: String,
    pub(super) fix: &'static str,
}

impl Trouble {
    fn of(state: &CredentialState) -> Self {
        Self {
            status: state
                .last_error_status
                .map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
            means: state.last_error.clone().unwrap_or_default(),
            fix: fix(state.last_error_status),
        }
    }
}

/// What helps against a status.
pub(super) const fn fix(status: Option<u16>) -> &'static str {
    match status {
        Some(401) => {
            "The provider does not know this key. Make a new one there and replace it here."
        }
        Some(403) => {
            "The provider knows the key and does not let it do this. Allow the model, the region or the project for it there."
        }
        Some(402) => "The account at the provider has no credit left. Add some there.",
        Some(429) => {
            "The key's quota at the provider is used up. Raise it there, or let another key stand in."
        }
        Some(404) => {
            "The provider does not have the model or the deployment. Check its name there."
        }
        _ => "Check the key again in a minute. If it stays so, look at the provider's status page.",
    }
}

/// What becomes of our capacity at its provider, in a sentence.
pub(super) fn paid_words(row: &OwnCredentialRow) -> &'static str {
    let settings = &row.settings;
    match (
        settings.is_byok_only,
        settings.is_required,
        settings.section,
    ) {
        (true, ..) => "Paid capacity is never used at this provider",
        (false, true, _) => "Always used: no paid capacity for the models it is for",
        (false, false, StoredSection::Fallback) => "Tried after paid capacity",
        (false, false, StoredSection::Prioritized) => {
            "Paid capacity stands in when it cannot serve"
        }
    }
}

/// What it is called.
pub(super) fn name_of(row: &OwnCredentialRow) -> &str {
    row.settings.name.as_deref().unwrap_or(&row.label)
}

/// Whom it is for, in a few words.
pub(super) fn filters_words(row: &OwnCredentialRow) -> String {
    let filters = &row.settings.filters;
    let count = |list: &Option<Vec<String>>, one: &str, many: &str| {
        let count = list.as_ref()?.len();
        Some(format!("{count} {}", if count == 1 { one } else { many }))
    };
    let parts: Vec<String> = [
        count(&filters.models, "model", "models"),
        count(&filters.api_key_hashes, "API key", "API keys"),
        count(&filters.user_ids, "person", "people"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "Everything".to_owned()
    } else {
        parts.join(", ")
    }
}
