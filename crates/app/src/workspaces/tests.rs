use serde_json::json;
use switchyard_domain::{clock::Timestamp, id::AccountId};
use uuid::Uuid;

use super::*;

fn edit() -> WorkspaceEdit {
    WorkspaceEdit::default()
}

fn refused_field(edit: WorkspaceEdit) -> Option<String> {
    match edit.checked() {
        Err(WorkspaceError::Invalid { field, .. }) => Some(field),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn slugs_are_small_segments_with_single_hyphens() {
    let longest = "a".repeat(50);
    let longer = "a".repeat(51);
    for (slug, is_one) in [
        ("a", true),
        ("team-a", true),
        ("2026-q4", true),
        ("default", true),
        (&*longest, true),
        (&*longer, false),
        ("", false),
        ("-a", false),
        ("a-", false),
        ("a--b", false),
        ("Team", false),
        ("a_b", false),
        ("a b", false),
        ("a/b", false),
        ("ä", false),
        ("ws_0", false),
        ("%", false),
    ] {
        let edit = WorkspaceEdit {
            slug: Some(slug.to_owned()),
            ..edit()
        };
        assert_eq!(refused_field(edit).is_none(), is_one, "{slug}");
        assert_eq!(name_of(slug).is_some(), is_one, "{slug}");
    }
}

#[test]
fn a_workspace_is_named_by_id_or_slug() {
    let id = WorkspaceId::from_uuid(Uuid::from_u128(7));
    assert_eq!(name_of(&id.to_string()), Some(WorkspaceName::Id(id)));
    assert_eq!(
        name_of("team"),
        Some(WorkspaceName::Slug("team".to_owned()))
    );
    assert_eq!(name_of("acct_00000000000000000000000000000007"), None);
}

#[test]
fn words_have_their_lengths_in_characters() {
    for (name, is_one) in [
        ("ä".repeat(100), true),
        ("ä".repeat(101), false),
        (String::new(), false),
        (" \t".to_owned(), false),
    ] {
        let edit = WorkspaceEdit {
            name: Some(name.clone()),
            ..edit()
        };
        let refused = refused_field(edit);
        assert_eq!(refused.is_none(), is_one, "{name}");
        assert!(refused.is_none_or(|field| field == "name"));
    }
    for (length, is_one) in [(0, true), (500, true), (501, false)] {
        let edit = WorkspaceEdit {
            description: Patch::Set("ä".repeat(length)),
            ..edit()
        };
        assert_eq!(refused_field(edit).is_none(), is_one, "{length}");
    }
}

#[test]
fn a_sort_is_one_that_routing_knows() {
    for (sort, known) in [
        ("price", Some(SortKey::Price)),
        ("throughput", Some(SortKey::Throughput)),
        ("latency", Some(SortKey::Latency)),
        ("exacto", Some(SortKey::Exacto)),
        ("expected_cost", Some(SortKey::ExpectedCost)),
        ("Price", None),
        ("", None),
    ] {
        let edit = WorkspaceEdit {
            default_provider_sort: Patch::Set(sort.to_owned()),
            ..edit()
        };
        let checked = edit.checked().ok().and_then(|checked| checked.sort);
        assert_eq!(checked.flatten(), known, "{sort}");
    }
}

#[test]
fn the_audit_log_hears_of_what_was_mentioned() {
    let checked = WorkspaceEdit {
        slug: Some("new".to_owned()),
        description: Patch::Clear,
        default_provider_sort: Patch::Set("price".to_owned()),
        ..edit()
    }
    .checked()
    .expect("nothing is wrong with it");
    let before = Workspace {
        row: WorkspaceRow {
            id: WorkspaceId::from_uuid(Uuid::from_u128(1)),
            account_id: AccountId::from_uuid(Uuid::from_u128(2)),
            name: "Team".to_owned(),
            slug: "old".to_owned(),
            description: Some("words".to_owned()),
            is_default: false,
            created_by: None,
            created_at: Timestamp::from_seconds(1),
            updated_at: None,
        },
        default_provider_sort: None,
    };
    assert_eq!(
        checked.told_before(&before),
        json!({ "slug": "old", "description": "words", "default_provider_sort": null })
    );
    assert_eq!(
        checked.told(),
        json!({ "slug": "new", "description": null, "default_provider_sort": "price" })
    );
    assert!(edit().checked().expect("nothing").is_nothing());
}
