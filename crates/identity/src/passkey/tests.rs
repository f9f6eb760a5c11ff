use switchyard_testkit::authenticator::SoftAuthenticator;

use super::*;

const ORIGIN: &str = "http://localhost:8080";

fn passkeys() -> Passkeys {
    Passkeys::new(ORIGIN, "Switchyard").unwrap()
}

fn person() -> PersonId {
    "user_0190a3b4c5d67e8f9012345678901234".parse().unwrap()
}

/// A person's device with a passkey on it, and the passkey as it is stored.
fn enrolled(passkeys: &Passkeys) -> (SoftAuthenticator, StoredPasskey) {
    let mut device = SoftAuthenticator::at(ORIGIN);
    let challenge = passkeys
        .start_adding(person(), "m@example.com", "Maria", &[])
        .unwrap();
    let answer = device.register(&challenge.question).to_string();
    let stored = passkeys.finish_adding(&challenge.state, &answer).unwrap();
    (device, stored)
}

fn sign_in(
    passkeys: &Passkeys,
    device: &mut SoftAuthenticator,
    stored: &StoredPasskey,
) -> Result<StoredPasskey, PasskeyError> {
    let challenge = passkeys.start_sign_in().unwrap();
    let claim = passkeys
        .claim(&device.sign_in(&challenge.question).to_string())
        .unwrap();
    assert_eq!(claim.person, person());
    assert_eq!(claim.credential_id, stored.credential_id());
    passkeys.finish_sign_in(&challenge.state, &claim, stored)
}

#[test]
fn a_passkey_signs_in_alone() {
    let passkeys = passkeys();
    let (mut device, stored) = enrolled(&passkeys);
    let stored = StoredPasskey::from_stored(&stored.to_stored()).unwrap();
    let used = sign_in(&passkeys, &mut device, &stored).unwrap();
    assert_ne!(used.to_stored(), stored.to_stored(), "its uses are counted");
    sign_in(&passkeys, &mut device, &used).unwrap();
}

#[test]
fn devices_are_asked_for_one_that_signs_in_alone() {
    let passkeys = passkeys();
    let (_, stored) = enrolled(&passkeys);
    let challenge = passkeys
        .start_adding(person(), "m@example.com", "Maria", &[stored])
        .unwrap();
    let selection = &challenge.question["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(challenge.question["rp"]["id"], "localhost");
    assert_eq!(
        challenge.question["excludeCredentials"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let challenge = passkeys.start_sign_in().unwrap();
    assert_eq!(challenge.question["userVerification"], "required");
}

#[test]
fn an_answer_to_another_challenge_is_refused() {
    let passkeys = passkeys();
    let (mut device, stored) = enrolled(&passkeys);
    let [one, other] = [(); 2].map(|()| passkeys.start_sign_in().unwrap());
    let claim = passkeys
        .claim(&device.sign_in(&one.question).to_string())
        .unwrap();
    let refused = passkeys.finish_sign_in(&other.state, &claim, &stored);
    assert!(
        matches!(refused, Err(PasskeyError::Refused(_))),
        "{refused:?}"
    );
}

#[test]
fn a_foreign_origin_is_refused() {
    let passkeys = passkeys();
    let (mut device, stored) = enrolled(&passkeys);
    for origin in [
        "http://localhost:8081",
        "https://localhost:8080",
        "http://sub.localhost:8080",
        "http://evil.example",
    ] {
        device.visit(origin);
        let refused = sign_in(&passkeys, &mut device, &stored);
        assert!(matches!(refused, Err(PasskeyError::Refused(_))), "{origin}");
        let challenge = passkeys
            .start_adding(person(), "m@example.com", "Maria", &[])
            .unwrap();
        let answer = SoftAuthenticator::at(origin).register(&challenge.question);
        let refused = passkeys.finish_adding(&challenge.state, &answer.to_string());
        assert!(matches!(refused, Err(PasskeyError::Refused(_))), "{origin}");
    }
}

#[test]
fn a_device_that_did_not_ask_who_is_there_is_refused() {
    let passkeys = passkeys();
    let (mut device, stored) = enrolled(&passkeys);
    device.stop_verifying_people();
    let refused = sign_in(&passkeys, &mut device, &stored);
    assert!(matches!(refused, Err(PasskeyError::Refused(_))));
}

#[test]
fn a_copy_is_noticed_and_a_foreign_key_is_refused() {
    let passkeys = passkeys();
    let (mut device, stored) = enrolled(&passkeys);
    let used = sign_in(&passkeys, &mut device, &stored).unwrap();
    device.rewind();
    let refused = sign_in(&passkeys, &mut device, &used);
    assert!(matches!(refused, Err(PasskeyError::Refused(_))));

    let (_, other) = enrolled(&passkeys);
    let challenge = passkeys.start_sign_in().unwrap();
    let claim = passkeys
        .claim(&device.sign_in(&challenge.question).to_string())
        .unwrap();
    let refused = passkeys.finish_sign_in(&challenge.state, &claim, &other);
    assert!(matches!(refused, Err(PasskeyError::Refused(_))));
}

#[test]
fn what_cannot_be_read_is_said_to_be_so() {
    let passkeys = passkeys();
    for answer in ["", "{}", "[]", "null", r#"{"id":"x"}"#] {
        assert!(matches!(
            passkeys.claim(answer),
            Err(PasskeyError::UnreadableAnswer)
        ));
    }
    assert!(matches!(
        StoredPasskey::from_stored("{}"),
        Err(PasskeyError::UnreadableState)
    ));
    assert!(matches!(
        passkeys.finish_adding("{}", "{}"),
        Err(PasskeyError::UnreadableState)
    ));
    for origin in ["http://127.0.0.1:8080", "https://[::1]/", "localhost"] {
        let refused = Passkeys::new(origin, "Switchyard");
        assert!(matches!(refused, Err(PasskeyError::NoHostName(_))));
    }
}
