//! Organizations: who belongs to them, and how they come and go.

use std::time::Duration;

use serde_json::json;
use switchyard_domain::{
    id::{AccountId, InvitationId, PersonId, WorkspaceId},
    tenancy::Role,
};
use switchyard_store::{
    DirectoryError,
    account::NewAccount,
    audit::{AuditEvent, AuditOrigin},
    organization::{
        ABOVE_OWN_ROLE, Departure, KeysOnLeaving, LAST_OWNER, NewInvitation, NewOrganization,
        OTHER_ADDRESS, OrganizationStore, PERSONAL_ACCOUNT, Renewal, RoleChange,
        UNVERIFIED_ADDRESS,
    },
    person::AccountKind,
    tenancy::LIVE_KEYS,
};

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

pub(super) fn event(account: AccountId, action: &str) -> AuditEvent {
    AuditEvent {
        at: NOW,
        actor: "user_x".to_owned(),
        action: action.to_owned(),
        subject: "subject".to_owned(),
        detail: json!({}),
        origin: AuditOrigin {
            account_id: Some(account),
            ..AuditOrigin::default()
        },
    }
}

fn store(engine: &Engine) -> &dyn OrganizationStore {
    engine.store.organizations.as_ref()
}

/// Somebody with an account of their own and a verified address.
pub(super) async fn person(engine: &Engine, name: &str) -> PersonId {
    let id = engine.fresh_uuid();
    let account = NewAccount {
        account_id: AccountId::from_uuid(id),
        workspace_id: WorkspaceId::from_uuid(engine.fresh_uuid()),
        email: format!("{name}@x.org"),
        name: name.to_owned(),
        at: NOW,
    };
    let directory = engine.directory();
    directory.create_account(&account).await.expect("created");
    let mut database = Backdoor::open(engine).await;
    let verified = "UPDATE people SET email_verified_at = created_at";
    database.run(verified).await.expect("verified");
    PersonId::from_uuid(id)
}

pub(super) async fn found(engine: &Engine, founder: PersonId) -> (AccountId, WorkspaceId) {
    let account_id = AccountId::from_uuid(engine.fresh_uuid());
    let workspace_id = WorkspaceId::from_uuid(engine.fresh_uuid());
    let new = NewOrganization {
        account_id,
        workspace_id,
        name: "Acme".to_owned(),
        founder,
        at: NOW,
    };
    let audit = event(account_id, "organization.create");
    store(engine)
        .create_organization(&new, &audit)
        .await
        .expect("founded");
    (account_id, workspace_id)
}

fn invitation(
    engine: &Engine,
    (account, by): (AccountId, PersonId),
    (email, role): (&str, Role),
    token: u8,
) -> NewInvitation {
    NewInvitation {
        id: InvitationId::from_uuid(engine.fresh_uuid()),
        account_id: account,
        email: email.to_owned(),
        role,
        token_hash: [token; 32],
        by,
        at: NOW,
        expires_at: NOW.plus(WEEK),
    }
}

async fn join(engine: &Engine, place: (AccountId, PersonId), name: &str, role: Role) -> PersonId {
    let joins = person(engine, name).await;
    let token = u8::try_from(name.len()).expect("short") + name.as_bytes()[0];
    let email = format!("{name}@X.org");
    let new = invitation(engine, place, (&email, role), token);
    let audit = event(place.0, "invitation.create");
    let store = store(engine);
    store
        .insert_invitation(&new, &audit)
        .await
        .expect("invited");
    let accepted = store.accept_invitation(&[token; 32], joins, &audit).await;
    accepted.expect("accepted");
    joins
}

fn change(account_id: AccountId, by: PersonId, person: PersonId, roles: [Role; 2]) -> RoleChange {
    let [expected, role] = roles;
    RoleChange {
        account_id,
        person,
        expected,
        role,
        by,
    }
}

