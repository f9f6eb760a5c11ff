//! Whatever is done to receipts that were issued, it is noticed and named.

use super::{super::verify::FaultKind, *};

fn lines(receipts: &[Value]) -> String {
    receipts
        .iter()
        .map(|receipt| format!("{receipt}\n"))
        .collect()
}

/// The faults of a text, as `place: kind`.
fn faults(text: &str) -> Vec<(usize, FaultKind)> {
    let report = verify(text, &trusted(&[&key(7)]));
    assert_eq!(report.ok, report.faults.is_empty());
    report
        .faults
        .into_iter()
        .map(|fault| (fault.receipt, fault.fault))
        .collect()
}

#[test]
fn what_was_issued_holds() {
    let receipts = chain(HERE, 4);
    let text = lines(&receipts);
    assert_eq!(faults(&text), []);
    let report = verify(&text, &trusted(&[&key(7)]));
    assert_eq!(report.receipts, 4);
    assert_eq!(
        (
            report.chains[0].first_sequence,
            report.chains[0].last_sequence
        ),
        (1, 4)
    );
    // However it is laid out, and from wherever it begins.
    let pretty = serde_json::to_string_pretty(&receipts[2]).expect("JSON");
    assert_eq!(faults(&pretty), []);
    assert_eq!(faults(&lines(&receipts[1..])), []);
    // Two workspaces have two chains.
    let other = chain(ELSEWHERE, 2);
    let mixed = [&receipts[0], &other[0], &receipts[1], &other[1]].map(Clone::clone);
    assert_eq!(faults(&lines(&mixed)), []);
    assert_eq!(verify(&lines(&mixed), &trusted(&[&key(7)])).chains.len(), 2);
}

/// Paths to everything in a receipt that is no object and no list.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| leaves(member, &format!("{path}/{name}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| leaves(item, &format!("{path}/{index}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push(path.to_owned());
        }
    }
}

/// Another value of the same kind.
fn changed(path: &str, value: &Value) -> Value {
    match (path, value) {
        (_, Value::Bool(flag)) => json!(!flag),
        ("/version", _) => json!(2),
        (_, Value::Number(number)) => json!(number.as_u64().expect("small") + 1),
        ("/policy/allowed_data_regions" | "/attempts/1/regions", _) => json!(["us"]),
        ("/attempts/1/retains_prompts", _) => json!(true),
        ("/workspace_id", _) => json!(ELSEWHERE),
        ("/generation_id", _) => json!(GenerationId::new(1, 1)),
        ("/signature", Value::String(text)) => json!(format!("B{}", &text[1..])),
        (path, Value::String(text)) if path.ends_with("/credential") => {
            json!(if text == "own" { "shared" } else { "own" })
        }
        (_, Value::String(text)) => json!(format!("{text}x")),
        (_, other) => panic!("{path}: {other}"),
    }
}

#[test]
fn an_edit_of_any_field_is_named() {
    let receipts = chain(HERE, 2);
    let mut paths = Vec::new();
    leaves(&receipts[1], "", &mut paths);
    assert!(paths.len() > 30, "{paths:?}");
    for path in paths {
        let mut edited = receipts[1].clone();
        let field = edited.pointer_mut(&path).expect("a field");
        *field = changed(&path, field);
        let found = faults(&edited.to_string());
        let expected = match path.as_str() {
            "/version" => FaultKind::Version,
            "/key_id" => FaultKind::UnknownKey,
            "/signature" => FaultKind::Signature,
            _ => FaultKind::Edited,
        };
        assert_eq!(found.first(), Some(&(1, expected)), "{path}");
    }
}

#[test]
fn a_list_made_shorter_or_a_field_turned_to_null_is_named() {
    let receipt = chain(HERE, 1).remove(0);
    for (path, value) in [
        ("/attempts", json!([receipt["attempts"][1]])),
        ("/attempts", json!([])),
        ("/policy/allowed_data_regions", Value::Null),
        ("/policy/allowed_data_regions", json!([])),
        ("/attempts/0/regions", Value::Null),
        ("/attempts/0/retains_prompts", Value::Null),
        ("/decision_digest", Value::Null),
    ] {
        let mut edited = receipt.clone();
        *edited.pointer_mut(path).expect("a field") = value;
        assert_eq!(
            faults(&edited.to_string()),
            [(1, FaultKind::Edited)],
            "{path}"
        );
    }
}

