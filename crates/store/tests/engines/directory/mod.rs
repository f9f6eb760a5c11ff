//! What the directory must do on every engine.

pub(crate) mod accounts;
pub(crate) mod activity_log;
pub(crate) mod activity_roll_ups;
pub(crate) mod activity_sums;
mod activity_traffic;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod console_keys;
pub(crate) mod credential_states;
pub(crate) mod credentials;
pub(crate) mod decisions;
pub(crate) mod generations;
pub(crate) mod idempotency;
pub(crate) mod key_deletion;
pub(crate) mod key_rotation;
pub(crate) mod managed_keys;
pub(crate) mod members;
pub(crate) mod oauth_codes;
pub(crate) mod organizations;
pub(crate) mod own_credentials;
pub(crate) mod people;
pub(crate) mod policies;
pub(crate) mod proofs;
pub(crate) mod receipts;
pub(crate) mod sealed;
pub(crate) mod usage;
pub(crate) mod workspaces;

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
            activity_roll_ups::random_batches_add_up_to_their_generations,
            activity_roll_ups::what_was_posted_without_is_rolled_up_once,
            activity_roll_ups::nodes_that_roll_up_at_once_count_nothing_twice,
            activity_sums::every_part_of_a_range_is_counted_once,
            activity_sums::sums_are_cut_by_time_and_dimension,
            activity_sums::filters_hold_wherever_sums_come_from,
            activity_sums::facets_count_values,
            activity_log::pages_follow_each_other_both_ways,
            activity_log::filters_read_as_they_say,
            activity_log::other_accounts_read_nothing,
            activity_log::what_finished_late_is_found_by_its_end,
            activity_log::sessions_are_listed_by_their_last_turn,
            activity_log::names_outlive_what_they_name,
            api_keys::a_key_is_read_back_as_it_was_stored,
            api_keys::a_key_needs_a_workspace_of_its_account,
            api_keys::lookup_ids_are_unique,
            api_keys::switching_off_and_on,
            api_keys::a_deleted_key_is_gone_for_good,
            api_keys::another_workspace_cannot_touch_a_key,
            api_keys::lists_come_newest_first_in_pages,
            api_keys::a_poll_sees_every_change_once_in_order,
            api_keys::a_poll_during_parallel_changes_misses_none,
            audit::an_account_reads_its_own_entries_newest_first,
            audit::what_is_done_to_the_log_is_found,
            audit::parallel_entries_make_one_chain,
            idempotency::of_many_who_ask_at_once_one_is_let_through,
            idempotency::an_outcome_is_kept_for_the_same_asking_of_the_same_account,
            idempotency::claims_lapse_and_outcomes_are_forgotten,
            key_rotation::a_successor_has_the_limit_and_both_spend_from_it,
            key_rotation::a_successor_is_kept_from_what_the_old_key_was,
            key_rotation::a_key_has_one_successor_and_no_stranger_rotates_it,
            managed_keys::a_managed_key_is_read_back_with_whom_it_is_for,
            managed_keys::t15_keys_of_others_and_management_keys_are_missing,
            console_keys::keys_of_the_console_are_nobodys_to_manage,
            generations::an_accounts_first_generation,
            managed_keys::lists_have_what_was_asked_for_with_what_it_used,
            managed_keys::changes_and_deletions_are_numbered_and_audited,
            managed_keys::uses_are_noted_and_never_go_back,
            managed_keys::a_new_limit_counts_what_was_used_in_its_window,
            managed_keys::what_is_in_flight_when_a_limit_changes_counts_in_both_windows,
            managed_keys::own_credentials_in_flight_count_in_both_windows_of_limits_that_count_them,
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
            generations::a_settlement_is_booked_to_the_nano,
            generations::a_generation_that_nothing_served_is_read_back,
            generations::other_accounts_see_nothing,
            generations::months_do_not_matter_to_a_lookup,
            generations::text_without_nul_survives,
            organizations::an_organization_has_its_own_credits_workspace_and_owner,
            organizations::an_invitation_is_for_one_address_and_works_once,
            organizations::nobody_gives_or_takes_a_role_above_their_own,
            organizations::of_two_owners_who_leave_at_once_one_stays,
            organizations::keys_of_whoever_leaves_are_switched_off,
            oauth_codes::t18_of_many_who_exchange_a_code_one_gets_a_key,
            oauth_codes::t18_a_code_is_over_after_ten_minutes,
            audit::the_log_is_narrowed_down,
            receipts::a_receipt_comes_with_its_generation_where_it_was_asked_for,
            receipts::a_chain_grows_only_from_where_it_ends,
            receipts::a_chain_takes_all_of_a_list_or_none,
            receipts::parallel_nodes_leave_no_gap,
            receipts::what_is_signed_stays_as_it_is,
            receipts::the_first_signing_key_wins,
            decisions::a_walk_sees_each_generation_once,
            decisions::a_walk_keeps_to_its_account_and_time,
            own_credentials::a_credential_is_read_back_as_it_was_stored,
            own_credentials::the_same_secret_is_not_stored_twice_in_one_place,
            own_credentials::a_credential_is_its_accounts_alone,
            own_credentials::a_change_needs_the_revision_it_was_made_from,
            own_credentials::a_deleted_secret_is_gone_and_its_row_is_not,
            own_credentials::places_follow_from_order_and_age,
            own_credentials::lists_are_filtered_and_cut_into_pages,
            own_credentials::members_are_told_from_strangers,
            credential_states::owners_hear_of_changes_of_condition_once,
            credential_states::nothing_is_noted_of_what_is_gone,
            credential_states::a_new_secret_has_a_clean_slate,
            credential_states::parallel_nodes_tell_a_failure_once,
            credential_states::openings_add_up_by_hour,
            own_credentials::a_poll_sees_every_change_in_order,
            proofs::who_signs_up_is_confirmed_by_a_link_once,
            proofs::a_reset_uses_up_all_its_like,
            proofs::t20_steps_and_recovery_codes_work_once,
            proofs::of_many_with_one_code_one_is_first,
            proofs::t07_seeds_are_found_and_rewrapped,
            proofs::passkeys_are_one_persons,
            proofs::what_is_unfinished_is_taken_once_and_lapses,
            proofs::of_parallel_tries_none_is_uncounted,
            people::a_session_is_found_by_its_token_with_its_person_and_place,
            people::a_session_that_is_idle_or_old_is_over,
            people::a_new_proof_replaces_the_token,
            people::sessions_end_one_by_one_and_all_but_one,
            people::a_session_looks_only_at_what_is_there,
            people::a_link_works_once_for_its_purpose_and_time,
            policies::a_policy_is_read_back_as_it_was_set,
            policies::a_subject_must_be_the_accounts_own,
            policies::a_caller_gets_its_own_layers_outermost_first,
            policies::a_cleared_policy_is_gone_but_noticed,
            policies::a_poll_sees_the_latest_change_of_each,
            policies::every_change_is_in_the_audit_log,
            workspaces::a_workspace_is_read_back_as_it_was_made,
            workspaces::lists_begin_with_the_default_workspace,
            workspaces::a_slug_is_taken_once_per_account,
            workspaces::a_change_touches_what_it_mentions,
            workspaces::rules_change_only_from_what_was_read,
            workspaces::another_account_cannot_touch_a_workspace,
            workspaces::a_deletion_takes_policy_and_credentials_along,
            workspaces::live_keys_and_the_default_workspace_are_in_the_way,
            workspaces::nothing_is_made_in_a_deleted_workspace,
            workspaces::a_deletion_leaves_no_orphans_behind,
            members::members_come_and_go,
            members::only_people_of_the_account_are_let_in,
            members::whoever_has_keys_in_a_workspace_stays,
            members::the_default_workspace_is_everybodys,
            members::an_account_knows_its_people,
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
