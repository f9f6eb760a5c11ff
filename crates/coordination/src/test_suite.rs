//! What every implementation of [`Coordination`](crate::Coordination) must do. Call
//! [`coordination_test_suite!`](crate::coordination_test_suite) in a test file with an async
//! function that makes a [`Deployment`].

mod health;
mod news;
mod pins;
mod rates;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use switchyard_domain::clock::Timestamp;

use crate::Coordination;

pub use self::{
    health::{
        a_digest_is_read_by_the_other_nodes, a_node_that_dies_is_forgotten, nobody_hears_itself,
        the_last_digest_counts,
    },
    news::{a_slow_subscriber_must_flush, every_node_hears_once},
    pins::{
        a_pin_is_seen_by_every_node, a_touch_prolongs_but_never_revives, conversations_are_apart,
        pins_run_out, the_last_pin_wins,
    },
    rates::{
        a_backward_clock_reopens_nothing, a_bucket_is_counted_once_for_all_nodes,
        a_burst_across_the_boundary_is_held, a_lagging_clock_counts_into_its_own_window,
        a_limit_of_zero_gives_nothing, buckets_are_apart, decisions_equal_the_reference,
        parallel_takers_share_one_limit, reset_at_is_exact,
    },
};

/// Two nodes of one deployment, and its time.
#[async_trait]
pub trait Deployment: Send + Sync {
    /// The nodes, which hear each other from now on. May be one node twice.
    fn nodes(&self) -> [Arc<dyn Coordination>; 2];

    /// The time in the deployment.
    async fn now(&self) -> Timestamp;

    /// Lets everything with a time to live age by so much.
    async fn age(&self, by: Duration);
}

/// Defines one test per rule, each with a deployment of its own from `$make`.
#[macro_export]
macro_rules! coordination_test_suite {
    ($make:path) => {
        $crate::coordination_test_suite! { $make:
            a_pin_is_seen_by_every_node
            the_last_pin_wins
            conversations_are_apart
            pins_run_out
            a_touch_prolongs_but_never_revives
            a_bucket_is_counted_once_for_all_nodes
            buckets_are_apart
            parallel_takers_share_one_limit
            a_limit_of_zero_gives_nothing
            a_burst_across_the_boundary_is_held
            reset_at_is_exact
            a_backward_clock_reopens_nothing
            a_lagging_clock_counts_into_its_own_window
            decisions_equal_the_reference
            a_digest_is_read_by_the_other_nodes
            the_last_digest_counts
            nobody_hears_itself
            a_node_that_dies_is_forgotten
            every_node_hears_once
            a_slow_subscriber_must_flush
        }
    };
    ($make:path: $($rule:ident)+) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::test_suite::$rule(&$make().await).await;
            }
        )+
    };
}
