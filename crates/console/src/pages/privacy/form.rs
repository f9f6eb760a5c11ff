//! The rules as a form has them.

use switchyard_app::policies::{Rules, SortKey, UnsupportedFeatures, ZdrGroups};

use crate::form::Faults;

/// Groups of models: the field, what it is called, and whose models they are.
pub(super) const ZDR_GROUPS: &[(&str, &str, &str)] = &[
    ("zdr_anthropic", "Anthropic's models", ""),
    ("zdr_openai", "OpenAI's models", ""),
    ("zdr_google", "Google's models", ""),
    ("zdr_xai", "xAI's models", ""),
    ("zdr_other", "Everybody else's models", ""),
];

pub(super) const TRAINING: &[(&str, &str)] = &[
    ("", "No rule here"),
    ("allow", "Allowed"),
    ("deny", "Not allowed"),
];

pub(super) const SORTS: &[(&str, &str)] = &[
    ("", "No rule here: price and health, balanced"),
    ("price", "The cheapest first"),
    ("throughput", "The most tokens per second first"),
    ("latency", "The quickest first token first"),
    ("exacto", "The best at calling tools first"),
    (
        "expected_cost",
        "The least real cost first, caches weighed in",
    ),
];

const SORT_KEYS: [SortKey; 5] = [
    SortKey::Price,
    SortKey::Throughput,
    SortKey::Latency,
    SortKey::Exacto,
    SortKey::ExpectedCost,
];

pub(super) const UNSUPPORTED: &[(&str, &str)] = &[
    ("", "No rule here"),
    ("refuse", "Do not use the endpoint"),
    ("drop", "Leave them out where nothing supports them"),
];

pub(super) const YES_NO: &[(&str, &str)] =
    &[("", "No rule here"), ("allow", "Yes"), ("deny", "No")];

/// Entries of one list at most.
const ENTRIES_MAX: usize = 200;
const ENTRY_CHARS_MAX: usize = 200;

/// Fields that are texts, in the order of the form.
const TEXTS: [&str; 11] = [
    "paid_training",
    "free_training",
    "free_publication",
    "allowed_providers",
    "ignored_providers",
    "allowed_models",
    "ignored_models",
    "regions",
    "sort",
    "unsupported",
    "signed_receipts",
];

/// What was sent, or what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(fields: &[(String, String)]) -> Self {
        let is_known = |name: &str| {
            TEXTS.contains(&name)
                || name == "trust_declared_zdr"
                || ZDR_GROUPS.iter().any(|(group, ..)| *group == name)
        };
        let known = fields.iter().filter(|(name, _)| is_known(name));
        Self(known.cloned().collect())
    }

    pub(super) fn of(rules: &Rules) -> Self {
        let may = |allowed: Option<bool>| match allowed {
            None => "",
            Some(true) => "allow",
            Some(false) => "deny",
        };
        let lines = |names: &Option<Vec<String>>| names.clone().unwrap_or_default().join("\n");
        let mut fields = vec![
            ("paid_training", may(rules.allow_paid_training).to_owned()),
            ("free_training", may(rules.allow_free_training).to_owned()),
            (
                "free_publication",
                may(rules.allow_free_publication).to_owned(),
            ),
            ("allowed_providers", lines(&rules.allowed_providers)),
            ("ignored_providers", rules.ignored_providers.join("\n")),
            ("allowed_models", lines(&rules.allowed_models)),
            ("ignored_models", rules.ignored_models.join("\n")),
            ("regions", lines(&rules.allowed_data_regions)),
            ("sort", rules.default_sort.map_or("", sort_value).to_owned()),
            (
                "unsupported",
                match rules.unsupported_features {
                    None => "",
                    Some(UnsupportedFeatures::Refuse) => "refuse",
                    Some(UnsupportedFeatures::Drop) => "drop",
                }
                .to_owned(),
            ),
            ("signed_receipts", may(rules.signed_receipts).to_owned()),
        ];
        if rules.trust_declared_zdr == Some(true) {
            fields.push(("trust_declared_zdr", "true".to_owned()));
        }
        for (name, ..) in ZDR_GROUPS {
            if group(&rules.zdr, name) {
                fields.push((name, "true".to_owned()));
            }
        }
        let fields = fields.into_iter();
        Self(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// Every field, to be sent again.
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// The rules that it says. What the form does not have stays as it is in `current`.
    pub(super) fn rules(&self, current: &Rules, is_account: bool, faults: &mut Faults) -> Rules {
        let mut choice = |name: &'static str| match self.get(name) {
            "" => None,
            "allow" => Some(true),
            "deny" => Some(false),
            _ => {
                faults.add(name, "Choose one of the list.");
                None
            }
        };
        let (paid, free) = (choice("paid_training"), choice("free_training"));
        let (publication, receipts) = (choice("free_publication"), choice("signed_receipts"));
        let allowed_providers = self.list("allowed_providers", faults);
        let ignored_providers = self.list("ignored_providers", faults);
        let allowed_models = self.list("allowed_models", faults);
        let ignored_models = self.list("ignored_models", faults);
        let regions = self.list("regions", faults);
        let only = |names: Vec<String>| (!names.is_empty()).then_some(names);
        Rules {
            allowed_providers: only(allowed_providers),
            ignored_providers,
            allowed_models: only(allowed_models),
            ignored_models,
            zdr: ZdrGroups {
                anthropic: self.is_on("zdr_anthropic"),
                openai: self.is_on("zdr_openai"),
                google: self.is_on("zdr_google"),
                xai: self.is_on("zdr_xai"),
                other: self.is_on("zdr_other"),
            },
            allow_paid_training: paid,
            allow_free_training: free,
            allow_free_publication: publication,
            allowed_data_regions: only(regions),
            trust_declared_zdr: if is_account {
                self.is_on("trust_declared_zdr").then_some(true)
            } else {
                current.trust_declared_zdr
            },
            default_sort: self.sort(faults),
            default_service_tier: current.default_service_tier,
            unsupported_features: match self.get("unsupported") {
                "refuse" => Some(UnsupportedFeatures::Refuse),
                "drop" => Some(UnsupportedFeatures::Drop),
                _ => None,
            },
            signed_receipts: receipts,
        }
    }

    fn sort(&self, faults: &mut Faults) -> Option<SortKey> {
        let wanted = self.get("sort");
        let found = SORT_KEYS.iter().find(|key| sort_value(**key) == wanted);
        if found.is_none() && !wanted.is_empty() {
            faults.add("sort", "Choose one of the list.");
        }
        found.copied()
    }

    /// Names, one a line or with commas between.
    fn list(&self, name: &'static str, faults: &mut Faults) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for part in self.get(name).split(['\n', ',']) {
            let part = part.trim();
            if part.is_empty() || names.iter().any(|known| known == part) {
                continue;
            }
            if part.chars().count() > ENTRY_CHARS_MAX || part.chars().any(char::is_control) {
                faults.add(name, "Write one name a line.");
                return Vec::new();
            }
            names.push(part.to_owned());
        }
        if names.len() > ENTRIES_MAX {
            faults.add(name, format!("Name at most {ENTRIES_MAX}."));
        }
        names
    }
}

