//! One endpoint before the filters.

use switchyard_catalog::snapshot::{Endpoint, Model, Provider};
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::needs::Needs;

use super::{CHECKS, Tiers, Wording};
use crate::{
    credentials::{Credentials, OwnCredential},
    policy::Policy,
    record::{Detail, Rule, RuledOut, Scope},
    resolve::Chosen,
    select::Situation,
};

/// One endpoint before the filters, with everything they compare it with.
pub(super) struct Question<'a> {
    pub(super) needs: &'a Needs,
    pub(super) policy: &'a Policy,
    pub(super) credentials: Credentials<'a>,
    pub(super) country: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) tiers: Tiers,
    pub(super) wording: &'a Wording,
    pub(super) model: &'a Model,
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

impl<'a> Question<'a> {
    pub(super) fn of(
        needs: &'a Needs,
        situation: &Situation<'a>,
        choice: Chosen<'a>,
        tiers: Tiers,
        wording: &'a Wording,
        index: usize,
    ) -> Self {
        let endpoint = &situation.catalog.endpoints[index];
        Self {
            needs,
            policy: situation.policy,
            credentials: situation.credentials,
            country: situation.country,
            now: situation.now,
            tiers,
            wording,
            model: choice.model,
            provider: situation.catalog.provider_of(endpoint),
            endpoint,
        }
    }

    /// The customer's own credentials that this endpoint can be called with.
    pub(super) fn own_credentials(&self) -> impl Iterator<Item = &'a OwnCredential> {
        let (provider, model) = (&self.provider.slug, &self.model.id);
        let own = self.credentials.own.iter();
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

    pub(super) fn all_objections(&self) -> Vec<RuledOut> {
        CHECKS
            .iter()
            .filter_map(|(rule, check)| Some(check(self)?.by(*rule)))
            .filter(|ruled_out| ruled_out.rule != Rule::Zdr || !self.has_trusted_statement())
            .collect()
    }

    fn has_trusted_statement(&self) -> bool {
        self.policy.trusts_declared_zdr() && self.own_credentials().any(|own| own.declared_zdr)
    }
}
