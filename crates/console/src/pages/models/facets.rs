//! The choices beside the list, each with how many models it would leave.

use switchyard_domain::model::{Modality, Parameter};

use super::{
    shelf::REGIONS,
    sift::Sieve,
    wanted::{CONTEXTS, Facet, PRICES, Wanted},
};

/// Choices that are seen at once; the others are behind a word.
const SEEN_AT_ONCE: usize = 8;

/// Parameters that people choose models by come first.
const PARAMETERS_FIRST: [Parameter; 6] = [
    Parameter::Tools,
    Parameter::StructuredOutputs,
    Parameter::Reasoning,
    Parameter::ResponseFormat,
    Parameter::Seed,
    Parameter::Logprobs,
];

/// Choices about one thing.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) seen: Vec<Choice>,
    pub(super) more: Vec<Choice>,
    /// Whether one of the others is on.
    pub(super) is_open: bool,
}

/// One choice.
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) label: String,
    pub(super) count: usize,
    pub(super) is_on: bool,
}

/// A choice of one among steps.
pub(super) struct Select {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) options: Vec<Choice>,
}

pub(super) fn groups(sieve: &Sieve<'_>, wanted: &Wanted, is_signed_in: bool) -> Vec<Group> {
    let mut mine = vec![Facet::Zdr, Facet::Free];
    if is_signed_in {
        mine.push(Facet::Own);
    }
    let mut parameters: Vec<_> = PARAMETERS_FIRST.to_vec();
    let others = Parameter::ALL.iter().copied();
    parameters.extend(others.filter(|one| !PARAMETERS_FIRST.contains(one)));
    let group = |title, facets| Group::of(title, facets, sieve, wanted);
    let mut groups = vec![
        group("Terms", mine),
        group(
            "Reads",
            Modality::ALL.iter().map(|one| Facet::Input(*one)).collect(),
        ),
        group(
            "Writes",
            Modality::ALL
                .iter()
                .map(|one| Facet::Output(*one))
                .collect(),
        ),
        group(
            "Can",
            parameters.into_iter().map(Facet::Parameter).collect(),
        ),
        group("Stays in", (0..REGIONS.len()).map(Facet::Region).collect()),
    ];
    groups.push(providers(sieve, wanted));
    groups.retain(|group| !group.seen.is_empty());
    groups
}

pub(super) fn selects(sieve: &Sieve<'_>, wanted: &Wanted) -> [Select; 2] {
    let choice = |facet| Choice::of(facet, sieve, wanted);
    [
        Select {
            name: "context",
            title: "Context, at least",
            options: CONTEXTS
                .iter()
                .map(|(min, _)| choice(Facet::Context(*min)))
                .collect(),
        },
        Select {
            name: "price",
            title: "Price of 1M input tokens, at most",
            options: PRICES
                .iter()
                .map(|(max, _)| choice(Facet::Price(*max)))
                .collect(),
        },
    ]
}

/// Those with the most models first.
fn providers(sieve: &Sieve<'_>, wanted: &Wanted) -> Group {
    let catalog = &sieve.offer.catalog;
    let slugs = catalog
        .providers
        .iter()
        .map(|one| one.slug.as_str().to_owned());
    let mut choices: Vec<_> = slugs
        .map(|slug| Choice::of(Facet::Provider(slug), sieve, wanted))
        .filter(Choice::is_worth_showing)
        .collect();
    choices.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    Group::folded("Provider", choices)
}

impl Group {
    fn of(title: &'static str, facets: Vec<Facet>, sieve: &Sieve<'_>, wanted: &Wanted) -> Self {
        let choices = facets
            .into_iter()
            .map(|facet| Choice::of(facet, sieve, wanted));
        Self::folded(title, choices.filter(Choice::is_worth_showing).collect())
    }

    fn folded(title: &'static str, mut seen: Vec<Choice>) -> Self {
        let more = seen.split_off(seen.len().min(SEEN_AT_ONCE));
        Self {
            title,
            is_open: more.iter().any(|choice| choice.is_on),
            seen,
            more,
        }
    }
}

impl Choice {
    fn of(facet: Facet, sieve: &Sieve<'_>, wanted: &Wanted) -> Self {
        let (name, value) = (facet.name(), facet.value());
        Self {
            id: format!("f-{name}-{value}"),
            label: label(&facet, sieve, wanted),
            count: sieve.count_with(wanted, &facet),
            is_on: wanted.has(&facet),
            name,
            value,
        }
    }

    /// One that leaves nothing is shown only so that it can be taken back.
    fn is_worth_showing(&self) -> bool {
        self.is_on || self.count > 0
    }
}

/// What a condition is called.
pub(super) fn label(facet: &Facet, sieve: &Sieve<'_>, wanted: &Wanted) -> String {
    match facet {
        Facet::Search => format!("“{}”", wanted.search),
        Facet::Input(one) | Facet::Output(one) => modality(*one).to_owned(),
        Facet::Parameter(one) => one.as_str().replace('_', " "),
        Facet::Context(min) => {
            let found = CONTEXTS.iter().find(|(step, _)| step == min);
            format!("{} tokens", found.map_or("", |(_, name)| name))
        }
        Facet::Price(max) => crate::ui::usd_per_million(*max),
        Facet::Zdr => "Zero data retention".to_owned(),
        Facet::Own => "My credential".to_owned(),
        Facet::Free => "Free".to_owned(),
        Facet::Region(one) => REGIONS[*one].1.to_owned(),
        Facet::Provider(slug) => {
            let provider = sieve.offer.catalog.provider(slug);
            provider.map_or_else(|| slug.clone(), |provider| provider.name.to_string())
        }
    }
}

/// What is read of a condition on its own, apart from its group.
pub(super) fn spoken(facet: &Facet, sieve: &Sieve<'_>, wanted: &Wanted) -> String {
    let label = label(facet, sieve, wanted);
    match facet {
        Facet::Input(_) => format!("reads {label}"),
        Facet::Output(_) => format!("writes {label}"),
        Facet::Context(_) => format!("context of at least {label}"),
        Facet::Price(_) => format!("input for at most {label}"),
        Facet::Region(_) => format!("stays in: {label}"),
        Facet::Provider(_) => format!("at {label}"),
        Facet::Search | Facet::Parameter(_) | Facet::Zdr | Facet::Own | Facet::Free => label,
    }
}

pub(super) const fn modality(one: Modality) -> &'static str {
    match one {
        Modality::Text => "text",
        Modality::Image => "images",
        Modality::File => "files",
        Modality::Audio => "audio",
        Modality::Video => "video",
        Modality::Embeddings => "embeddings",
        Modality::Rerank => "relevance",
        Modality::Speech => "speech",
        Modality::Transcription => "transcripts",
    }
}
