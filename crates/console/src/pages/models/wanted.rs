//! What an address asks for. The same wish always has the same address.

use switchyard_domain::model::{Modalities, Modality, Parameter, Parameters};
use url::form_urlencoded::{Serializer, parse};

/// The longest search, in characters.
const SEARCH_CHARS_MAX: usize = 100;
/// More of anything repeated is not looked at.
const REPEATS_MAX: usize = 100;

/// Rows of a page that can be asked for.
pub(super) const PER_PAGE: [usize; 3] = [25, 50, 100];

/// Context lengths that can be asked for, at least.
pub(super) const CONTEXTS: [(u64, &str); 5] = [
    (32_000, "32k"),
    (128_000, "128k"),
    (200_000, "200k"),
    (400_000, "400k"),
    (1_000_000, "1M"),
];

/// Prices of a million input tokens that can be asked for, at most: in micro-dollars.
pub(super) const PRICES: [(i64, &str); 5] = [
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (3_000_000, "3"),
    (10_000_000, "10"),
];

/// What the list goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    #[default]
    Newest,
    Cheapest,
    Dearest,
    Context,
    Name,
}

impl Sort {
    pub(super) const ALL: [(Self, &str, &str); 5] = [
        (Self::Newest, "newest", "Newest"),
        (Self::Cheapest, "price", "Price, lowest first"),
        (Self::Dearest, "-price", "Price, highest first"),
        (Self::Context, "context", "Context, longest first"),
        (Self::Name, "name", "Name"),
    ];

    pub(super) fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(sort, _, _)| *sort == self);
        found.map_or("newest", |(_, name, _)| name)
    }
}

/// One condition that can be added and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Facet {
    Search,
    Input(Modality),
    Output(Modality),
    Parameter(Parameter),
    Context(u64),
    Price(i64),
    Zdr,
    Own,
    Free,
    Region(usize),
    Provider(String),
}

/// Which models are asked for. All conditions must hold; of several regions or providers one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) search: String,
    pub(super) inputs: Modalities,
    pub(super) outputs: Modalities,
    pub(super) parameters: Parameters,
    pub(super) context_min: Option<u64>,
    /// Micro-dollars per million input tokens, which are pico-dollars per token.
    pub(super) price_max: Option<i64>,
    pub(super) zdr: bool,
    pub(super) own: bool,
    pub(super) free: bool,
    /// Indexes into [`super::shelf::REGIONS`].
    pub(super) regions: Vec<usize>,
    /// By slug.
    pub(super) providers: Vec<String>,
    pub(super) sort: Sort,
    /// From 0.
    pub(super) page: usize,
    /// `None` is the usual number.
    pub(super) per_page: Option<usize>,
    /// Those that are not offered instead of those that are.
    pub(super) hidden: bool,
}

