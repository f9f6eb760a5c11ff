//! Budgets on what the router does of its own accord: retries and hedges. Both multiply load when
//! providers are already in trouble, so both are bounded by what is going on anyway.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use switchyard_domain::{id::AccountId, provider::ProviderSlug};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::limits::{
    HEDGE_ACCOUNTS_MAX, HEDGE_CREDIT_MAX_PPM, HEDGE_SHARE_PPM, RETRIES_FLOOR,
    RETRIES_SHARE_PERCENT, RETRY_PATIENCE,
};

/// Whose retries are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    Account(AccountId),
    Provider(ProviderSlug),
}

/// Bounds retries under way at any moment, for each account and each provider: a tenth of what is
/// being opened, at least three. One that finds no room waits a little rather than fail.
#[derive(Debug, Default)]
pub(crate) struct RetryBudget {
    parties: Mutex<HashMap<Party, Counts>>,
    released: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    active: usize,
    retrying: usize,
}

impl Counts {
    const fn has_room(self) -> bool {
        let share = self.active * RETRIES_SHARE_PERCENT / 100;
        self.retrying
            < if share > RETRIES_FLOOR {
                share
            } else {
                RETRIES_FLOOR
            }
    }
}

/// Something under way; ends when dropped.
#[derive(Debug)]
pub(crate) struct Under<'a> {
    budget: &'a RetryBudget,
    parties: Vec<Party>,
    is_retry: bool,
}

impl RetryBudget {
    /// A first attempt begins.
    pub(crate) fn enter(&self, parties: Vec<Party>) -> Under<'_> {
        let mut counts = self.lock();
        for party in &parties {
            counts.entry(party.clone()).or_default().active += 1;
        }
        Under {
            budget: self,
            parties,
            is_retry: false,
        }
    }

    /// A retry asks to begin. `None`: there was no room for too long.
    pub(crate) async fn enter_again(&self, parties: Vec<Party>) -> Option<Under<'_>> {
        let ends_at = Instant::now() + RETRY_PATIENCE;
        loop {
            let released = self.released.notified();
            if self.take(&parties) {
                return Some(Under {
                    budget: self,
                    parties,
                    is_retry: true,
                });
            }
            timeout_at(ends_at, released).await.ok()?;
        }
    }

    fn take(&self, parties: &[Party]) -> bool {
        let mut counts = self.lock();
        let has_room = |party: &Party| counts.get(party).is_none_or(|counts| counts.has_room());
        if !parties.iter().all(has_room) {
            return false;
        }
        for party in parties {
            let counts = counts.entry(party.clone()).or_default();
            counts.active += 1;
            counts.retrying += 1;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Party, Counts>> {
        self.parties.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        let mut counts = self.budget.lock();
        for party in &self.parties {
            let Some(count) = counts.get_mut(party) else {
                continue;
            };
            count.active = count.active.saturating_sub(1);
            count.retrying = count.retrying.saturating_sub(usize::from(self.is_retry));
            if count.active == 0 {
                counts.remove(party);
            }
        }
        drop(counts);
        if self.is_retry {
            self.budget.released.notify_waiters();
        }
    }
}

/// Bounds hedges: each account may hedge a fiftieth of the requests that ask for it.
#[derive(Debug, Default)]
pub(crate) struct HedgeBudget {
    /// In millionths of a hedge.
    credits: Mutex<HashMap<AccountId, u32>>,
}

const ONE_HEDGE_PPM: u32 = 1_000_000;

impl HedgeBudget {
    /// A request came that would be hedged if it were slow.
    pub(crate) fn admit(&self, account: AccountId) {
        let mut credits = self.lock();
        if credits.len() >= HEDGE_ACCOUNTS_MAX && !credits.contains_key(&account) {
            credits.clear();
        }
        // A newcomer's first slow request can be hedged.
        let credit = credits.entry(account).or_insert(ONE_HEDGE_PPM);
        *credit = credit
            .saturating_add(HEDGE_SHARE_PPM)
            .min(HEDGE_CREDIT_MAX_PPM);
    }

    /// Takes one hedge, if there is credit for it.
    pub(crate) fn spend(&self, account: AccountId) -> bool {
        let mut credits = self.lock();
        let Some(credit) = credits.get_mut(&account) else {
            return false;
        };
        let left = credit.checked_sub(ONE_HEDGE_PPM);
        *credit = left.unwrap_or(*credit);
        left.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, u32>> {
        self.credits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use switchyard_domain::id::AccountId;
    use uuid::Uuid;

    use super::*;

    fn provider(slug: &str) -> Vec<Party> {
        vec![Party::Provider(ProviderSlug::new(slug))]
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenth_may_be_retries_and_at_least_three() {
        let budget = RetryBudget::default();
        let mut retries = Vec::new();
        for _ in 0..RETRIES_FLOOR {
            retries.push(budget.enter_again(provider("acme")).await.expect("room"));
        }
        assert!(budget.enter_again(provider("acme")).await.is_none());
        assert!(budget.enter_again(provider("bolt")).await.is_some());
        let first: Vec<_> = (0..50).map(|_| budget.enter(provider("acme"))).collect();
        // 53 under way: five may be retries.
        retries.push(budget.enter_again(provider("acme")).await.expect("room"));
        retries.push(budget.enter_again(provider("acme")).await.expect("room"));
        assert!(budget.enter_again(provider("acme")).await.is_none());
        drop((retries, first));
        assert!(budget.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_room() {
        let budget = RetryBudget::default();
        let mut held = Vec::new();
        for _ in 0..RETRIES_FLOOR {
            held.push(budget.enter_again(provider("acme")).await.expect("room"));
        }
        let waits = budget.enter_again(provider("acme"));
        let release = async {
            tokio::time::sleep(RETRY_PATIENCE / 2).await;
            held.pop();
        };
        let (entered, ()) = tokio::join!(waits, release);
        assert!(entered.is_some());
    }

    #[test]
    fn one_request_in_fifty_is_hedged() {
        let budget = HedgeBudget::default();
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        assert!(!budget.spend(account));
        let hedged = (0..1_000)
            .filter(|_| {
                budget.admit(account);
                budget.spend(account)
            })
            .count();
        // The newcomer's one, and a fiftieth of a thousand.
        assert_eq!(hedged, 21);
    }
}
