//! What the directory must do on every engine.

pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod credentials;
pub(crate) mod decisions;
pub(crate) mod generations;
pub(crate) mod key_deletion;
pub(crate) mod policies;
pub(crate) mod receipts;
pub(crate) mod sealed;
pub(crate) mod usage;

/// Writes one test per case over a fresh database.
#[macro_export]
macro_rules! directory_test_suite {
    ($fixture:path) => {
        $crate::directory_test_suite!(@cases $fixture;
            accounts::an_account_is_found_by_id_and_by_address,
            accounts::an_address_belongs_to_one_account,
            accounts::ids_are_not_used_twice,
            accounts::parallel_sign_ups_with_one_address_make_one_account,
            accounts::credits_tell_what_was_granted_and_used,
            accounts::nodes_and_audit_events_are_recorded,
            api_keys::a_key_is_read_back_as_it_was_stored,
            api_keys::a_key_needs_a_workspace_of_its_account,
            api_keys::lookup_ids_are_unique,
            api_keys::switching_off_and_on,
            api_keys::a_deleted_key_is_gone_for_good,
            api_keys::another_workspace_cannot_touch_a_key,
            api_keys::lists_come_newest_first_in_pages,
            api_keys::a_poll_sees_every_change_once_in_order,
            api_keys::a_poll_during_parallel_changes_misses_none,
            credentials::a_provider_credential_replaces_its_namesake,
            credentials::the_revision_changes_with_every_credential,
            credentials::the_first_tenant_key_wins,
            credentials::a_rewrap_needs_the_wrapping_it_read,
            credentials::rotation_finds_what_is_left_to_rewrap,
            credentials::t08_sealed_rows_are_noticed,
            sealed::t08_each_kind_of_sealed_row_is_noticed_by_itself,
            sealed::records_are_found_until_they_are_under_the_key,
            sealed::t07_a_rewrap_needs_the_bytes_it_read,
            sealed::running_nodes_hear_of_a_rewrap,
            key_deletion::a_key_goes_only_when_nothing_names_it,
            key_deletion::no_record_is_stored_under_a_key_that_went,
            key_deletion::a_shredded_account_has_neither_keys_nor_records,
            sealed::versions_are_counted,
            sealed::a_verifier_is_replaced_once,
            generations::a_generation_is_read_back_as_it_was_settled,
            generations::a_generation_that_nothing_served_is_read_back,
            generations::other_accounts_see_nothing,
            generations::months_do_not_matter_to_a_lookup,
            generations::text_without_nul_survives,
            receipts::a_receipt_comes_with_its_generation_where_it_was_asked_for,
            receipts::a_chain_grows_only_from_where_it_ends,
            receipts::a_chain_takes_all_of_a_list_or_none,
            receipts::parallel_nodes_leave_no_gap,
            receipts::what_is_signed_stays_as_it_is,
            receipts::the_first_signing_key_wins,
            decisions::a_walk_sees_each_generation_once,
            decisions::a_walk_keeps_to_its_account_and_time,
            policies::a_policy_is_read_back_as_it_was_set,
            policies::a_subject_must_be_the_accounts_own,
            policies::a_caller_gets_its_own_layers_outermost_first,
            policies::a_cleared_policy_is_gone_but_noticed,
            policies::a_poll_sees_the_latest_change_of_each,
            policies::every_change_is_in_the_audit_log,
            usage::spending_is_told_by_window,
            usage::byok_traffic_is_told_apart,
            usage::a_new_key_used_nothing,
        );
    };
    (@cases $fixture:path; $($group:ident::$case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let engine = $fixture().await;
                $crate::directory::$group::$case(&engine).await;
            }
        )+
    };
}