impl Wanted {
    /// What a query asks for. What cannot be understood is not asked for.
    pub(super) fn parse(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in parse(query.as_bytes()) {
            wanted.take(&name, value.trim());
        }
        wanted
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "q" => self.search = value.chars().take(SEARCH_CHARS_MAX).collect(),
            "sort" => {
                let found = Sort::ALL.iter().find(|(_, name, _)| *name == value);
                self.sort = found.map(|(sort, _, _)| *sort).unwrap_or_default();
            }
            "page" => self.page = value.parse().unwrap_or(1_usize).saturating_sub(1),
            "per" => {
                let count = value.parse().ok();
                self.per_page = count.filter(|count| PER_PAGE[1..].contains(count));
            }
            "hidden" => self.hidden = value == "1",
            _ => {
                if let Some(facet) = Facet::parse(name, value) {
                    self.add(facet);
                }
            }
        }
    }

    fn add(&mut self, facet: Facet) {
        match facet {
            Facet::Search => {}
            Facet::Input(one) => self.inputs = self.inputs.with(one),
            Facet::Output(one) => self.outputs = self.outputs.with(one),
            Facet::Parameter(one) => self.parameters = self.parameters.with(one),
            Facet::Context(min) => self.context_min = Some(min),
            Facet::Price(max) => self.price_max = Some(max),
            Facet::Zdr => self.zdr = true,
            Facet::Own => self.own = true,
            Facet::Free => self.free = true,
            Facet::Region(one) if !self.regions.contains(&one) => self.regions.push(one),
            Facet::Provider(one)
                if !self.providers.contains(&one) && self.providers.len() < REPEATS_MAX =>
            {
                self.providers.push(one);
            }
            Facet::Region(_) | Facet::Provider(_) => {}
        }
        self.regions.sort_unstable();
        self.providers.sort_unstable();
    }

    /// The same with this condition, in the place of others of which only one can hold.
    pub(super) fn only(&self, facet: Facet) -> Self {
        let mut wanted = self.clone();
        match facet {
            Facet::Region(_) => wanted.regions.clear(),
            Facet::Provider(_) => wanted.providers.clear(),
            _ => {}
        }
        wanted.add(facet);
        wanted
    }

    /// The same without this condition, from the first page on.
    pub(super) fn without(&self, facet: &Facet) -> Self {
        let mut wanted = self.clone();
        wanted.page = 0;
        match facet {
            Facet::Search => wanted.search.clear(),
            Facet::Input(one) => wanted.inputs = wanted.inputs.without(*one),
            Facet::Output(one) => wanted.outputs = wanted.outputs.without(*one),
            Facet::Parameter(one) => wanted.parameters = wanted.parameters.without(*one),
            Facet::Context(_) => wanted.context_min = None,
            Facet::Price(_) => wanted.price_max = None,
            Facet::Zdr => wanted.zdr = false,
            Facet::Own => wanted.own = false,
            Facet::Free => wanted.free = false,
            Facet::Region(one) => wanted.regions.retain(|other| other != one),
            Facet::Provider(one) => wanted.providers.retain(|other| other != one),
        }
        wanted
    }

    /// Whether the condition is among those asked for.
    pub(super) fn has(&self, facet: &Facet) -> bool {
        self.without(facet)
            != Self {
                page: 0,
                ..self.clone()
            }
    }

    /// Every condition that is asked for.
    pub(super) fn facets(&self) -> Vec<Facet> {
        let search = (!self.search.is_empty()).then_some(Facet::Search);
        let mut facets: Vec<Facet> = search.into_iter().collect();
        facets.extend(self.inputs.iter().map(Facet::Input));
        facets.extend(self.outputs.iter().map(Facet::Output));
        facets.extend(self.context_min.map(Facet::Context));
        facets.extend(self.price_max.map(Facet::Price));
        facets.extend(self.parameters.iter().map(Facet::Parameter));
        facets.extend(self.zdr.then_some(Facet::Zdr));
        facets.extend(self.own.then_some(Facet::Own));
        facets.extend(self.free.then_some(Facet::Free));
        facets.extend(self.regions.iter().map(|one| Facet::Region(*one)));
        facets.extend(self.providers.iter().cloned().map(Facet::Provider));
        facets
    }

    /// Rows of a page.
    pub(super) fn per_page(&self) -> usize {
        self.per_page.unwrap_or(PER_PAGE[0])
    }

    /// Where this is found.
    pub(super) fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        for facet in self.facets() {
            let value = match &facet {
                Facet::Search => self.search.clone(),
                _ => facet.value(),
            };
            query.append_pair(facet.name(), &value);
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.as_str());
        }
        if let Some(count) = self.per_page {
            query.append_pair("per", &count.to_string());
        }
        if self.hidden {
            query.append_pair("hidden", "1");
        }
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        match query.finish() {
            query if query.is_empty() => "/models".to_owned(),
            query => format!("/models?{query}"),
        }
    }
}

impl Facet {
    fn parse(name: &str, value: &str) -> Option<Self> {
        Some(match name {
            "in" => Self::Input(Modality::from_name(value)?),
            "out" => Self::Output(Modality::from_name(value)?),
            "param" => Self::Parameter(Parameter::from_name(value)?),
            "context" => {
                let min: u64 = value.parse().ok()?;
                Self::Context(CONTEXTS.iter().find(|(step, _)| *step == min)?.0)
            }
            "price" => Self::Price(PRICES.iter().find(|(_, name)| *name == value)?.0),
            "zdr" if value == "1" => Self::Zdr,
            "own" if value == "1" => Self::Own,
            "free" if value == "1" => Self::Free,
            "region" => {
                let regions = super::shelf::REGIONS;
                Self::Region(regions.iter().position(|(name, _)| *name == value)?)
            }
            "provider" if !value.is_empty() => Self::Provider(value.to_owned()),
            _ => return None,
        })
    }

    /// Its name in an address.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Search => "q",
            Self::Input(_) => "in",
            Self::Output(_) => "out",
            Self::Parameter(_) => "param",
            Self::Context(_) => "context",
            Self::Price(_) => "price",
            Self::Zdr => "zdr",
            Self::Own => "own",
            Self::Free => "free",
            Self::Region(_) => "region",
            Self::Provider(_) => "provider",
        }
    }

    /// Its value in an address.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Search => String::new(),
            Self::Input(one) | Self::Output(one) => one.as_str().to_owned(),
            Self::Parameter(one) => one.as_str().to_owned(),
            Self::Context(min) => min.to_string(),
            Self::Price(max) => {
                let found = PRICES.iter().find(|(step, _)| step == max);
                found.map_or("", |(_, name)| name).to_owned()
            }
            Self::Zdr | Self::Own | Self::Free => "1".to_owned(),
            Self::Region(one) => super::shelf::REGIONS[*one].0.to_owned(),
            Self::Provider(slug) => slug.clone(),
        }
    }
}
