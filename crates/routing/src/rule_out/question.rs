//! One endpoint before the filters.

use switchyard_catalog::snapshot::{Catalog, Endpoint, Model, Provider};
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::needs::Needs;

use super::{CHECKS, Tiers, Wording, admission::Forbidding, listed::Listed};
use crate::{
    credentials::{Credentials, OwnCredential},
    offer::Whose,
    policy::Policy,
    record::{Detail, Rule, RuledOut, Scope},
    resolve::Chosen,
    select::Situation,
};

/// What is asked of all endpoints of one model.
pub(super) struct Asked<'a> {
    pub(super) needs: &'a Needs,
    pub(super) policy: &'a Policy,
    pub(super) credentials: Credentials<'a>,
    pub(super) country: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) tiers: Tiers,
    pub(super) model: &'a Model,
    /// The scope's list that forbids the model, if any does.
    pub(super) forbidding: Option<Forbidding<'a>>,
}

/// What one decision has found out already.
pub(super) struct Notes {
    pub(super) wording: Wording,
    pub(super) listed: Listed,
}

/// One endpoint before the filters, with everything they compare it with.
pub(super) struct Question<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) notes: &'a Notes,
    pub(super) provider: &'a Provider,
    pub(super) endpoint: &'a Endpoint,
}

/// Why an endpoint may not serve.
pub(super) struct Objection {
    pub(super) scope: Scope,
    pub(super) field: &'static str,
    pub(super) detail: Detail,
}

/// What the filters say of one endpoint.
pub(super) struct Fate {
    /// Its index in the catalogue.
    pub(super) endpoint: usize,
    pub(super) verdict: Result<Pass, RuledOut>,
}

/// How an endpoint passed.
pub(super) enum Pass {
    /// With every credential.
    AnyCredential,
    /// Only with a customer's own credentials whose owner states that nothing is kept; this is
    /// what stands against the others.
    DeclaredOnly(RuledOut),
}

impl Objection {
    pub(super) fn new(scope: Scope, field: &'static str, detail: impl Into<Detail>) -> Self {
        Self {
            scope,
            field,
            detail: detail.into(),
        }
    }

    pub(super) fn by(self, rule: Rule) -> RuledOut {
        RuledOut {
            rule,
            scope: self.scope,
            field: self.field,
            detail: self.detail,
        }
    }
}

impl<'a> Asked<'a> {
    pub(super) fn of(needs: &'a Needs, situation: &Situation<'a>, choice: Chosen<'a>) -> Self {
        Self {
            needs,
            policy: situation.policy,
            credentials: situation.credentials,
            country: situation.country,
            now: situation.now,
            tiers: Tiers::of(needs, situation, choice),
            model: choice.model,
            forbidding: Forbidding::find(situation.policy, &choice.model.id),
        }
    }
}

impl Notes {
    pub(super) fn new(catalog: &Catalog) -> Self {
        Self {
            wording: Wording::default(),
            listed: Listed::new(catalog),
        }
    }
}

impl<'a> Question<'a> {
    pub(super) fn of(
        asked: &'a Asked<'a>,
        notes: &'a Notes,
        catalog: &'a Catalog,
        index: usize,
    ) -> Self {
        let endpoint = &catalog.endpoints[index];
        Self {
            asked,
            notes,
            provider: catalog.provider_of(endpoint),
            endpoint,
        }
    }

    /// The customer's own credentials that this endpoint can be called with.
    pub(super) fn own_credentials(&self) -> impl Iterator<Item = &'a OwnCredential> {
        let (provider, model) = (&self.provider.slug, &self.asked.model.id);
        let own = self.asked.credentials.own.iter();
        own.filter(move |credential| credential.is_for(provider, model))
    }

    /// The first rule that it fails. A credential changes nothing about that, except that one
    /// whose owner states that nothing is kept stands in for the endpoint's own promise of zero
    /// retention, where the account trusts such statements.
    pub(super) fn verdict(&self) -> Result<Pass, RuledOut> {
        let mut pass = Pass::AnyCredential;
        for (rule, check) in &CHECKS {
            let Some(objection) = check(self) else {
                continue;
            };
            let ruled_out = objection.by(*rule);
            if *rule == Rule::Zdr && self.has_trusted_statement() {
                pass = Pass::DeclaredOnly(ruled_out);
            } else {
                return Err(ruled_out);
            }
        }
        Ok(pass)
    }

    /// The first standing rule that it fails; otherwise whose credentials it could be called with.
    pub(super) fn standing_verdict(&self) -> Result<Whose, RuledOut> {
        let mut whose = Whose {
            shared: self
                .asked
                .credentials
                .offer_shared(&self.provider.slug, &self.asked.model.id),
            own: self.own_credentials().next().is_some(),
        };
        for (rule, check) in CHECKS.iter().filter(|(rule, _)| rule.is_standing()) {
            let Some(objection) = check(self) else {
                continue;
            };
            if *rule == Rule::Zdr && self.has_trusted_statement() {
                whose.shared = false;
            } else {
                return Err(objection.by(*rule));
            }
        }
        Ok(whose)
    }

    pub(super) fn all_objections(&self) -> Vec<RuledOut> {
        CHECKS
            .iter()
            .filter_map(|(rule, check)| Some(check(self)?.by(*rule)))
            .filter(|ruled_out| ruled_out.rule != Rule::Zdr || !self.has_trusted_statement())
            .collect()
    }

    fn has_trusted_statement(&self) -> bool {
        self.asked.policy.trusts_declared_zdr()
            && self.own_credentials().any(|own| own.declared_zdr)
    }
}
