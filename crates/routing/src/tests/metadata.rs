//! The router's account of itself.

use expect_test::expect;

use super::fixture::Case;
use crate::metadata::{AttemptOutcome, RouterMetadata};

#[test]
fn it_has_openrouters_shape() {
    let plan = Case::new("acme $1 | bolt $2 | cato $3")
        .ask("order=bolt ignore=cato")
        .select()
        .expect("two may serve");
    let outcomes: Vec<AttemptOutcome> = plan
        .candidates
        .iter()
        .zip([503, 200])
        .map(|(candidate, status)| AttemptOutcome {
            endpoint: candidate.vetted.endpoint().id.clone(),
            status,
            is_byok: status == 200,
        })
        .collect();
    let metadata = RouterMetadata::new(&plan.record, &outcomes);
    expect![[r#"
        {
          "requested": "lab/m",
          "strategy": "direct",
          "region": null,
          "summary": "available=2 of 3, selected=Acme",
          "attempt": 2,
          "is_byok": true,
          "endpoints": {
            "total": 3,
            "available": [
              {
                "provider": "Bolt",
                "model": "lab/m",
                "selected": false
              },
              {
                "provider": "Acme",
                "model": "lab/m",
                "selected": true
              }
            ]
          },
          "attempts": [
            {
              "provider": "Bolt",
              "model": "lab/m",
              "status": 503
            },
            {
              "provider": "Acme",
              "model": "lab/m",
              "status": 200
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&metadata).expect("it is plain data"));
}

#[test]
fn attempt_zero_is_nothing_dispatched() {
    let plan = Case::new("acme $1").select().expect("it may serve");
    let metadata = RouterMetadata::new(&plan.record, &[]);
    expect![[r#"{"requested":"lab/m","strategy":"direct","region":null,"summary":"available=1 of 1, nothing dispatched","attempt":0,"is_byok":false,"endpoints":{"total":1,"available":[{"provider":"Acme","model":"lab/m","selected":false}]}}"#]].assert_eq(&serde_json::to_string(&metadata).expect("it is plain data"));
}

#[test]
fn an_endpoint_counts_once_whoever_has_credentials_for_it() {
    let plan = Case::new("acme $1 | bolt $2")
        .ask("own=K1@acme own=K2@acme own=K3@bolt:fallback u=0")
        .select()
        .expect("both may serve");
    assert_eq!(plan.candidates.len(), 5);
    let outcomes = [429, 200].map(|status| AttemptOutcome {
        endpoint: plan.candidates[0].vetted.endpoint().id.clone(),
        status,
        is_byok: true,
    });
    let metadata = RouterMetadata::new(&plan.record, &outcomes);
    let json = serde_json::to_string(&metadata).expect("it is plain data");
    expect![[r#"{"requested":"lab/m","strategy":"direct","region":null,"summary":"available=2 of 2, selected=Acme","attempt":2,"is_byok":true,"endpoints":{"total":2,"available":[{"provider":"Acme","model":"lab/m","selected":true},{"provider":"Bolt","model":"lab/m","selected":false}]},"attempts":[{"provider":"Acme","model":"lab/m","status":429},{"provider":"Acme","model":"lab/m","status":200}]}"#]].assert_eq(&json);
}
