//! Trying a stored credential out: one tiny question to a model that it may be used for, through the
//! same selection as any request, with this credential alone. It costs its owner's provider account
//! a few tokens and is charged to nobody here. That a provider is down says nothing about a
//! credential.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use serde_json::json;
use switchyard_catalog::snapshot::{Catalog, Endpoint};
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    model::{Modalities, Modality, Parameter, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    failure::Failure,
    message::{Message, Part, Role},
    preferences::ProviderPreferences,
    request::{ChatRequest, Dialect, Origin, ReasoningControl, Sampling},
    tool::ResponseFormat,
};
use switchyard_routing::{
    credentials::{Credentials, OwnCredential, Section, Shared},
    select::{Candidate, Situation, select},
};
use switchyard_store::own_credential::{CredentialCondition, OwnCredentialRow};
use switchyard_upstream::call::Call;

use super::{OwnCredentialError, OwnCredentials, Seen, eligible::Held};
use crate::{App, audit::Actor, limits::CREDENTIAL_CHECK_PATIENCE, policies::StandingPolicy};

/// Output tokens that a check asks for.
const TOKENS_MAX: u32 = 16;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialCheck {
    /// `Unchecked`: nothing could be told.
    pub condition: CredentialCondition,
    /// The model that was asked.
    pub model: Option<String>,
    /// What the provider answered with.
    pub status: Option<u16>,
    /// What it said, or why it was not asked; without secrets.
    pub message: Option<String>,
}

impl CredentialCheck {
    fn untold(model: Option<String>, message: impl Into<String>) -> Self {
        Self {
            condition: CredentialCondition::Unchecked,
            model,
            status: None,
            message: Some(message.into()),
        }
    }
}

impl App {
    /// Tries one of an account's credentials out, with this model where one is named. What is found
    /// is kept as the credential's state; a provider that is down changes nothing.
    pub async fn check_own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        model: Option<&str>,
        by: &Actor,
    ) -> Result<(OwnCredentialRow, CredentialCheck), OwnCredentialError> {
        let held = self.own_credentials.stored(account, id).await?;
        let workspace = self.workspace_of(&held).await?;
        let check = self.tried_out(&held, workspace, model).await?;
        let detail = json!({
            "provider": held.row.provider.as_str(),
            "model": check.model,
            "condition": check.condition.as_str(),
            "status": check.status,
        });
        let mut audit = by.did(self.clock.now(), "credential.check", id, detail);
        audit.origin.account_id = Some(account);
        audit.origin.workspace_id = held.row.workspace_id;
        self.directory.append_audit(&audit).await?;
        // Owners who ask want to read the answer: the state is there when this returns.
        self.own_credentials.write_states().await?;
        let row = self.own_credentials.get(account, id).await?;
        Ok((row, check))
    }

    async fn workspace_of(&self, held: &Held) -> Result<WorkspaceId, OwnCredentialError> {
        if let Some(workspace) = held.row.workspace_id {
            return Ok(workspace);
        }
        let account = self.directory.account_by_id(held.row.account_id).await?;
        account
            .map(|account| account.default_workspace_id)
            .ok_or(OwnCredentialError::Missing("the account"))
    }

    async fn tried_out(
        &self,
        held: &Held,
        workspace: WorkspaceId,
        model: Option<&str>,
    ) -> Result<CredentialCheck, OwnCredentialError> {
        let account = held.row.account_id;
        let catalog = self.catalog.current();
        let standing = match self.policies.policy_at(account, workspace).await {
            Ok(standing) => standing,
            Err(error) => return Ok(CredentialCheck::untold(None, error.to_string())),
        };
        let own = [OwnCredential {
            section: Section::Prioritized,
            ..held.for_routing()
        }];
        let models = match model {
            Some(model) => vec![model.to_owned()],
            None => models_to_ask(&catalog, &own[0]),
        };
        let mut obstacle = "the catalogue has no model that this credential is for".to_owned();
        for model in models {
            let chat = ping(&model, Some(held.row.provider.as_str()));
            match self.candidate_for(&chat, &own, &catalog, &standing) {
                Ok(candidate) => return self.ask(held, workspace, &chat, &candidate).await,
                Err(message) => obstacle = message,
            }
        }
        Ok(CredentialCheck::untold(model.map(str::to_owned), obstacle))
    }

    /// Where the question goes: by the same rules as any request, and nowhere else than with this
    /// credential.
    fn candidate_for(
        &self,
        chat: &ChatRequest,
        own: &[OwnCredential],
        catalog: &Arc<Catalog>,
        standing: &StandingPolicy,
    ) -> Result<Candidate, String> {
        let nobody = HashSet::new();
        let situation = Situation {
            catalog,
            credentials: Credentials {
                shared: Shared::Only(&nobody),
                own,
            },
            health: &self.health.snapshot(),
            policy: &standing.policy,
            pin: None,
            country: None,
            now: self.clock.now(),
            seed: self.random.u64(),
        };
        let plan = select(&chat.needs(), &situation).map_err(|error| error.message())?;
        let first = plan.candidates.into_iter().next();
        first.ok_or_else(|| "nothing can serve it".to_owned())
    }

    async fn ask(
        &self,
        held: &Held,
        workspace: WorkspaceId,
        chat: &ChatRequest,
        candidate: &Candidate,
    ) -> Result<CredentialCheck, OwnCredentialError> {
        let opened = match self.own_credentials.open_held(held).await {
            Ok(opened) => opened,
            Err(error) => {
                let model = Some(chat.model.clone());
                return Ok(CredentialCheck::untold(model, error.to_string()));
            }
        };
        let call = Call {
            endpoint: &candidate.vetted,
            credential: &opened.secret,
            request: chat,
            affinity: None,
            zero_retention: true,
        };
        let sent = tokio::time::timeout(CREDENTIAL_CHECK_PATIENCE, self.upstream.send(call)).await;
        let seen = match &sent {
            Ok(Ok(_)) => Some(Seen::Accepted),
            Ok(Err(failure)) => seen_by_check(failure),
            Err(_) => None,
        };
        if let Some(seen) = &seen {
            let (account, id) = (held.row.account_id, held.row.id);
            self.own_credentials
                .see(account, workspace, id, opened.record_version, seen);
        }
        let (status, message) = match &sent {
            Ok(Ok(_)) => (Some(200), None),
            Ok(Err(failure)) => (failure.status, Some(failure.message.clone())),
            Err(_) => (None, Some("the provider did not answer in time".to_owned())),
        };
        Ok(CredentialCheck {
            condition: match seen {
                Some(Seen::Accepted) => CredentialCondition::Ok,
                Some(Seen::Refused(_) | Seen::Exhausted(_)) => CredentialCondition::Failing,
                None => CredentialCondition::Unchecked,
            },
            model: Some(chat.model.clone()),
            status,
            message,
        })
    }
}