/// Whether zero data retention is demanded for a group.
pub(super) fn group(zdr: &ZdrGroups, field: &str) -> bool {
    match field {
        "zdr_anthropic" => zdr.anthropic,
        "zdr_openai" => zdr.openai,
        "zdr_google" => zdr.google,
        "zdr_xai" => zdr.xai,
        "zdr_other" => zdr.other,
        _ => false,
    }
}

const fn sort_value(sort: SortKey) -> &'static str {
    match sort {
        SortKey::Price => "price",
        SortKey::Throughput => "throughput",
        SortKey::Latency => "latency",
        SortKey::Exacto => "exacto",
        SortKey::ExpectedCost => "expected_cost",
    }
}

pub(super) const fn sort_name(sort: SortKey) -> &'static str {
    match sort {
        SortKey::Price => "The cheapest first",
        SortKey::Throughput => "The most tokens per second first",
        SortKey::Latency => "The quickest first token first",
        SortKey::Exacto => "The best at calling tools first",
        SortKey::ExpectedCost => "The least real cost first, caches weighed in",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_back_as_they_were() {
        let rules = Rules {
            allowed_providers: Some(vec!["alder".to_owned(), "birch".to_owned()]),
            ignored_models: vec!["acme/*".to_owned()],
            zdr: ZdrGroups {
                openai: true,
                ..ZdrGroups::default()
            },
            allow_free_training: Some(false),
            trust_declared_zdr: Some(true),
            default_sort: Some(SortKey::Latency),
            signed_receipts: Some(true),
            ..Rules::default()
        };
        let mut faults = Faults::default();
        let again = Form::of(&rules).rules(&Rules::default(), true, &mut faults);
        assert!(faults.is_empty());
        assert_eq!(again, rules);
    }

    #[test]
    fn an_empty_form_rules_nothing_and_keeps_what_it_does_not_show() {
        let mut faults = Faults::default();
        let trusting = Rules {
            trust_declared_zdr: Some(true),
            ..Rules::default()
        };
        let rules = Form::default().rules(&trusting, false, &mut faults);
        assert_eq!(
            rules, trusting,
            "a workspace's form does not have the switch"
        );
        let rules = Form::default().rules(&trusting, true, &mut faults);
        assert_eq!(rules, Rules::default());
    }

    #[test]
    fn names_are_read_line_by_line_and_once() {
        let fields = [("regions".to_owned(), "eu\r\n eu, us\n".to_owned())];
        let mut faults = Faults::default();
        let rules = Form::read(&fields).rules(&Rules::default(), true, &mut faults);
        assert_eq!(
            rules.allowed_data_regions,
            Some(vec!["eu".to_owned(), "us".to_owned()])
        );
    }
}
