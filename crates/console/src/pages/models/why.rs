//! Why something is not offered: the rule, who set it, and where it can be changed.

use switchyard_app::{explain::Exclusion, offer::Offer};
use switchyard_catalog::snapshot::Model;
use switchyard_domain::authority::Capability;

use crate::visit::Visit;

/// A reason and the page that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) text: String,
    pub(crate) place: Option<Place>,
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) href: &'static str,
    pub(crate) name: &'static str,
}

const PRIVACY: Place = Place {
    href: "/privacy",
    name: "Privacy and routing",
};
const CREDENTIALS: Place = Place {
    href: "/byok",
    name: "Provider keys",
};
const KEYS: Place = Place {
    href: "/keys",
    name: "API keys",
};

impl Why {
    /// What stands against an endpoint, for whoever looks.
    pub(crate) fn of(exclusion: &Exclusion, visit: &Visit) -> Self {
        let may = |capability| {
            let visitor = visit.visitor.as_ref();
            visitor.is_some_and(|visitor| visitor.may(capability))
        };
        let (place, needs) = match (exclusion.rule.as_str(), exclusion.scope.as_str()) {
            ("not_callable", _) if exclusion.is_about_credentials() => {
                (Some(CREDENTIALS), Capability::ManageCredentials)
            }
            (_, "account" | "workspace") => (Some(PRIVACY), Capability::ManagePrivacy),
            (_, "key") => (Some(KEYS), Capability::ManageApiKeys),
            _ => (None, Capability::ManagePrivacy),
        };
        let set_by = match exclusion.scope.as_str() {
            "account" => ", set by the account",
            "workspace" => ", set by the workspace",
            "member" => ", set for you",
            "key" => ", set by the API key",
            "request" => ", asked for by the request",
            _ => "",
        };
        let text = format!(
            "{}{set_by}: {}.",
            rule_name(&exclusion.rule),
            exclusion.detail
        );
        Self {
            text,
            place: place.filter(|_| may(needs)),
        }
    }
}

/// What stands against a model of which nothing is left.
pub(crate) fn of_nothing(offer: &Offer, model: &Model, visit: &Visit) -> Why {
    match offer.why_nothing(model) {
        Some(exclusion) => Why::of(&exclusion, visit),
        None => Why {
            text: "No provider serves it.".to_owned(),
            place: None,
        },
    }
}

fn rule_name(rule: &str) -> String {
    match rule {
        "not_callable" => "Not to be called",
        "service_tier" => "Service tier",
        "geo" => "Not offered in your country",
        "data_region" => "Data region",
        "model_not_allowed" => "Allowed models",
        "allowed_providers" => "Allowed providers",
        "ignored" => "Ignored providers",
        "training" => "No training on prompts",
        "publication" => "No publication of prompts",
        "zdr" => "Zero data retention",
        "context_length" => "Context length",
        "max_price" => "Price ceiling",
        other => return capitalized(&other.replace('_', " ")),
    }
    .to_owned()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
