//! What of the log is asked for: all of it stands in the address.

use serde::Deserialize;
use switchyard_app::audit::AuditFilter;
use switchyard_domain::clock::Timestamp;

/// What is asked for. Every field is a parameter of the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(super) actor: String,
    /// What it begins with.
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) via: String,
    pub(super) workspace: String,
    pub(super) ip: String,
    pub(super) request: String,
    /// The first day, such as `2026-11-24`, in UTC.
    pub(super) from: String,
    /// The last day.
    pub(super) until: String,
    /// The number of the last entry on the page before.
    #[serde(deserialize_with = "number")]
    pub(super) before: Option<i64>,
}

/// A number, or nothing where there is no text.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// A filter that is on.
pub(super) struct Chip {
    pub(super) field: &'static str,
    pub(super) relation: &'static str,
    pub(super) value: String,
    /// The page without it.
    pub(super) href: String,
}

impl Asked {
    /// Everything that somebody did.
    pub(super) fn by(actor: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            ..Self::default()
        }
    }

    /// Parameters that are set, but for the place in the list.
    fn set(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("subject", &self.subject),
            ("via", &self.via),
            ("workspace", &self.workspace),
            ("ip", &self.ip),
            ("request", &self.request),
            ("from", &self.from),
            ("until", &self.until),
        ];
        let set = all.into_iter().map(|(name, text)| (name, text.trim()));
        set.filter(|(_, text)| !text.is_empty()).collect()
    }

    pub(super) fn filter(&self) -> AuditFilter {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        AuditFilter {
            actor: text(&self.actor),
            action: text(&self.action),
            subject: text(&self.subject),
            via: text(&self.via),
            workspace_id: self.workspace.trim().parse().ok(),
            ip: text(&self.ip),
            request_id: text(&self.request),
            from: day(&self.from),
            until: day(&self.until).map(|day| day.plus(std::time::Duration::from_secs(86_400))),
        }
    }

    /// The page from there on.
    pub(super) fn address(&self, before: Option<i64>) -> String {
        let before = before.map(|number| number.to_string());
        let place = before.as_deref().map(|number| ("before", number));
        address("/audit", self.set().into_iter().chain(place))
    }

    pub(super) fn export_address(&self, format: &str) -> String {
        address(&format!("/audit/export.{format}"), self.set())
    }

    pub(super) fn chips(&self) -> Vec<Chip> {
        let set = self.set();
        let chip = |(name, value): &(&'static str, &str)| {
            let (field, relation) = match *name {
                "actor" => ("Who", "is"),
                "action" => ("What", "begins with"),
                "subject" => ("Target", "is"),
                "via" => ("Via", "is"),
                "workspace" => ("Workspace", "is"),
                "ip" => ("Address", "is"),
                "request" => ("Request", "is"),
                "from" => ("Day", "from"),
                _ => ("Day", "until"),
            };
            let others = set.iter().copied().filter(|(other, _)| other != name);
            Chip {
                field,
                relation,
                value: (*value).to_owned(),
                href: address("/audit", others),
            }
        };
        set.iter().map(chip).collect()
    }
}

fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}

fn day(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_asked_for() {
        let asked = Asked {
            actor: "user_1".to_owned(),
            action: "api_key.".to_owned(),
            until: "2026-11-24".to_owned(),
            before: Some(9),
            ..Asked::default()
        };
        assert_eq!(
            asked.address(Some(7)),
            "/audit?actor=user_1&action=api_key.&until=2026-11-24&before=7"
        );
        assert_eq!(
            asked.export_address("csv"),
            "/audit/export.csv?actor=user_1&action=api_key.&until=2026-11-24"
        );
        let chips = asked.chips();
        assert_eq!(chips.len(), 3);
        assert_eq!(chips[0].href, "/audit?action=api_key.&until=2026-11-24");
        let until = asked.filter().until.expect("a day");
        assert_eq!(until.to_rfc3339(), "2026-11-25T00:00:00Z");
        assert_eq!(Asked::default().address(None), "/audit");
    }
}