/// A check asks once, so a quota that is used up counts at once; a rate that is, passes.
fn seen_by_check(failure: &Failure) -> Option<Seen> {
    match Seen::of_failure(failure)? {
        Seen::Exhausted(refusal) if refusal.status == 429 => None,
        Seen::Exhausted(refusal) => Some(Seen::Refused(refusal)),
        other => Some(other),
    }
}

/// Models to try, the cheapest first. More than one, since policy may rule some out.
fn models_to_ask(catalog: &Catalog, own: &OwnCredential) -> Vec<String> {
    const MODELS_MAX: usize = 20;
    let is_candidate = |endpoint: &&Endpoint| {
        let model = catalog.model_of(endpoint);
        own.is_for(&catalog.provider_of(endpoint).slug, &model.id)
            && endpoint.is_callable(catalog.provider_of(endpoint))
            && model.output_modalities.contains(Modality::Text)
    };
    let price = |endpoint: &Endpoint| {
        let base = endpoint.prices.as_ref().map(|prices| prices.base);
        base.map(|base| {
            let picos = |price: Option<switchyard_domain::money::Price>| {
                price.map_or(i64::MAX, |price| price.picos())
            };
            (picos(base.completion), picos(base.prompt))
        })
    };
    let mut endpoints: Vec<&Endpoint> = catalog.endpoints.iter().filter(is_candidate).collect();
    endpoints.sort_by_key(|endpoint| price(endpoint));
    let mut models: Vec<String> = Vec::new();
    for endpoint in endpoints {
        let model = catalog.model_of(endpoint).id.to_string();
        if models.len() < MODELS_MAX && !models.contains(&model) {
            models.push(model);
        }
    }
    models
}

/// A question that holds nothing of anybody's.
pub(crate) fn ping(model: &str, provider: Option<&str>) -> ChatRequest {
    let body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": "ping" }],
        "max_tokens": TOKENS_MAX,
    });
    ChatRequest {
        model: model.to_owned(),
        fallback_models: Vec::new(),
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text {
                text: "ping".into(),
                cache: None,
            }],
            name: None,
        }],
        tools: Vec::new(),
        tool_choice: None,
        parallel_tool_calls: None,
        sampling: Sampling::default(),
        max_output_tokens: Some(TOKENS_MAX),
        stop: Vec::new(),
        response_format: ResponseFormat::Text,
        reasoning: ReasoningControl::default(),
        verbosity: None,
        output_modalities: Modalities::EMPTY,
        stream: false,
        automatic_cache: None,
        session_id: None,
        prompt_cache_key: None,
        user: None,
        service_tier: None,
        provider: ProviderPreferences {
            only: provider.map(|provider| vec![provider.to_owned()]),
            ..ProviderPreferences::default()
        },
        supplied_credentials: Vec::new(),
        parameters: Parameters::EMPTY.with(Parameter::MaxTokens),
        input_modalities: Modalities::EMPTY.with(Modality::Text),
        origin: Origin {
            dialect: Dialect::OpenAiChat,
            body: Private::new(Bytes::from(body.to_string())),
        },
    }
}

impl OwnCredentials {
    /// One of an account's credentials, sealed, as it is stored now.
    async fn stored(
        &self,
        account: AccountId,
        id: CredentialId,
    ) -> Result<Held, OwnCredentialError> {
        let row = self.get(account, id).await?;
        Held::of(account, row).ok_or(OwnCredentialError::Missing("the credential"))
    }
}
