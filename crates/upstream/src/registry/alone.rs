//! For tests: requests written without anybody to send them.

#[path = "../../tests/wire/endpoint.rs"]
pub(crate) mod listed;

use std::{sync::Arc, time::Duration};

use switchyard_domain::clock::{Clock, Timestamp};

use super::*;
use crate::{Resolve, SystemResolver, egress::EgressPolicy};

/// A clock that stands still.
pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_521_600)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// As [`prepare`], with means of its own.
pub(crate) async fn prepare_alone(call: Call<'_>) -> Result<Prepared, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    let resolver: Arc<dyn Resolve> = Arc::new(SystemResolver);
    let timeout = Duration::from_secs(1);
    let means = Means {
        clock: &*clock,
        transport: &Transport::new(EgressPolicy::default(), &resolver, None, timeout),
        access_tokens: &AccessTokens::new(Arc::clone(&clock)),
    };
    prepare(call, means).await
}
