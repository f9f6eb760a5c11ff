//! Copies each endpoint that passed once per credential that it can be called with, and writes the
//! record's rows: one per copy, one for an endpoint that did not pass.

use std::sync::Arc;

use switchyard_catalog::snapshot::Endpoint;
use switchyard_domain::money::UsdPicos;
use switchyard_interchange::needs::Needs;

use super::{
    Sieved, Survivor, Vetted,
    question::{Fate, Pass},
};
use crate::{
    cost::Rates,
    credentials::{CredentialUse, OwnCredential, SHARED_CLASS, Section},
    health::{EndpointHealth, HealthRank},
    record::{CandidateRecord, RuledOut},
    resolve::Chosen,
    select::Situation,
};

pub(super) struct Copies<'a> {
    needs: &'a Needs,
    situation: &'a Situation<'a>,
    sieved: Sieved,
}

/// One endpoint of one chosen model.
#[derive(Clone, Copy)]
struct Original<'a> {
    /// The model's position among those chosen.
    position: usize,
    choice: Chosen<'a>,
    /// The endpoint's index in the catalogue.
    index: usize,
    endpoint: &'a Endpoint,
}

/// Whose credential a copy is called with, and where that puts it.
#[derive(Clone, Copy)]
struct Holder<'a> {
    own: Option<(usize, &'a OwnCredential)>,
}

impl<'a> Copies<'a> {
    pub(super) fn new(needs: &'a Needs, situation: &'a Situation<'a>, endpoints: usize) -> Self {
        let capacity = endpoints + situation.credentials.own.len();
        Self {
            needs,
            situation,
            sieved: Sieved {
                survivors: Vec::with_capacity(capacity),
                rows: Vec::with_capacity(capacity),
            },
        }
    }

    pub(super) fn finish(self) -> Sieved {
        self.sieved
    }

    /// Prioritized credentials in their owner's order, the operator's where none of them keeps it
    /// out, then fallback ones.
    pub(super) fn add(&mut self, position: usize, choice: Chosen<'a>, fate: Fate) {
        let endpoint = &self.situation.catalog.endpoints[fate.endpoint];
        let original = Original {
            position,
            choice,
            index: fate.endpoint,
            endpoint,
        };
        let pass = match fate.verdict {
            Ok(pass) => pass,
            Err(ruled_out) => return self.note(original, Holder::SHARED, ruled_out),
        };
        let provider = &self.situation.catalog.provider_of(endpoint).slug;
        let credentials = self.situation.credentials;
        let own = |section: Section| {
            let listed = credentials.own.iter().enumerate();
            listed.filter(move |(_, own)| {
                own.section == section && own.is_for(provider, &choice.model.id)
            })
        };
        for (order, credential) in own(Section::Prioritized) {
            self.copy(original, Holder::of(order, credential), &pass);
        }
        if credentials.offer_shared(provider, &choice.model.id) {
            self.copy(original, Holder::SHARED, &pass);
        }
        for (order, credential) in own(Section::Fallback) {
            self.copy(original, Holder::of(order, credential), &pass);
        }
    }

    fn copy(&mut self, original: Original<'a>, holder: Holder<'a>, pass: &Pass) {
        match pass {
            Pass::AnyCredential => self.vet(original, holder, false),
            Pass::DeclaredOnly(_) if holder.declares_zdr() => self.vet(original, holder, true),
            Pass::DeclaredOnly(ruled_out) => self.note(original, holder, ruled_out.clone()),
        }
    }

    fn vet(&mut self, original: Original<'a>, holder: Holder<'a>, declared_zdr: bool) {
        let credential = holder.credential();
        let cost = original
            .endpoint
            .prices
            .as_ref()
            .map_or(UsdPicos::ZERO, |prices| {
                Rates::of(prices, self.needs, self.situation.now).cost()
            });
        let nanos = cost.round_half_even().map_or(i64::MAX, |nanos| nanos.get());
        let health = self.health(original, credential);
        let rank = health.rank;
        self.sieved.survivors.push(Survivor {
            vetted: Vetted::new(
                Arc::clone(self.situation.catalog),
                original.index,
                credential,
            ),
            model: original.position,
            when: original.choice.when,
            credential,
            class: holder.class(),
            own_order: holder.own.map_or(0, |(order, _)| order),
            row: self.sieved.rows.len(),
            cost,
            health,
        });
        let mut row = self.row(original, holder, rank);
        row.expected_cost_nanos = Some(nanos);
        row.declared_zdr = declared_zdr;
        self.sieved.rows.push(row);
    }

    fn note(&mut self, original: Original<'a>, holder: Holder<'a>, ruled_out: RuledOut) {
        let health = self.health(original, holder.credential());
        let mut row = self.row(original, holder, health.rank);
        row.ruled_out = Some(ruled_out);
        self.sieved.rows.push(row);
    }

    fn health(&self, original: Original<'a>, credential: CredentialUse) -> EndpointHealth {
        let Situation { health, now, .. } = *self.situation;
        health.of(&original.endpoint.id, credential, now)
    }

    fn row(
        &self,
        original: Original<'a>,
        holder: Holder<'a>,
        health: HealthRank,
    ) -> CandidateRecord {
        let provider = self.situation.catalog.provider_of(original.endpoint);
        CandidateRecord {
            endpoint: original.endpoint.id.clone(),
            provider: Arc::clone(&provider.name),
            model: original.choice.model.id.clone(),
            credential: holder.credential(),
            section: holder.own.map(|(_, own)| own.section),
            declared_zdr: false,
            when: original.choice.when,
            rank: None,
            ruled_out: None,
            expected_cost_nanos: None,
            draw_ppm: None,
            health,
        }
    }
}

impl<'a> Holder<'a> {
    const SHARED: Self = Self { own: None };

    const fn of(order: usize, own: &'a OwnCredential) -> Self {
        Self {
            own: Some((order, own)),
        }
    }

    fn credential(self) -> CredentialUse {
        self.own
            .map_or(CredentialUse::Shared, |(_, own)| own.id.into())
    }

    fn class(self) -> u8 {
        self.own
            .map_or(SHARED_CLASS, |(_, own)| own.section.class())
    }

    fn declares_zdr(self) -> bool {
        self.own.is_some_and(|(_, own)| own.declared_zdr)
    }
}
