use std::{sync::Arc, time::Duration};

use serde_json::{json, value::to_raw_value};
use switchyard_coordination::{Coordination, Invalidation, in_process::InProcess};
use switchyard_domain::tenancy::Caller;
use switchyard_routing::{
    policy::{Rules, ZdrGroups},
    record::Scope,
};
use switchyard_store::policy::{PolicyChange, PolicySubject};

use super::{Policies, PolicyError, StandingPolicy, check_rules};
use crate::{
    fixture::{HandClock, Installation, NOW, catalog},
    limits::POLICY_STALE_LIFE,
};

struct Node {
    policies: Policies,
    coordination: Arc<InProcess>,
    clock: Arc<HandClock>,
}

impl Node {
    /// A node that shares nothing with others but the database.
    async fn start(installation: &Installation) -> Self {
        let node = Self::new(installation);
        node.policies.start_following().await.expect("answered");
        node
    }

    fn new(installation: &Installation) -> Self {
        let clock = Arc::new(HandClock::default());
        let coordination = Arc::new(InProcess::new(clock.clone()));
        Self {
            policies: Policies::new(
                installation.store.directory.clone(),
                coordination.clone(),
                clock.clone(),
            ),
            coordination,
            clock,
        }
    }

    async fn set(&self, installation: &Installation, subject: PolicySubject, rules: &Rules) {
        let put = self
            .policies
            .put(installation.account, subject, rules, "ada");
        put.await.expect("set");
    }

    async fn policy_of(&self, caller: &Caller) -> Arc<StandingPolicy> {
        self.policies.policy_of(caller).await.expect("readable")
    }

    async fn scopes_of(&self, caller: &Caller) -> Vec<Scope> {
        let standing = self.policy_of(caller).await;
        let layers = standing.policy.layers.iter();
        layers.map(|layer| layer.scope).collect()
    }
}

fn zdr() -> Rules {
    Rules {
        zdr: ZdrGroups::ALL,
        ..Rules::default()
    }
}

/// Stores what this version does not understand.
async fn put_riddle(installation: &Installation) {
    let change = PolicyChange {
        account_id: installation.account,
        subject: PolicySubject::Account(installation.account),
        by: "a later version".to_owned(),
        at: NOW,
    };
    let rules = to_raw_value(&json!({ "allowed_moon_phases": ["full"] })).expect("a document");
    let put = installation.store.directory.put_policy(&change, &rules);
    put.await.expect("stored");
}

#[tokio::test]
async fn layers_are_put_together_outermost_first() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let (caller, other) = (installation.caller(1).await, installation.caller(2).await);
    assert_eq!(*node.policy_of(&caller).await, StandingPolicy::default());

    let account = installation.account;
    let subjects = [
        PolicySubject::Key(caller.key.id),
        PolicySubject::Workspace(installation.workspace),
        PolicySubject::Account(account),
    ];
    for subject in subjects {
        node.set(&installation, subject, &zdr()).await;
    }
    assert_eq!(
        node.scopes_of(&caller).await,
        [Scope::Account, Scope::Workspace, Scope::Key]
    );
    assert_eq!(
        node.scopes_of(&other).await,
        [Scope::Account, Scope::Workspace]
    );
    let record = |standing: &StandingPolicy| standing.record.clone().expect("rules are set");
    let (mine, others) = (
        record(&*node.policy_of(&caller).await),
        record(&*node.policy_of(&other).await),
    );
    assert_eq!(mine.scopes, [Scope::Account, Scope::Workspace, Scope::Key]);
    assert_eq!(mine.digest.len(), 64);
    assert_ne!(mine.digest, others.digest);

    // Rules that say nothing are none.
    for subject in subjects {
        node.set(&installation, subject, &Rules::default()).await;
    }
    assert_eq!(*node.policy_of(&caller).await, StandingPolicy::default());
}

#[tokio::test]
async fn a_change_elsewhere_holds_from_the_next_poll_on() {
    let installation = Installation::new().await;
    let (here, there) = (
        Node::start(&installation).await,
        Node::start(&installation).await,
    );
    let caller = installation.caller(1).await;
    let (account, subject) = (
        installation.account,
        PolicySubject::Account(installation.account),
    );
    assert!(there.scopes_of(&caller).await.is_empty());
    here.set(&installation, subject, &zdr()).await;
    there.policies.follow().await.expect("answered");
    assert_eq!(there.scopes_of(&caller).await, [Scope::Account]);
    here.policies
        .clear(account, subject, "ada")
        .await
        .expect("cleared");
    there.policies.follow().await.expect("answered");
    assert!(there.scopes_of(&caller).await.is_empty());
}

