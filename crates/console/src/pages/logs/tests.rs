use switchyard_app::activity::{LogStatus, Turn};
use switchyard_domain::{
    clock::Timestamp,
    id::{ApiKeyId, GenerationId, WorkspaceId},
};

use super::{Address, LogRow, Places, place_of, turn_of};

fn row(number: u128) -> LogRow {
    let at = Timestamp::from_micros(i64::try_from(number).expect("small"));
    let nobody = "00000000000000000000000000000000";
    LogRow {
        generation_id: GenerationId::new(0, number),
        admitted_at: at,
        finished_at: at,
        workspace_id: format!("{}{nobody}", WorkspaceId::PREFIX)
            .parse()
            .expect("an id"),
        api_key_id: format!("{}{nobody}", ApiKeyId::PREFIX)
            .parse()
            .expect("an id"),
        status: LogStatus::Ok,
        model: "a/b".to_owned(),
        request: Default::default(),
        endpoint_id: None,
        provider: None,
        provider_name: None,
        is_byok: false,
        byok_credential_id: None,
        finish_reason: None,
        first_token_ms: None,
        generation_time_ms: None,
        attempts: 1,
        failure: None,
        usage: Default::default(),
        charge: Default::default(),
        app: None,
    }
}

/// What the store answers, the page's rows by number, and where its neighbours begin.
fn paged(turn: &str, numbers: &[u128]) -> (Vec<i64>, Option<i64>, Option<i64>) {
    let turn = turn_of(&Address::parse(turn));
    let mut rows: Vec<_> = numbers.iter().map(|number| row(*number)).collect();
    let places = Places::of(&turn, &mut rows, 2);
    let micros = |place: Option<(&str, String)>| {
        place.map(|(_, text)| {
            let (micros, _) = text.split_once('.').expect("a place");
            micros.parse().expect("a number")
        })
    };
    let shown = rows.iter().map(|row| row.admitted_at.micros()).collect();
    (shown, micros(places.newer), micros(places.older))
}

#[test]
fn pages_lead_to_their_neighbours() {
    let before = format!("/logs?before={}", place_of(&row(9)));
    let after = format!("/logs?after={}", place_of(&row(3)));
    for (turn, numbers, shown, newer, older) in [
        ("/logs", vec![9, 8, 7], vec![9, 8], None, Some(8)),
        ("/logs", vec![9, 8], vec![9, 8], None, None),
        (&before, vec![8, 7, 6], vec![8, 7], Some(8), Some(7)),
        (&before, vec![8], vec![8], Some(8), None),
        (&after, vec![4, 5, 6], vec![5, 4], Some(5), Some(4)),
        (&after, vec![4, 5], vec![5, 4], None, Some(4)),
        ("/logs?end=1", vec![1, 2, 3], vec![2, 1], Some(2), None),
    ] {
        assert_eq!(
            paged(turn, &numbers),
            (shown, newer, older),
            "{turn} {numbers:?}"
        );
    }
}

#[test]
fn a_broken_place_is_the_beginning() {
    for turn in ["/logs?before=x", "/logs?before=1.gen-x", "/logs?after=.."] {
        assert_eq!(turn_of(&Address::parse(turn)), Turn::Newest);
    }
}
