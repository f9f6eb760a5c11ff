//! How people prove who they are, and how often that may be tried.

use std::time::Duration;

use serde_json::json;
use switchyard_billing::test_suite::Fixture;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, PasskeyId, PersonId, WorkspaceId},
};
use switchyard_store::{
    DirectoryError,
    account::NewAccount,
    person::NewLink,
    proof::{Attempts, NewPasskey, NewUnfinished, ProofStore},
    sealed::{RewrappedRow, SealedKind},
};
use tokio::task::JoinSet;

use super::workspaces::{noted, told};
use crate::engine::{Engine, NOW};

const LATER: Timestamp = Timestamp::from_micros(NOW.micros() + 60_000_000);

fn proofs(engine: &Engine) -> &dyn ProofStore {
    engine.store.proofs.as_ref()
}

fn owner(account: AccountId) -> PersonId {
    PersonId::from_uuid(account.as_uuid())
}

fn somebody(engine: &Engine, email: &str) -> NewAccount {
    NewAccount {
        account_id: AccountId::from_uuid(engine.fresh_uuid()),
        workspace_id: WorkspaceId::from_uuid(engine.fresh_uuid()),
        email: email.to_owned(),
        name: "Grace".to_owned(),
        at: NOW,
    }
}

async fn link(engine: &Engine, person: PersonId, purpose: &'static str, hash: u8) {
    let link = NewLink {
        link_hash: [hash; 32],
        purpose,
        person_id: person,
        detail: json!({}),
        at: NOW,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
    };
    engine.store.people.insert_link(&link).await.expect("kept");
}

pub(crate) async fn who_signs_up_is_confirmed_by_a_link_once(engine: &Engine) {
    let store = proofs(engine);
    let account = somebody(engine, "Grace@example.com");
    let person = owner(account.account_id);
    let audit = noted("person.sign_up", person);
    store
        .sign_up(&account, "a hash", &audit)
        .await
        .expect("signed up");
    assert_eq!(told(engine, "person.sign_up", person).await, 1);
    let namesake = somebody(engine, "grace@EXAMPLE.com");
    let again = store.sign_up(&namesake, "x", &audit);
    assert!(matches!(
        again.await,
        Err(DirectoryError::Conflict("email"))
    ));
    let kept = store
        .password(person)
        .await
        .expect("answered")
        .expect("kept");
    assert_eq!((kept.phc.as_str(), kept.changed_at), ("a hash", NOW));
    assert_eq!(
        store.has_verified_owner(account.account_id).await.ok(),
        Some(false)
    );

    link(engine, person, "verify_email", 1).await;
    let audit = noted("person.verify_email", person);
    let wrong = store.verify_email(&[1; 32], "reset_password", &audit).await;
    assert_eq!(wrong.expect("answered"), None);
    let done = store.verify_email(&[1; 32], "verify_email", &audit).await;
    assert_eq!(done.expect("answered"), Some(person));
    let again = store.verify_email(&[1; 32], "verify_email", &audit).await;
    assert_eq!(again.expect("answered"), None);
    assert_eq!(told(engine, "person.verify_email", person).await, 1);
    assert_eq!(
        store.has_verified_owner(account.account_id).await.ok(),
        Some(true)
    );
    let found = engine
        .store
        .people
        .person(person)
        .await
        .expect("answered")
        .expect("there");
    assert_eq!(found.email_verified_at, Some(audit.at));
    // Accounts that operators make count as confirmed.
    let operators = engine.new_account().await.account_id;
    assert_eq!(store.has_verified_owner(operators).await.ok(), Some(true));
}

pub(crate) async fn a_reset_uses_up_all_its_like(engine: &Engine) {
    let store = proofs(engine);
    let person = owner(engine.new_account().await.account_id);
    link(engine, person, "reset_password", 1).await;
    link(engine, person, "reset_password", 2).await;
    let audit = noted("person.reset_password", person);
    let done = store
        .reset_password(&[1; 32], "reset_password", "new", &audit)
        .await;
    assert_eq!(done.expect("answered"), Some(person));
    for used in [1, 2] {
        let again = store
            .reset_password(&[used; 32], "reset_password", "newer", &audit)
            .await;
        assert_eq!(again.expect("answered"), None);
    }
    let kept = store
        .password(person)
        .await
        .expect("answered")
        .expect("kept");
    assert_eq!(kept.phc, "new");
    // The same password at another cost, unless it was changed meanwhile.
    store
        .rehash_password(person, "old", "dear")
        .await
        .expect("done");
    assert_eq!(
        store
            .password(person)
            .await
            .expect("answered")
            .expect("kept")
            .phc,
        "new"
    );
    store
        .rehash_password(person, "new", "dear")
        .await
        .expect("done");
    assert_eq!(
        store
            .password(person)
            .await
            .expect("answered")
            .expect("kept")
            .phc,
        "dear"
    );
}