#[tokio::test]
async fn a_change_is_news_to_everybody() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let mut news = node.coordination.subscribe();
    let account = installation.account;
    let subject = PolicySubject::Account(account);
    let told = Some(Invalidation::Policy {
        account_id: account,
    });
    node.set(&installation, subject, &zdr()).await;
    assert_eq!(news.next().await, told);
    let clear = node.policies.clear(account, subject, "ada");
    clear.await.expect("cleared");
    assert_eq!(news.next().await, told);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_until_it_is_set_anew() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    put_riddle(&installation).await;
    for _ in 0..2 {
        let refused = node.policies.policy_of(&caller).await;
        let subject = PolicySubject::Account(installation.account);
        assert!(
            matches!(refused, Err(PolicyError::Unreadable(of)) if of == subject),
            "{refused:?}"
        );
    }
    let subject = PolicySubject::Account(installation.account);
    node.set(&installation, subject, &zdr()).await;
    assert_eq!(node.scopes_of(&caller).await, [Scope::Account]);
}

#[tokio::test]
async fn without_the_database_an_unknown_policy_is_not_no_policy() {
    let installation = Installation::without_schema().await;
    let node = Node::new(&installation);
    let refused = node.policies.policy_of(&installation.stranger(1)).await;
    assert!(
        matches!(refused, Err(PolicyError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_nobody_confirms_is_not_trusted_for_ever() {
    let installation = Installation::new().await;
    let (node, other) = (
        Node::start(&installation).await,
        Node::start(&installation).await,
    );
    let caller = installation.caller(1).await;
    assert!(node.scopes_of(&caller).await.is_empty());
    let subject = PolicySubject::Account(installation.account);
    other.set(&installation, subject, &zdr()).await;
    node.clock
        .advance(POLICY_STALE_LIFE - Duration::from_secs(1));
    assert!(
        node.scopes_of(&caller).await.is_empty(),
        "it has not heard yet, and trusts its memory"
    );
    node.clock.advance(Duration::from_secs(1));
    assert_eq!(node.scopes_of(&caller).await, [Scope::Account]);
}

#[test]
fn faults_say_where_they_are() {
    let catalog = catalog();
    for (text, says) in [
        (
            "{\n  \"zrd\": {}\n}",
            "unknown field `zrd`, expected one of `allowed_providers`",
        ),
        ("{\n  \"zrd\": {}\n}", "at line 2 column 7"),
        ("{\"zdr\": {\"mistral\": true}}", "unknown field `mistral`"),
        (
            "{\"allowed_providers\": \"alder\"}",
            "expected a sequence at line 1 column 29",
        ),
        ("{\"zdr\": ", "EOF while parsing"),
        ("[]", "rules are an object"),
        ("{\"zdr\": []}", "`zdr` is an object"),
        ("{} {}", "trailing characters at line 1 column 4"),
    ] {
        let fault = check_rules(text, Scope::Account, &catalog).expect_err(text);
        assert!(fault.problem.contains(says), "{text}: {fault}");
    }
}

#[test]
fn names_that_the_catalogue_lacks_are_remarked() {
    let catalog = catalog();
    let of = |rules: serde_json::Value, scope| {
        let checked = check_rules(&rules.to_string(), scope, &catalog);
        checked.expect("good rules").warnings
    };
    let known = json!({
        "allowed_providers": ["alder", "Birch"], "ignored_providers": ["CEDAR"],
        "allowed_models": ["acme/oak", "acme/oak:free", "acme/*"], "trust_declared_zdr": true,
    });
    assert_eq!(of(known.clone(), Scope::Account), Vec::<String>::new());
    assert_eq!(
        of(known, Scope::Workspace),
        ["`trust_declared_zdr` is heard in the account's policy only"]
    );
    assert_eq!(
        of(
            json!({
                "allowed_providers": ["alder", "adler"], "ignored_models": ["acme/elm", "acne/*"],
                "allowed_data_regions": ["atlantis"], "allowed_models": [],
            }),
            Scope::Account
        ),
        [
            "`allowed_providers[1]`: the catalogue has no provider `adler`",
            "`ignored_models[0]`: the catalogue has no model `acme/elm`",
            "`ignored_models[1]`: the catalogue has no model `acne/*`",
            "`allowed_data_regions[0]`: the catalogue has no endpoint in a region `atlantis`",
            "`allowed_models` is empty, so nothing at all is allowed",
        ]
    );
}
