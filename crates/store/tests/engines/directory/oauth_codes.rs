//! Codes that programs exchange for keys.

use std::time::Duration;

use switchyard_domain::id::{AccountId, PersonId, WorkspaceId};
use switchyard_store::{
    DirectoryError,
    oauth::{Challenge, ChallengeMethod, NewOAuthCode, OAuthGrant},
};

use super::organizations::{event, found, person};
use crate::engine::{Engine, NOW};

fn code(place: (AccountId, WorkspaceId), person: PersonId) -> NewOAuthCode {
    let (account_id, workspace_id) = place;
    NewOAuthCode {
        code_hash: [7; 32],
        origin: "https://app.example".to_owned(),
        grant: OAuthGrant {
            account_id,
            workspace_id,
            person_id: Some(person),
            callback_url: Some("https://app.example/done".to_owned()),
            challenge: Some(Challenge {
                method: ChallengeMethod::S256,
                text: "x".repeat(43),
            }),
            key_name: "laptop".to_owned(),
            limit: None,
            key_expires_at: None,
        },
        at: NOW,
        expires_at: NOW.plus(Duration::from_secs(600)),
    }
}

pub(crate) async fn t18_of_many_who_exchange_a_code_one_gets_a_key(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let place = found(engine, ada).await;
    let audit = event(place.0, "oauth_code.create");
    let oauth = &engine.store.oauth;
    let new = code(place, ada);
    oauth.insert_oauth_code(&new, &audit).await.expect("kept");
    let stored = oauth
        .oauth_code(&[7; 32])
        .await
        .expect("asked")
        .expect("there");
    assert_eq!((stored.grant, stored.used_at), (new.grant, None));
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (oauth, audit) = (oauth.clone(), audit.clone());
        let mut key = engine.new_key_row(place.0, place.1);
        key.key.creator_id = Some(ada);
        tries.spawn(async move { oauth.redeem_oauth_code(&[7; 32], &key, &audit).await });
    }
    let outcomes = tries.join_all().await;
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
    for outcome in outcomes.iter().filter(|outcome| outcome.is_err()) {
        assert!(
            matches!(outcome, Err(DirectoryError::Conflict("code"))),
            "{outcome:?}"
        );
    }
    let used = oauth
        .oauth_code(&[7; 32])
        .await
        .expect("asked")
        .expect("there");
    assert!(used.used_at.is_some() && used.key_hash.is_some());
}

pub(crate) async fn t18_a_code_is_over_after_ten_minutes(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let place = found(engine, ada).await;
    let mut audit = event(place.0, "oauth_code.create");
    let oauth = &engine.store.oauth;
    oauth
        .insert_oauth_code(&code(place, ada), &audit)
        .await
        .expect("kept");
    let key = engine.new_key_row(place.0, place.1);
    audit.at = NOW.plus(Duration::from_secs(601));
    let late = oauth.redeem_oauth_code(&[7; 32], &key, &audit).await;
    assert!(
        matches!(late, Err(DirectoryError::Conflict("code"))),
        "{late:?}"
    );
    audit.at = NOW.plus(Duration::from_secs(599));
    oauth
        .redeem_oauth_code(&[7; 32], &key, &audit)
        .await
        .expect("in time");
}
