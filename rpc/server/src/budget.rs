//! How many calls a second each address may make.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

/// The budget of an account with a rate of its own.
#[derive(Clone)]
struct OwnBudget {
    limiter: Arc<DefaultDirectRateLimiter>,
    calls_max: NonZeroU32,
}

/// Budgets, one an address; those that are full again are forgotten.
pub(crate) struct Budget {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    calls_max: NonZeroU32,
    /// Budgets of accounts with a rate of their own.
    own: RwLock<HashMap<IpAddr, OwnBudget>>,
    clock: DefaultClock,
}

impl Budget {
    /// A budget of so many calls a second and address, which may come at once.
    pub(crate) fn new(calls_per_second: u32) -> Self {
        let calls = NonZeroU32::new(calls_per_second).unwrap_or(NonZeroU32::MIN);
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(calls)),
            calls_max: calls,
            own: RwLock::default(),
            clock: DefaultClock::default(),
        }
    }

    fn own_of(&self, address: IpAddr) -> Option<OwnBudget> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        // Without rates of their own, which is the usual case, nothing is looked up.
        if own.is_empty() { None } else { own.get(&address).cloned() }
    }

    /// Gives accounts rates of their own, in calls a second, in place of those before. A rate that
    /// stays keeps what is spent of it.
    pub(crate) fn set_own(&self, rates: HashMap<IpAddr, u32>) {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = rates.into_iter().map(|(account, rate)| {
            let calls_max = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
            let kept = own.remove(&account).filter(|kept| kept.calls_max == calls_max);
            let budget = kept.unwrap_or_else(|| OwnBudget {
                limiter: Arc::new(RateLimiter::direct(Quota::per_second(calls_max))),
                calls_max,
            });
            (account, budget)
        });
        *own = fresh.collect();
    }

    /// Takes one call from an address's budget, or says when there will be one.
    pub(crate) fn take(&self, address: IpAddr) -> Result<(), Duration> {
        if let Some(own) = self.own_of(address) {
            return own.limiter.check().map_err(|refused| refused.wait_time_from(self.clock.now()));
        }
        self.limiter
            .check_key(&subscriber(address))
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Takes what a call costs beyond the one that is paid for already: so many calls more, or the
    /// whole budget where that is less.
    pub(crate) fn take_more(&self, address: IpAddr, calls: u32) -> Result<(), Duration> {
        let own = self.own_of(address);
        let calls_max = own.as_ref().map_or(self.calls_max, |own| own.calls_max);
        let Some(calls) = NonZeroU32::new(calls.min(calls_max.get())) else { return Ok(()) };
        let taken = match own {
            Some(own) => own.limiter.check_n(calls),
            None => self.limiter.check_key_n(&subscriber(address), calls),
        };
        match taken {
            Ok(Err(refused)) => Err(refused.wait_time_from(self.clock.now())),
            // No more than the whole budget is ever asked for.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Forgets addresses whose budgets are full again.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// The subscriber of an address: with IPv6, one subscriber has 2^64 of them.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_budget() {
        let budget = Budget::new(2);
        let (one, two): (IpAddr, IpAddr) =
            ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert!(budget.take(one).is_ok());
        assert!(budget.take(one).is_ok());
        assert!(budget.take(one).unwrap_err() > Duration::ZERO);
        assert!(budget.take(two).is_ok());
        budget.forget_idle();
        assert!(budget.take(one).is_err(), "a spent budget is not forgotten");
    }

    #[test]
    fn a_dear_call_costs_more_than_one() {
        let budget = Budget::new(10);
        let one: IpAddr = "10.0.0.1".parse().unwrap();
        assert!(budget.take(one).is_ok());
        assert!(budget.take_more(one, 5).is_ok());
        assert!(budget.take_more(one, 5).is_err(), "only four are left");
        assert!(budget.take_more(one, 0).is_ok());
        let two: IpAddr = "10.0.0.2".parse().unwrap();
        assert!(budget.take_more(two, 1_000).is_ok(), "the whole budget is enough for anything");
        assert!(budget.take(two).is_err());
    }

    #[test]
    fn one_network_of_version_six_is_one_subscriber() {
        let rows = [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ];
        for (one, two, same) in rows {
            let same_subscriber =
                subscriber(one.parse().unwrap()) == subscriber(two.parse().unwrap());
            assert_eq!(same_subscriber, same, "{one} {two}");
        }
    }
}
