//! What may be said of a workspace.

use serde::{
    Deserialize as _,
    de::{
        IntoDeserializer as _,
        value::{Error as Unknown, StrDeserializer},
    },
};
use serde_json::{Map, Value, json};
use switchyard_domain::{id::WorkspaceId, patch::Patch};
use switchyard_interchange::preferences::SortKey;
use switchyard_store::tenancy::WorkspaceName;

use super::{Workspace, WorkspaceEdit, WorkspaceError};
use crate::limits::{
    WORKSPACE_DESCRIPTION_CHARS_MAX, WORKSPACE_NAME_CHARS_MAX, WORKSPACE_SLUG_CHARS_MAX,
};

/// A change that may be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checked {
    pub(super) name: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) sort: Option<Option<SortKey>>,
}

/// How somebody names a workspace; `None` for what names none.
pub(super) fn name_of(text: &str) -> Option<WorkspaceName> {
    if let Ok(id) = text.parse::<WorkspaceId>() {
        return Some(WorkspaceName::Id(id));
    }
    is_slug(text).then(|| WorkspaceName::Slug(text.to_owned()))
}

/// Segments of small letters and digits, single hyphens between them. No id looks like that.
fn is_slug(text: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= WORKSPACE_SLUG_CHARS_MAX && text.split('-').all(is_segment)
}

fn invalid(field: &str, message: String) -> WorkspaceError {
    WorkspaceError::Invalid {
        field: field.to_owned(),
        message,
    }
}

impl WorkspaceEdit {
    pub(super) fn checked(self) -> Result<Checked, WorkspaceError> {
        if let Some(name) = &self.name
            && (name.trim().is_empty() || name.chars().count() > WORKSPACE_NAME_CHARS_MAX)
        {
            let message = format!("must have 1 to {WORKSPACE_NAME_CHARS_MAX} characters");
            return Err(invalid("name", message));
        }
        if let Some(slug) = &self.slug
            && !is_slug(slug)
        {
            let message = format!(
                "must be at most {WORKSPACE_SLUG_CHARS_MAX} small letters and digits with single \
                 hyphens between them, such as `team-a`"
            );
            return Err(invalid("slug", message));
        }
        if let Patch::Set(description) = &self.description
            && description.chars().count() > WORKSPACE_DESCRIPTION_CHARS_MAX
        {
            let message = format!("may have {WORKSPACE_DESCRIPTION_CHARS_MAX} characters");
            return Err(invalid("description", message));
        }
        Ok(Checked {
            name: self.name,
            slug: self.slug,
            description: stated(self.description),
            sort: match self.default_provider_sort {
                Patch::Keep => None,
                Patch::Clear => Some(None),
                Patch::Set(sort) => Some(Some(sort_of(&sort)?)),
            },
        })
    }
}

fn stated<T>(patch: Patch<T>) -> Option<Option<T>> {
    patch.is_mentioned().then(|| patch.given())
}

fn sort_of(text: &str) -> Result<SortKey, WorkspaceError> {
    let name: StrDeserializer<'_, Unknown> = text.into_deserializer();
    SortKey::deserialize(name).map_err(|_| {
        let message = "must be price, throughput, latency, exacto or expected_cost, or null";
        invalid("default_provider_sort", message.to_owned())
    })
}

impl Checked {
    pub(super) const fn is_nothing(&self) -> bool {
        self.name.is_none()
            && self.slug.is_none()
            && self.description.is_none()
            && self.sort.is_none()
    }

    /// What is mentioned, as it shall be.
    pub(super) fn told(&self) -> Value {
        self.only_mentioned(json!({
            "name": self.name,
            "slug": self.slug,
            "description": self.description.as_ref().and_then(Option::as_ref),
            "default_provider_sort": self.sort.flatten(),
        }))
    }

    /// What is mentioned, as it was.
    pub(super) fn told_before(&self, before: &Workspace) -> Value {
        self.only_mentioned(json!({
            "name": before.row.name,
            "slug": before.row.slug,
            "description": before.row.description,
            "default_provider_sort": before.default_provider_sort,
        }))
    }

    fn only_mentioned(&self, all: Value) -> Value {
        let mentioned = [
            ("name", self.name.is_some()),
            ("slug", self.slug.is_some()),
            ("description", self.description.is_some()),
            ("default_provider_sort", self.sort.is_some()),
        ];
        let members = mentioned
            .into_iter()
            .filter(|(_, is_mentioned)| *is_mentioned)
            .map(|(name, _)| (name.to_owned(), all[name].clone()));
        Value::Object(members.collect::<Map<_, _>>())
    }
}
