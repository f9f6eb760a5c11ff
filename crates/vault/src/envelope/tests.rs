use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;
use switchyard_domain::{id::AccountId, provider::ProviderSlug};

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().expect("as many bytes")
}

/// 0, 1, 2, …
#[derive(Default)]
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

fn context() -> SecretContext {
    let account: AccountId = "acct_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"
        .parse()
        .expect("a well-formed id");
    SecretContext {
        tenant: Tenant::Account(account),
        workspace: Some(
            "ws_0193a1b2c3d47e5f8a9b0c1d2e3f4a5c"
                .parse()
                .expect("a well-formed id"),
        ),
        provider: ProviderSlug::new("azure"),
        endpoint_host: Some("acme.openai.azure.com".into()),
        record: "cred_0193a1b2c3d47e5f8a9b0c1d2e3f4a5d"
            .parse()
            .expect("a well-formed id"),
        record_version: 3,
    }
}

fn tenant_key(version: u32) -> TenantKey {
    TenantKey {
        tenant: context().tenant,
        version,
        key: Secret::new([7; 32]),
    }
}

/// What an independent implementation made of the same inputs.
#[test]
fn t06_the_bytes_are_the_documented_ones() {
    let sealed = seal(&tenant_key(1), &context(), b"secret", &Counting::default()).unwrap();
    let expected = bytes(
        "535953420101709b3774dc98478495e07f758aa25e88000000015c4e839850e0dfda71ee36a3422e3b7dfe551a\
         ab652be5974968b86a147957172c2d2e2f3031323334353637017d5155d5674a18ac902e2e868ad7e2bfaeaf50\
         a10941a06130b30e86953920107059eec73a7b82c2e633d8d45b8de0202122232425262728292a2b8d72e62230\
         25bd671f20686335d08944023ba9f0db15",
    );
    assert_eq!(sealed.as_bytes(), expected);
}

#[test]
fn t03_parsing_is_checked() {
    let sealed = seal(&tenant_key(1), &context(), b"secret", &Counting::default()).unwrap();
    let check = |change: fn(&mut Vec<u8>)| {
        let mut bytes = sealed.as_bytes().to_vec();
        change(&mut bytes);
        Parts::parse(&bytes).map(|parts| parts.ciphertext.len())
    };
    assert_eq!(check(|_| ()), Ok(6));
    assert_eq!(check(|bytes| bytes[0] = b'X'), Err(Malformed::NotSealed));
    assert_eq!(check(|bytes| bytes[4] = 2), Err(Malformed::Format(2)));
    assert_eq!(check(|bytes| bytes[5] = 0), Err(Malformed::Algorithm(0)));
    assert_eq!(
        check(|bytes| bytes.truncate(HEADER_BYTES + TAG_BYTES)),
        Ok(0)
    );
    assert_eq!(
        check(|bytes| bytes.truncate(HEADER_BYTES + TAG_BYTES - 1)),
        Err(Malformed::NotSealed)
    );
    assert_eq!(
        check(|bytes| bytes.resize(SEALED_BYTES_MAX, 0)),
        Ok(SECRET_BYTES_MAX)
    );
    assert_eq!(
        check(|bytes| bytes.resize(SEALED_BYTES_MAX + 1, 0)),
        Err(Malformed::NotSealed)
    );
    for length in 0..HEADER_BYTES + TAG_BYTES {
        assert_eq!(
            Parts::parse(&sealed.as_bytes()[..length]).err(),
            Some(Malformed::NotSealed)
        );
    }
}

proptest! {
    #[test]
    fn t03_whatever_parses_says_the_same_again(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        genuine_start in any::<bool>(),
    ) {
        if genuine_start && bytes.len() >= 6 {
            bytes[..6].copy_from_slice(b"SYSB\x01\x01");
        }
        if let Ok(parts) = Parts::parse(&bytes) {
            let again = parts.to_sealed();
            prop_assert_eq!(again.as_bytes(), &bytes);
            prop_assert!(open(&tenant_key(1), &context(), &parts).is_err());
        }
    }
}

/// GCM lets one ciphertext be built that opens under two keys, to different plaintexts. This one
/// was; the commitment makes only the first key count.
#[test]
fn t05_a_ciphertext_for_two_keys_opens_under_one() {
    let first = Secret::new(array(
        "ec3f4b91fdba93d2e34b3cb8ab2dfc93b2453056936fad3892361ae40be404fb",
    ));
    let second = Secret::new(array(
        "e57ca2daa883a669793a8ae943e69ee06da41ae8e2105f5513645836bf87a0f9",
    ));
    let nonce = array("3720c0d10d4b366f7d35a062");
    let ciphertext = bytes("0fff9ec666f0fdb19566f2d3c4e09add7a15739b12fe33d06480684166710672");
    let tag = array("b31f4ab2d9244aded2b69b588d48fe1e");
    let (_, commitment) = commit(&first);

    let authenticated = secret_data(&context(), &commitment);
    let plaintexts = [&first, &second].map(|data_key| {
        let mut buffer = ciphertext.clone();
        let (key, _) = commit(data_key);
        cipher::decrypt(
            key.expose(),
            &nonce,
            authenticated.as_bytes(),
            &mut buffer,
            &tag,
        )
        .expect("the cipher alone is fooled");
        buffer
    });
    assert_ne!(plaintexts[0], plaintexts[1]);

    let opened = [&first, &second].map(|data_key| {
        let (wrap_nonce, wrapped) =
            wrap(&tenant_key(1), &context(), data_key, &Counting::default()).unwrap();
        let parts = Parts {
            tenant_key_id: TenantKey::id(context().tenant),
            tenant_key_version: 1,
            commitment,
            wrap_nonce,
            wrapped,
            nonce,
            ciphertext: &ciphertext,
            tag,
        };
        open(&tenant_key(1), &context(), &parts).map(|secret| secret.expose().clone())
    });
    assert_eq!(opened, [Ok(plaintexts[0].clone()), Err(Forged)]);
}

#[test]
fn t07_a_rewrap_leaves_the_secret_as_it_is() {
    let random = Counting::default();
    let newer = TenantKey {
        key: Secret::new([8; 32]),
        ..tenant_key(2)
    };
    let sealed = seal(&tenant_key(1), &context(), b"secret", &random).unwrap();
    let parts = Parts::parse(sealed.as_bytes()).unwrap();
    let moved = rewrap(&tenant_key(1), &newer, &context(), &parts, &random)
        .unwrap()
        .unwrap();
    let nonce_at = HEADER_BYTES - NONCE_BYTES;
    assert_eq!(moved.as_bytes()[nonce_at..], sealed.as_bytes()[nonce_at..]);
    assert_ne!(
        moved.as_bytes()[58..nonce_at],
        sealed.as_bytes()[58..nonce_at]
    );

    let parts = Parts::parse(moved.as_bytes()).unwrap();
    assert_eq!(parts.tenant_key_version, 2);
    assert_eq!(
        open(&newer, &context(), &parts).unwrap().expose(),
        b"secret"
    );
    assert!(open(&tenant_key(1), &context(), &parts).is_err());
}

#[test]
fn debug_shows_no_bytes() {
    let sealed = SealedSecret::from_bytes(vec![1, 2, 3]);
    assert_eq!(format!("{sealed:?}"), "[sealed, 3 bytes]");
}
