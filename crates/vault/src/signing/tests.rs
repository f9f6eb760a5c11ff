use super::*;
use crate::random::OsRandom;

/// The first two test vectors of RFC 8032, section 7.1.
#[test]
fn signatures_are_those_of_the_standard() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ] {
        let key = SigningKey::from_seed(&bytes(seed)).expect("a seed");
        assert_eq!(hex(key.public_key().as_bytes()), public);
        let signed = key.sign(&bytes(message));
        assert_eq!(hex(&signed.0), signature);
        assert_eq!(key.public_key().verify(&bytes(message), &signed), Ok(()));
    }
}

#[test]
fn nothing_but_the_message_and_the_key_verifies() {
    let [key, other] = [(), ()].map(|()| SigningKey::generate(&OsRandom).expect("randomness"));
    let signature = key.sign(b"message");
    assert_eq!(key.public_key().verify(b"message", &signature), Ok(()));
    assert_eq!(
        key.public_key().verify(b"messagf", &signature),
        Err(BadSignature)
    );
    assert_eq!(
        other.public_key().verify(b"message", &signature),
        Err(BadSignature)
    );
    for at in 0..SIGNATURE_BYTES {
        let mut changed = signature;
        changed.0[at] ^= 1;
        assert_eq!(
            key.public_key().verify(b"message", &changed),
            Err(BadSignature),
            "byte {at}"
        );
    }
}

/// A key of small order verifies anything where it is let in.
#[test]
fn a_weak_key_verifies_nothing() {
    let mut identity = [0; PUBLIC_KEY_BYTES];
    identity[0] = 1;
    let mut signature = [0; SIGNATURE_BYTES];
    signature[0] = 1;
    assert_eq!(
        PublicKey(identity).verify(b"any message", &Signature(signature)),
        Err(BadSignature)
    );
}

#[test]
fn texts_come_back_and_others_are_refused() {
    let key = SigningKey::from_seed(&[7; 32]).expect("a seed");
    let (public, signature) = (key.public_key(), key.sign(b"x"));
    assert_eq!(public.to_string().parse(), Ok(public));
    assert_eq!(signature.to_string().parse(), Ok(signature));
    assert_ne!(
        public.key_id(),
        SigningKey::from_seed(&[8; 32])
            .expect("a seed")
            .public_key()
            .key_id()
    );
    for bad in ["", "AAAA", "not base64", &format!("{public}A")] {
        assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        assert!(bad.parse::<Signature>().is_err(), "{bad}");
    }
    assert!(SigningKey::from_seed(&[7; 31]).is_none());
}

#[test]
fn a_private_key_cannot_be_printed() {
    let key = SigningKey::from_seed(&[7; 32]).expect("a seed");
    assert_eq!(format!("{key:?}"), "[signing key]");
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
        .collect()
}
