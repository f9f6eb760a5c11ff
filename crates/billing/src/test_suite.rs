//! What every [`LedgerStore`](crate::store::LedgerStore) must do, as tests. A store implements
//! [`Fixture`] and calls [`ledger_test_suite!`](crate::ledger_test_suite) once per engine.
//!
//! Read [`books`] for the rules in their plainest form: the naive model that random histories
//! are compared with.

use std::sync::Arc;

use async_trait::async_trait;
use switchyard_domain::id::{AccountId, ApiKeyId, NodeId, WorkspaceId};

use crate::store::LedgerStore;

pub mod books;
pub mod grants;
pub mod histories;
pub mod leases;
pub mod posting;
pub mod scene;

/// A store over an empty database, with the rows that other parts of the house would have made.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The store; every call answers the same one.
    fn store(&self) -> Arc<dyn LedgerStore>;

    /// A new account with a workspace and an API key.
    async fn new_account(&self) -> Tenant;

    /// A new registered node.
    async fn new_node(&self) -> NodeId;
}

/// An account with one workspace and one API key.
#[derive(Debug, Clone, Copy)]
pub struct Tenant {
    /// Who pays.
    pub account_id: AccountId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// A key of that workspace.
    pub api_key_id: ApiKeyId,
}

/// Writes one `#[tokio::test]` per case. The argument is the path of an `async fn` without
/// arguments that returns a [`Fixture`](crate::test_suite::Fixture); it is called once per case.
/// The calling crate needs tokio with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! ledger_test_suite {
    ($fixture:path) => {
        $crate::ledger_test_suite!(@cases $fixture;
            leases::a_lease_holds_what_it_grants,
            leases::leases_shrink_as_a_fund_runs_dry,
            leases::an_empty_fund_grants_nothing,
            leases::a_lease_is_enlarged_under_its_own_id,
            leases::a_key_limit_opens_with_its_capacity_and_follows_changes,
            leases::windows_of_a_key_limit_are_funds_of_their_own,
            leases::a_lease_is_given_back_in_parts,
            leases::lapsed_leases_are_swept_and_renewed_ones_are_not,
            leases::a_node_gives_back_only_what_is_its_own,
            leases::parallel_asks_never_hold_more_than_there_is,
            leases::parallel_asks_for_one_lease_add_up,
            posting::a_charge_moves_from_held_to_spent,
            posting::a_charge_spends_every_fund_it_names,
            posting::posting_again_changes_nothing,
            posting::other_content_under_the_same_id_is_a_conflict,
            posting::repeats_inside_one_batch_count_once,
            posting::a_batch_is_posted_wholly_or_not_at_all,
            posting::a_charge_beyond_the_balance_is_posted,
            posting::a_charge_after_the_lease_was_swept_is_posted,
            posting::a_charge_beyond_the_lease_takes_the_rest_from_the_balance,
            posting::nothing_charged_is_recorded_without_a_transaction,
            posting::tools_and_inference_are_booked_apart,
            posting::a_generation_that_nothing_served_is_recorded,
            posting::hostile_text_cannot_stop_the_books,
            posting::a_large_batch_keeps_its_order,
            posting::an_empty_batch_is_no_work,
            posting::parallel_posts_of_one_settlement_count_once,
            grants::a_grant_adds_capacity_once,
            grants::parallel_grants_under_one_name_count_once,
            grants::a_grant_brings_an_overdrawn_account_back,
            grants::a_grant_to_nobody_is_refused,
            histories::random_histories_match_the_model,
            histories::shuffled_replays_have_one_effect,
            histories::parallel_nodes_never_overdraw,
        );
    };
    (@cases $fixture:path; $($group:ident::$case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $fixture().await;
                $crate::test_suite::$group::$case(&fixture).await;
            }
        )+
    };
}
