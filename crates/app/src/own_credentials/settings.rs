//! What an owner may say of a credential, checked before it is stored.

use std::str::FromStr;

use switchyard_catalog::snapshot::{Catalog, Family};
use switchyard_domain::{
    id::{AccountId, PersonId},
    patch::Patch,
    provider::ProviderSlug,
};
use switchyard_store::own_credential::{CredentialSettings, StoredSection};

use super::{OwnCredentialError, OwnCredentials};
use crate::{
    limits::{CREDENTIAL_FILTER_ENTRIES_MAX, CREDENTIAL_NAME_CHARS_MAX},
    own_credentials::CredentialChange,
};

const REGIONS: [&str; 3] = ["global", "europe", "us"];
const HASH_CHARS: usize = 64;
/// Characters of a public hash that keys are found by.
const LOOKUP_CHARS: usize = 32;

fn invalid(field: &str, message: impl Into<String>) -> OwnCredentialError {
    OwnCredentialError::Invalid {
        field: Some(field.to_owned()),
        message: message.into(),
    }
}

/// The family of a provider that credentials can be stored for.
pub(crate) fn family_of(
    catalog: &Catalog,
    provider: &ProviderSlug,
) -> Result<Family, OwnCredentialError> {
    let row = catalog.provider(provider.as_str()).ok_or_else(|| {
        invalid(
            "provider",
            "is not in the catalogue; GET /api/v1/providers lists the slugs",
        )
    })?;
    if row.byok_supported == Some(false) {
        return Err(invalid(
            "provider",
            "does not give credentials to customers, so none can be stored for it",
        ));
    }
    row.family.ok_or_else(|| {
        invalid(
            "provider",
            "speaks a protocol that is not supported yet, so a credential for it could not be used",
        )
    })
}

impl CredentialChange {
    /// The settings as they shall be.
    pub(super) fn over(&self, current: &CredentialSettings) -> CredentialSettings {
        let mut settings = current.clone();
        settings.name = self.name.clone().over(settings.name);
        settings.disabled = self.disabled.unwrap_or(settings.disabled);
        settings.section = match self.is_fallback {
            Some(true) => StoredSection::Fallback,
            Some(false) => StoredSection::Prioritized,
            None => settings.section,
        };
        settings.is_required = self.is_required.unwrap_or(settings.is_required);
        settings.is_byok_only = self.is_byok_only.unwrap_or(settings.is_byok_only);
        settings.declared_zdr = self.declared_zdr.over(settings.declared_zdr);
        settings.declared_region = self.declared_region.clone().over(settings.declared_region);
        let filters = &mut settings.filters;
        filters.models = self.allowed_models.clone().over(filters.models.take());
        filters.api_key_hashes = self
            .allowed_api_key_hashes
            .clone()
            .over(filters.api_key_hashes.take());
        filters.user_ids = self.allowed_user_ids.clone().over(filters.user_ids.take());
        settings
    }

    /// The same settings, all of them stated.
    pub(super) fn stating(settings: &CredentialSettings) -> Self {
        let filters = &settings.filters;
        Self {
            name: stated(settings.name.clone()),
            disabled: Some(settings.disabled),
            is_fallback: Some(settings.section == StoredSection::Fallback),
            is_required: Some(settings.is_required),
            is_byok_only: Some(settings.is_byok_only),
            declared_zdr: stated(settings.declared_zdr),
            declared_region: stated(settings.declared_region.clone()),
            allowed_models: stated(filters.models.clone()),
            allowed_api_key_hashes: stated(filters.api_key_hashes.clone()),
            allowed_user_ids: stated(filters.user_ids.clone()),
            secret: None,
        }
    }

    /// What was mentioned, by the names that owners know.
    pub(super) fn mentioned(&self) -> Vec<&'static str> {
        [
            ("name", self.name.is_mentioned()),
            ("disabled", self.disabled.is_some()),
            ("is_fallback", self.is_fallback.is_some()),
            ("is_required", self.is_required.is_some()),
            ("is_byok_only", self.is_byok_only.is_some()),
            ("declared_zdr", self.declared_zdr.is_mentioned()),
            ("declared_region", self.declared_region.is_mentioned()),
            ("allowed_models", self.allowed_models.is_mentioned()),
            (
                "allowed_api_key_hashes",
                self.allowed_api_key_hashes.is_mentioned(),
            ),
            ("allowed_user_ids", self.allowed_user_ids.is_mentioned()),
            ("key", self.secret.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, mentioned)| mentioned.then_some(name))
        .collect()
    }
}

fn stated<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Keep, Patch::Set)
}

