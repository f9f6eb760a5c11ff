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

/// The AES-256 cases of the GCM specification: 13 (nothing), 14 (one block) and 16 (authenticated
/// data and a part of a block).
#[test]
fn t06_gcm_gives_what_its_specification_says() {
    let zeroes = "00".repeat(32);
    let cases = [
        (
            &*zeroes,
            &*"00".repeat(12),
            "",
            "",
            "",
            "530f8afbc74536b9a963b4f1c4cb738b",
        ),
        (
            &*zeroes,
            &*"00".repeat(12),
            "",
            &*"00".repeat(16),
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e\
             2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b\
             1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ];
    for (key, nonce, authenticated, plain, ciphertext, tag) in cases {
        let (key, nonce, authenticated) = (array(key), array(nonce), bytes(authenticated));
        let mut buffer = bytes(plain);
        assert_eq!(
            encrypt(&key, &nonce, &authenticated, &mut buffer),
            array(tag)
        );
        assert_eq!(buffer, bytes(ciphertext));
        decrypt(&key, &nonce, &authenticated, &mut buffer, &array(tag)).expect("the tag fits");
        assert_eq!(buffer, bytes(plain));
    }
}

#[test]
fn a_forgery_leaves_ciphertext_in_the_buffer() {
    let mut buffer = *b"plain";
    let mut tag = encrypt(&[1; 32], &[2; 12], b"", &mut buffer);
    let ciphertext = buffer;
    tag[0] ^= 1;
    assert_eq!(
        decrypt(&[1; 32], &[2; 12], b"", &mut buffer, &tag),
        Err(Forged)
    );
    assert_eq!(buffer, ciphertext);
}

/// RFC 5869, test cases 1 and 3.
#[test]
fn t06_hkdf_gives_what_its_specification_says() {
    let material = [0x0b; 22];
    let cases = [
        (
            Some(bytes("000102030405060708090a0b0c")),
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            None,
            "",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (salt, info, expected) in cases {
        let mut derived = [0; 42];
        Hkdf::<Sha256>::new(salt.as_deref(), &material)
            .expand(&bytes(info), &mut derived)
            .expect("42 bytes are few");
        assert_eq!(derived.as_slice(), bytes(expected));
    }
}

#[test]
fn labels_give_unrelated_keys() {
    let material = [7; 32];
    assert_ne!(
        derive(&material, "one").expose(),
        derive(&material, "two").expose()
    );
    assert_ne!(derive(&material, "one").expose(), &material);
}