pub(crate) async fn t20_steps_and_recovery_codes_work_once(engine: &Engine) {
    let store = proofs(engine);
    let person = owner(engine.new_account().await.account_id);
    let record = CredentialId::from_uuid(engine.fresh_uuid());
    let set_up = store
        .set_up_authenticator(person, record, b"sealed", NOW)
        .await;
    set_up.expect("set up");
    let audit = noted("authenticator.confirm", person);
    let other = CredentialId::from_uuid(engine.fresh_uuid());
    let wrong = store
        .confirm_authenticator(person, other, 5, &[], &audit)
        .await;
    assert!(matches!(wrong, Err(DirectoryError::Missing(_))));
    let hashes = [[1; 32], [2; 32]];
    let confirmed = store
        .confirm_authenticator(person, record, 5, &hashes, &audit)
        .await;
    confirmed.expect("confirmed");
    let replaced = store.set_up_authenticator(person, other, b"x", NOW).await;
    assert!(matches!(
        replaced,
        Err(DirectoryError::Conflict("authenticator"))
    ));
    for (step, is_first) in [(5, false), (4, false), (6, true), (6, false)] {
        assert_eq!(
            store.use_step(person, step).await.ok(),
            Some(is_first),
            "{step}"
        );
    }
    let kept = store
        .authenticator(person)
        .await
        .expect("answered")
        .expect("kept");
    assert_eq!(
        (kept.last_step, kept.sealed.as_slice()),
        (Some(6), &b"sealed"[..])
    );

    let used = noted("recovery_code.use", person);
    for (hash, is_first, left) in [(1, true, 1), (1, false, 1), (9, false, 1), (2, true, 0)] {
        let done = store.use_recovery_code(person, &[hash; 32], &used).await;
        assert_eq!(done.ok(), Some(is_first), "{hash}");
        assert_eq!(store.recovery_codes_left(person).await.ok(), Some(left));
    }
    assert_eq!(told(engine, "recovery_code.use", person).await, 2);
    store
        .replace_recovery_codes(person, &[[3; 32]], &audit)
        .await
        .expect("replaced");
    assert_eq!(store.recovery_codes_left(person).await.ok(), Some(1));
    store
        .remove_authenticator(person, &audit)
        .await
        .expect("removed");
    assert_eq!(store.authenticator(person).await.ok(), Some(None));
    assert_eq!(store.recovery_codes_left(person).await.ok(), Some(0));
}

pub(crate) async fn of_many_with_one_code_one_is_first(engine: &Engine) {
    let person = owner(engine.new_account().await.account_id);
    let record = CredentialId::from_uuid(engine.fresh_uuid());
    let set_up = proofs(engine).set_up_authenticator(person, record, b"sealed", NOW);
    set_up.await.expect("set up");
    let mut uses = JoinSet::new();
    for _ in 0..8 {
        let store = engine.store.proofs.clone();
        uses.spawn(async move { store.use_step(person, 7).await.expect("answered") });
    }
    let first = uses.join_all().await.into_iter().filter(|first| *first);
    assert_eq!(first.count(), 1);
}

pub(crate) async fn t07_seeds_are_found_and_rewrapped(engine: &Engine) {
    let person = owner(engine.new_account().await.account_id);
    let record = CredentialId::from_uuid(engine.fresh_uuid());
    let set_up = proofs(engine).set_up_authenticator(person, record, b"sealed", NOW);
    set_up.await.expect("set up");
    let rows = engine
        .store
        .sealed
        .sealed_rows_not_under(None, 1, None, 10)
        .await;
    let rows = rows.expect("answered");
    let row = rows
        .iter()
        .find(|row| row.kind == SealedKind::Authenticator);
    let row = row.expect("the seed is among the operator's");
    assert_eq!(
        (row.record, row.sealed.as_slice()),
        (Some(record), &b"sealed"[..])
    );
    let rewrapped = RewrappedRow {
        expected: row.clone(),
        sealed: b"rewrapped".to_vec(),
        tenant_key_version: 2,
    };
    for replaced in [1, 0] {
        let done = engine
            .store
            .sealed
            .rewrap_sealed_rows(std::slice::from_ref(&rewrapped));
        assert_eq!(done.await.ok(), Some(replaced));
    }
    let kept = proofs(engine)
        .authenticator(person)
        .await
        .expect("answered")
        .expect("kept");
    assert_eq!(kept.sealed, b"rewrapped");
}