/// What can be told from the settings as they shall be.
pub(super) fn check_together(settings: &CredentialSettings) -> Result<(), OwnCredentialError> {
    if settings.is_byok_only && settings.section == StoredSection::Fallback {
        return Err(invalid(
            "is_byok_only",
            "cannot go with `is_fallback`: a fallback credential comes after the paid capacity that \
             this would rule out",
        ));
    }
    Ok(())
}

impl OwnCredentials {
    /// What was mentioned: lists that were right when they were stored are not doubted again.
    pub(super) async fn check_mentioned(
        &self,
        account: AccountId,
        catalog: &Catalog,
        change: &CredentialChange,
    ) -> Result<(), OwnCredentialError> {
        if let Patch::Set(name) = &change.name
            && (name.chars().count() > CREDENTIAL_NAME_CHARS_MAX
                || name.trim().is_empty()
                || name.contains(char::is_control))
        {
            return Err(invalid(
                "name",
                format!(
                    "must have 1 to {CREDENTIAL_NAME_CHARS_MAX} characters, none that controls"
                ),
            ));
        }
        if let Patch::Set(region) = &change.declared_region
            && !REGIONS.contains(&region.as_str())
        {
            return Err(invalid("declared_region", "must be global, europe or us"));
        }
        if let Patch::Set(models) = &change.allowed_models {
            check_list("allowed_models", models)?;
            check_models(catalog, models)?;
        }
        if let Patch::Set(hashes) = &change.allowed_api_key_hashes {
            check_list("allowed_api_key_hashes", hashes)?;
            self.check_hashes(account, hashes).await?;
        }
        if let Patch::Set(people) = &change.allowed_user_ids {
            check_list("allowed_user_ids", people)?;
            self.check_people(account, people).await?;
        }
        Ok(())
    }

    async fn check_hashes(
        &self,
        account: AccountId,
        hashes: &[String],
    ) -> Result<(), OwnCredentialError> {
        const FIELD: &str = "allowed_api_key_hashes";
        let is_hex = |hash: &String| {
            hash.len() == HASH_CHARS
                && hash
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if let Some(place) = hashes.iter().position(|hash| !is_hex(hash)) {
            return Err(invalid(
                &format!("{FIELD}[{place}]"),
                "is not the hash of an API key: 64 lower-case hexadecimal digits",
            ));
        }
        let now = self.clock.now();
        for (place, hash) in hashes.iter().enumerate() {
            let stored = self
                .directory
                .key_by_lookup_id(&hash[..LOOKUP_CHARS])
                .await?;
            let is_live = stored.is_some_and(|stored| {
                let key = stored.key;
                key.account_id == account
                    && key.hash == *hash
                    && key.expires_at.is_none_or(|end| now < end)
            });
            if !is_live {
                return Err(invalid(
                    &format!("{FIELD}[{place}]"),
                    "is not the hash of an API key that this account has",
                ));
            }
        }
        Ok(())
    }

    async fn check_people(
        &self,
        account: AccountId,
        people: &[String],
    ) -> Result<(), OwnCredentialError> {
        let stranger = |place: usize| {
            invalid(
                &format!("allowed_user_ids[{place}]"),
                "is not the id of a member of this account",
            )
        };
        let mut ids = Vec::with_capacity(people.len());
        for (place, person) in people.iter().enumerate() {
            ids.push(PersonId::from_str(person).map_err(|_| stranger(place))?);
        }
        let members = self.store.members_among(account, &ids).await?;
        match ids.iter().position(|id| !members.contains(id)) {
            Some(place) => Err(stranger(place)),
            None => Ok(()),
        }
    }
}

fn check_list(field: &str, entries: &[String]) -> Result<(), OwnCredentialError> {
    if entries.is_empty() {
        return Err(invalid(
            field,
            "must not be empty: `null` opens the credential to all, `disabled` closes it",
        ));
    }
    if entries.len() > CREDENTIAL_FILTER_ENTRIES_MAX {
        return Err(invalid(
            field,
            format!("may have at most {CREDENTIAL_FILTER_ENTRIES_MAX} entries"),
        ));
    }
    let repeated = (1..entries.len()).find(|place| entries[..*place].contains(&entries[*place]));
    match repeated {
        Some(place) => Err(invalid(
            &format!("{field}[{place}]"),
            "is in the list already",
        )),
        None => Ok(()),
    }
}

fn check_models(catalog: &Catalog, models: &[String]) -> Result<(), OwnCredentialError> {
    for (place, id) in models.iter().enumerate() {
        if catalog
            .model(id)
            .is_some_and(|model| model.id.as_str() == id)
        {
            continue;
        }
        let message = match catalog.alias_target(id) {
            Some(model) => format!(
                "is a moving name; name the model itself, now `{}`",
                model.id
            ),
            None => "is not a model of the catalogue; GET /api/v1/models lists them".to_owned(),
        };
        return Err(invalid(&format!("allowed_models[{place}]"), message));
    }
    Ok(())
}