fn departure(account_id: AccountId, by: PersonId, person: PersonId) -> Departure {
    Departure {
        account_id,
        person,
        by,
        keys: KeysOnLeaving::MustBeOff,
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, DirectoryError>) -> &'static str {
    match outcome {
        Err(DirectoryError::Refused(rule)) => rule,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_organization_has_its_own_credits_workspace_and_owner(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let (acme, workspace) = found(engine, ada).await;
    let kind = store(engine).account_kind(acme).await.expect("asked");
    assert_eq!(kind, Some(AccountKind::Organization));
    let people = &engine.store.people;
    let memberships = people.memberships(ada).await.expect("asked");
    let kinds: Vec<_> = memberships.iter().map(|one| (one.kind, one.role)).collect();
    let own = (AccountKind::Personal, Role::Owner);
    assert_eq!(kinds, [own, (AccountKind::Organization, Role::Owner)]);
    assert_eq!(memberships[1].default_workspace_id, workspace);
    let credits = engine.directory().credits(acme).await.expect("a fund");
    assert_eq!(credits.total_credits.get(), 0);

    let stranger = PersonId::from_uuid(engine.fresh_uuid());
    let new = NewOrganization {
        account_id: AccountId::from_uuid(engine.fresh_uuid()),
        workspace_id: WorkspaceId::from_uuid(engine.fresh_uuid()),
        name: "x".to_owned(),
        founder: stranger,
        at: NOW,
    };
    let audit = event(new.account_id, "organization.create");
    let outcome = store(engine).create_organization(&new, &audit).await;
    assert_eq!(refused(outcome), UNVERIFIED_ADDRESS);
}

pub(crate) async fn an_invitation_is_for_one_address_and_works_once(engine: &Engine) {
    let (ada, bob, eve) = (
        person(engine, "ada").await,
        person(engine, "bob").await,
        person(engine, "eve").await,
    );
    let (acme, _) = found(engine, ada).await;
    let store = store(engine);
    let audit = event(acme, "invitation.create");
    let new = invitation(engine, (acme, ada), ("Bob@x.org", Role::Billing), 1);
    store
        .insert_invitation(&new, &audit)
        .await
        .expect("invited");
    let twice = invitation(engine, (acme, ada), ("bob@X.org", Role::Member), 2);
    let twice = store.insert_invitation(&twice, &audit).await;
    assert!(
        matches!(twice, Err(DirectoryError::Conflict("invitation"))),
        "{twice:?}"
    );

    let late = NOW.plus(WEEK);
    assert!(
        store
            .invitation(&[1; 32], late)
            .await
            .expect("asked")
            .is_none()
    );
    let shown = store
        .invitation(&[1; 32], NOW)
        .await
        .expect("asked")
        .expect("there");
    assert_eq!(
        (shown.role, shown.account_name.as_str()),
        (Role::Billing, "Acme")
    );
    assert_eq!(shown.inviter, "ada");
    let theirs = store.accept_invitation(&[1; 32], eve, &audit).await;
    assert_eq!(refused(theirs), OTHER_ADDRESS);

    let renewal = Renewal {
        token_hash: [3; 32],
        at: NOW,
        expires_at: late,
    };
    store
        .renew_invitation(acme, new.id, &renewal, &audit)
        .await
        .expect("renewed");
    for (token, works) in [([1; 32], false), ([3; 32], true), ([3; 32], false)] {
        let accepted = store.accept_invitation(&token, bob, &audit).await;
        assert_eq!(accepted.is_ok(), works, "{accepted:?}");
    }
    let member = store
        .organization_member(acme, bob)
        .await
        .expect("asked")
        .expect("in");
    assert_eq!(
        (member.role, member.source.as_str()),
        (Role::Billing, "invite")
    );
    refuse_members_and_strangers(engine, acme, ada, bob).await;
}

/// Nobody is invited twice, above the inviter's role, or to a personal account.
async fn refuse_members_and_strangers(
    engine: &Engine,
    acme: AccountId,
    ada: PersonId,
    bob: PersonId,
) {
    let store = store(engine);
    let audit = event(acme, "invitation.create");
    let again = invitation(engine, (acme, ada), ("bob@x.org", Role::Member), 4);
    let again = store.insert_invitation(&again, &audit).await;
    assert!(
        matches!(again, Err(DirectoryError::Conflict("member"))),
        "{again:?}"
    );
    let by_bob = invitation(engine, (acme, bob), ("eve@x.org", Role::Viewer), 5);
    let by_bob = store.insert_invitation(&by_bob, &audit).await;
    assert_eq!(refused(by_bob), ABOVE_OWN_ROLE);
    // A personal account takes nobody in.
    let own = AccountId::from_uuid(ada.as_uuid());
    let own = invitation(engine, (own, ada), ("eve@x.org", Role::Viewer), 6);
    let own = store.insert_invitation(&own, &audit).await;
    assert_eq!(refused(own), PERSONAL_ACCOUNT);
}

pub(crate) async fn nobody_gives_or_takes_a_role_above_their_own(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let (acme, _) = found(engine, ada).await;
    let cleo = join(engine, (acme, ada), "cleo", Role::Admin).await;
    let bob = join(engine, (acme, cleo), "bob", Role::Member).await;
    let (store, audit) = (store(engine), event(acme, "member.change_role"));
    for (by, of, roles) in [
        (cleo, ada, [Role::Owner, Role::Member]),
        (cleo, bob, [Role::Member, Role::Owner]),
        (bob, bob, [Role::Member, Role::Admin]),
        (bob, cleo, [Role::Admin, Role::Viewer]),
    ] {
        let outcome = store
            .change_role(&change(acme, by, of, roles), &audit)
            .await;
        assert_eq!(refused(outcome), ABOVE_OWN_ROLE, "{by} {of} {roles:?}");
    }
    let stale = change(acme, ada, bob, [Role::Viewer, Role::Admin]);
    let stale = store.change_role(&stale, &audit).await;
    assert!(
        matches!(stale, Err(DirectoryError::Conflict("role"))),
        "{stale:?}"
    );
    let fine = change(acme, cleo, bob, [Role::Member, Role::Admin]);
    store.change_role(&fine, &audit).await.expect("changed");
    let sent = store
        .end_membership(&departure(acme, cleo, ada), &audit)
        .await;
    assert_eq!(refused(sent), ABOVE_OWN_ROLE);
}

pub(crate) async fn of_two_owners_who_leave_at_once_one_stays(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let (acme, _) = found(engine, ada).await;
    let bob = join(engine, (acme, ada), "bob", Role::Owner).await;
    let audit = event(acme, "member.leave");
    let leave = async |who| {
        store(engine)
            .end_membership(&departure(acme, who, who), &audit)
            .await
    };
    let (one, other) = tokio::join!(leave(ada), leave(bob));
    let outcomes = [one, other];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(refused(outcome), LAST_OWNER);
    }
}

pub(crate) async fn keys_of_whoever_leaves_are_switched_off(engine: &Engine) {
    let ada = person(engine, "ada").await;
    let (acme, workspace) = found(engine, ada).await;
    let bob = join(engine, (acme, ada), "bob", Role::Member).await;
    let audit = event(acme, "member.remove");
    let mut lookup_ids = Vec::new();
    for _ in 0..3 {
        let mut key = engine.new_key_row(acme, workspace);
        key.key.creator_id = Some(bob);
        lookup_ids.push(key.lookup_id.clone());
        let keys = &engine.store.api_keys;
        keys.create_key(&key, None, &audit).await.expect("made");
    }
    let mut wanted = departure(acme, ada, bob);
    let blocked = store(engine).end_membership(&wanted, &audit).await;
    assert_eq!(refused(blocked), LIVE_KEYS);
    wanted.keys = KeysOnLeaving::SwitchOff;
    let off = store(engine)
        .end_membership(&wanted, &audit)
        .await
        .expect("left");
    let mut told: Vec<_> = off.iter().map(|key| key.lookup_id.clone()).collect();
    told.sort_unstable();
    lookup_ids.sort_unstable();
    assert_eq!(told, lookup_ids);
    for lookup_id in &lookup_ids {
        let stored = engine.directory().key_by_lookup_id(lookup_id).await;
        assert!(stored.expect("asked").expect("still there").key.disabled);
    }
    let mut late = engine.new_key_row(acme, workspace);
    late.key.creator_id = Some(bob);
    let late = engine.store.api_keys.create_key(&late, None, &audit).await;
    assert_eq!(refused(late), "creator");
}