pub(crate) async fn passkeys_are_one_persons(engine: &Engine) {
    let store = proofs(engine);
    let [person, stranger] = [
        owner(engine.new_account().await.account_id),
        owner(engine.new_account().await.account_id),
    ];
    let new = |person_id| NewPasskey {
        id: PasskeyId::from_uuid(engine.fresh_uuid()),
        person_id,
        credential_id: vec![1, 2, 3],
        passkey: json!({ "counter": 0 }),
        name: "Laptop".to_owned(),
        at: NOW,
    };
    let passkey = new(person);
    let audit = noted("passkey.add", passkey.id);
    store.insert_passkey(&passkey, &audit).await.expect("kept");
    let again = store.insert_passkey(&new(stranger), &audit).await;
    assert!(matches!(again, Err(DirectoryError::Conflict("passkey"))));
    let found = store
        .passkey_by_credential(&[1, 2, 3])
        .await
        .expect("answered");
    assert_eq!(found.expect("there").person_id, person);
    let used = json!({ "counter": 1 });
    store
        .touch_passkey(passkey.id, &used, LATER)
        .await
        .expect("noted");
    for missing in [
        store
            .rename_passkey(stranger, passkey.id, "Mine", &audit)
            .await,
        store.remove_passkey(stranger, passkey.id, &audit).await,
    ] {
        assert!(matches!(missing, Err(DirectoryError::Missing(_))));
    }
    store
        .rename_passkey(person, passkey.id, "Phone", &audit)
        .await
        .expect("renamed");
    let list = store.passkeys(person).await.expect("answered");
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].name.as_str(), list[0].last_used_at),
        ("Phone", Some(LATER))
    );
    assert_eq!(list[0].passkey, used);
    store
        .remove_passkey(person, passkey.id, &audit)
        .await
        .expect("removed");
    assert_eq!(
        store.passkey_by_credential(&[1, 2, 3]).await.ok(),
        Some(None)
    );
}

pub(crate) async fn what_is_unfinished_is_taken_once_and_lapses(engine: &Engine) {
    let store = proofs(engine);
    let begun = |token| NewUnfinished {
        token_hash: [token; 32],
        purpose: "passkey",
        person_id: None,
        state: json!({ "state": "asked" }),
        at: NOW,
        expires_at: LATER,
    };
    for token in [1, 2] {
        store.insert_unfinished(&begun(token)).await.expect("kept");
    }
    let found = store
        .unfinished(&[1; 32], "passkey", NOW)
        .await
        .expect("answered");
    assert_eq!(found.expect("there").state, json!({ "state": "asked" }));
    assert_eq!(
        store.take_unfinished(&[1; 32], "sign_up", NOW).await.ok(),
        Some(None)
    );
    assert_eq!(
        store.take_unfinished(&[1; 32], "passkey", LATER).await.ok(),
        Some(None)
    );
    assert!(
        store
            .take_unfinished(&[1; 32], "passkey", NOW)
            .await
            .expect("answered")
            .is_some()
    );
    assert_eq!(
        store.take_unfinished(&[1; 32], "passkey", NOW).await.ok(),
        Some(None)
    );
    assert_eq!(store.forget_old_proofs(LATER, NOW).await.ok(), Some(1));
    assert_eq!(
        store.unfinished(&[2; 32], "passkey", NOW).await.ok(),
        Some(None)
    );
}

pub(crate) async fn of_parallel_tries_none_is_uncounted(engine: &Engine) {
    let store = proofs(engine);
    let subject = [7; 32];
    assert_eq!(store.attempts(&subject).await.ok(), Some(None));
    let mut tries = JoinSet::new();
    for number in 0..6_u64 {
        let store = engine.store.proofs.clone();
        tries.spawn(async move {
            loop {
                let before = store.attempts(&subject).await.expect("answered");
                let next = Attempts {
                    count: before.map_or(0, |one| one.count) + 1,
                    last_at: NOW.plus(Duration::from_micros(number)),
                    locked_until: Some(LATER),
                };
                if store
                    .note_attempt(&subject, before, next)
                    .await
                    .expect("answered")
                {
                    return;
                }
            }
        });
    }
    tries.join_all().await;
    let counted = store
        .attempts(&subject)
        .await
        .expect("answered")
        .expect("counted");
    assert_eq!((counted.count, counted.locked_until), (6, Some(LATER)));
    store.forget_attempts(&subject).await.expect("forgotten");
    assert_eq!(store.attempts(&subject).await.ok(), Some(None));
}