#[test]
fn what_is_no_receipt_is_named() {
    let receipt = chain(HERE, 1).remove(0);
    let without = |name: &str| {
        let mut less = receipt.clone();
        less.as_object_mut().expect("an object").remove(name);
        less.to_string()
    };
    let with = |path: &str, name: &str| {
        let mut more = receipt.clone();
        more.pointer_mut(path).expect("an object")[name] = json!(1);
        more.to_string()
    };
    for text in [
        without("statement"),
        without("previous_hash"),
        without("signature"),
        without("version"),
        with("", "note"),
        with("/policy", "note"),
        with("/attempts/0", "note"),
        // The same name twice: readers differ in which of the two they take.
        receipt
            .to_string()
            .replacen("\"zdr\":true", "\"zdr\":true,\"zdr\":true", 1),
        receipt
            .to_string()
            .replacen("\"number\":1", "\"number\":1.0", 1),
        receipt.to_string().trim_end_matches('}').to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
    ] {
        assert_eq!(faults(&text), [(1, FaultKind::Unreadable)], "{text}");
    }
    for nothing in ["", " \n"] {
        assert_eq!(faults(nothing), [(0, FaultKind::Empty)]);
    }
    // What comes before damage is still checked.
    let torn = format!("{receipt}\n{{");
    assert_eq!(faults(&torn), [(2, FaultKind::Unreadable)]);
}

#[test]
fn a_hash_made_to_fit_has_no_signature() {
    let mut edited = chain(HERE, 1).remove(0);
    edited["policy"]["zdr"] = json!(false);
    let Value::Object(members) = edited.clone() else {
        panic!("{edited}")
    };
    let hash = document::body_hash(members).expect("integers only");
    edited["hash"] = json!(canonical::hex(&hash));
    assert_eq!(faults(&edited.to_string()), [(1, FaultKind::Signature)]);

    // Signed anew with a key of the forger's own.
    edited["signature"] = json!(key(8).sign(&hash).to_string());
    assert_eq!(faults(&edited.to_string()), [(1, FaultKind::Signature)]);
    edited["key_id"] = json!(key(8).public_key().key_id());
    assert_eq!(faults(&edited.to_string()), [(1, FaultKind::UnknownKey)]);
    // Whoever trusts that key has to.
    assert!(verify(&edited.to_string(), &trusted(&[&key(7), &key(8)])).ok);
}

#[test]
fn a_chain_out_of_shape_is_named() {
    let receipts = chain(HERE, 6);
    let of = |places: &[usize]| {
        let chosen: Vec<_> = places
            .iter()
            .map(|place| receipts[place - 1].clone())
            .collect();
        faults(&lines(&chosen))
    };
    for (places, expected) in [
        (&[1, 2, 4][..], vec![(3, FaultKind::Gap)]),
        (&[1, 5, 6], vec![(2, FaultKind::Gap)]),
        (&[2, 1, 3], vec![(2, FaultKind::Reordered)]),
        (&[1, 2, 2, 3], vec![(3, FaultKind::Duplicate)]),
        (
            &[3, 1],
            vec![(1, FaultKind::Gap), (2, FaultKind::Reordered)],
        ),
    ] {
        assert_eq!(of(places), expected, "{places:?}");
    }
}

#[test]
fn a_receipt_of_another_chain_does_not_fit() {
    let receipts = chain(HERE, 3);
    // The same key signed another second receipt behind another first one.
    let pending = Pending {
        head: None,
        receipts: vec![draft(HERE, 8), draft(HERE, 9)],
    };
    let other = sign(pending, &key(7)).remove(1).document;
    let text = format!("{}\n{other}\n{}\n", receipts[0], receipts[2]);
    assert_eq!(
        faults(&text),
        [(2, FaultKind::BrokenLink), (3, FaultKind::BrokenLink)]
    );
    // A first receipt that names one before it, or a later one that names none.
    let head = ChainHead {
        sequence: 0,
        hash: [1; 32],
    };
    let pending = |head| Pending {
        head,
        receipts: vec![draft(HERE, 1)],
    };
    let first = sign(pending(Some(head)), &key(7)).remove(0).document;
    assert_eq!(faults(&first), [(1, FaultKind::BrokenLink)]);
}

#[test]
fn keys_are_what_they_are_called() {
    let good = json!({
        "key_id": key(7).public_key().key_id(),
        "algorithm": "ed25519",
        "public_key": key(7).public_key().to_string(),
    });
    assert!(TrustedKeys::from_json(&json!([good]).to_string()).is_ok());
    for (field, value, complaint) in [
        ("algorithm", json!("rsa"), "algorithm other than ed25519"),
        ("public_key", json!("AAAA"), "no 32 bytes"),
        (
            "public_key",
            json!(key(8).public_key().to_string()),
            "another key's name",
        ),
        ("key_id", json!(7), "not a list of keys"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = TrustedKeys::from_json(&json!([bad]).to_string()).expect_err(complaint);
        assert!(refused.to_string().contains(complaint), "{refused}");
    }
    assert!(TrustedKeys::from_json(&good.to_string()).is_err());
}
