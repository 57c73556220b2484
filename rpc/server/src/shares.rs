//! Shares of what the server has only so much of: connections, bytes of bodies, bytes of answers,
//! subscriptions.
//!
//! An address may hold its own bound and no more. When everything is given out, an address that
//! asks for less than an equal part still gets it: the address with the most gives up a connection,
//! an idle one before a busy one and an old one before a new one. Whoever crowds the server in
//! crowds out itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::budget::subscriber;

/// Why a connection is asked to end, and whether it does anything.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Ends the connection at once.
    pub(crate) end: CancellationToken,
    /// Messages in hand: from their bytes to their written answers.
    pub(crate) in_hand: AtomicU32,
    /// Subscriptions that this connection may still make.
    pub(crate) subscriptions: Arc<Semaphore>,
    subscriptions_max: usize,
}

impl Activity {
    pub(crate) fn new(subscriptions_max: u32) -> Arc<Self> {
        let subscriptions_max = subscriptions_max as usize;
        Arc::new(Self {
            end: CancellationToken::new(),
            in_hand: AtomicU32::new(0),
            subscriptions: Arc::new(Semaphore::new(subscriptions_max)),
            subscriptions_max,
        })
    }

    /// Subscriptions that have not ended.
    pub(crate) fn subscribed(&self) -> u64 {
        self.subscriptions_max.saturating_sub(self.subscriptions.available_permits()) as u64
    }

    fn is_busy(&self) -> bool {
        self.in_hand.load(Ordering::Acquire) > 0 || self.subscribed() > 0
    }
}

/// There is no more, for this address or at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// One kind of thing, shared by address; IPv6 by /64.
#[derive(Debug)]
pub(crate) struct Shares {
    max: u64,
    address_max: u64,
    next_claim: AtomicU64,
    state: Mutex<State>,
    held: Gauge,
    made_way: Counter,
}

#[derive(Debug, Default)]
struct State {
    total: u64,
    holders: HashMap<IpAddr, Holder>,
}

#[derive(Debug, Default)]
struct Holder {
    sum: u64,
    /// By the claims' numbers, which ascend by age.
    claims: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    amount: u64,
    activity: Arc<Activity>,
    makes_way: bool,
}

impl Shares {
    /// `max` of the thing, of which one address may hold `address_max`. `held` follows what is
    /// held; `made_way` counts connections that had to give up theirs.
    pub(crate) fn new(max: u64, address_max: u64, held: Gauge, made_way: Counter) -> Arc<Self> {
        Arc::new(Self {
            max,
            address_max: address_max.min(max),
            next_claim: AtomicU64::new(0),
            state: Mutex::default(),
            held,
            made_way,
        })
    }

    /// A claim of an address, on nothing as yet.
    pub(crate) fn claim(self: &Arc<Self>, address: IpAddr, activity: &Arc<Activity>) -> Claim {
        self.new_claim(address, activity, true)
    }

    /// A claim that is held to the server's bound only, and never makes way: a trusted proxy's.
    pub(crate) fn claim_of_proxy(
        self: &Arc<Self>,
        address: IpAddr,
        activity: &Arc<Activity>,
    ) -> Claim {
        self.new_claim(address, activity, false)
    }

    fn new_claim(
        self: &Arc<Self>,
        address: IpAddr,
        activity: &Arc<Activity>,
        makes_way: bool,
    ) -> Claim {
        Claim {
            shares: self.clone(),
            holder: subscriber(address),
            number: self.next_claim.fetch_add(1, Ordering::Relaxed),
            activity: activity.clone(),
            makes_way,
        }
    }

    /// Gives back what connections counted for subscriptions that have ended since.
    pub(crate) fn settle_subscriptions(&self) {
        let mut state = self.state();
        let mut freed = 0;
        for holder in state.holders.values_mut() {
            for held in holder.claims.values_mut() {
                let given = held.amount.saturating_sub(held.activity.subscribed());
                held.amount -= given;
                holder.sum = holder.sum.saturating_sub(given);
                freed += given;
            }
            holder.claims.retain(|_, held| held.amount > 0);
        }
        state.holders.retain(|_, holder| !holder.claims.is_empty());
        state.total = state.total.saturating_sub(freed);
        self.show(&state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &State) {
        self.held.set(i64::try_from(state.total).unwrap_or(i64::MAX));
    }
}

impl State {
    /// Takes from those that hold more than an equal part until `amount` fits under `max`. What
    /// was taken counts as free at once: its connection is ending.
    fn make_room(&mut self, asking: IpAddr, amount: u64, max: u64, made_way: &Counter) -> bool {
        let others = self.holders.keys().filter(|holder| **holder != asking).count();
        let fair = max / (others as u64 + 1);
        let own = self.holders.get(&asking).map_or(0, |holder| holder.sum);
        if own.saturating_add(amount) > fair {
            return false;
        }
        while self.total.saturating_add(amount) > max {
            let largest = self
                .holders
                .iter()
                .filter(|(address, holder)| **address != asking && holder.sum > fair)
                .filter(|(_, holder)| holder.claims.values().any(|held| held.makes_way))
                .max_by_key(|(_, holder)| holder.sum)
                .map(|(address, _)| *address);
            let Some(largest) = largest else { return false };
            self.evict_from(largest);
            made_way.inc();
        }
        true
    }

    fn evict_from(&mut self, address: IpAddr) {
        let Some(holder) = self.holders.get_mut(&address) else { return };
        let first = holder
            .claims
            .iter()
            .filter(|(_, held)| held.makes_way)
            .min_by_key(|(number, held)| (held.activity.is_busy(), Reverse(held.amount), **number))
            .map(|(number, _)| *number);
        let Some(held) = first.and_then(|number| holder.claims.remove(&number)) else { return };
        held.activity.end.cancel();
        holder.sum = holder.sum.saturating_sub(held.amount);
        self.total = self.total.saturating_sub(held.amount);
        if holder.claims.is_empty() {
            self.holders.remove(&address);
        }
    }
}

/// The share that one connection holds of a thing; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    shares: Arc<Shares>,
    holder: IpAddr,
    number: u64,
    activity: Arc<Activity>,
    makes_way: bool,
}

impl Claim {
    /// Takes `amount` more.
    ///
    /// # Errors
    /// When the address holds its share, or there is no more and nobody has too much.
    pub(crate) fn grow(&self, amount: u64) -> Result<(), Full> {
        if self.activity.end.is_cancelled() {
            return Err(Full);
        }
        let shares = &self.shares;
        let mut state = shares.state();
        let own = state.holders.get(&self.holder).map_or(0, |holder| holder.sum);
        if self.makes_way && own.saturating_add(amount) > shares.address_max {
            return Err(Full);
        }
        let fits = state.total.saturating_add(amount) <= shares.max
            || state.make_room(self.holder, amount, shares.max, &shares.made_way);
        if fits {
            state.total += amount;
            let holder = state.holders.entry(self.holder).or_default();
            holder.sum += amount;
            let held = holder.claims.entry(self.number).or_insert_with(|| Held {
                amount: 0,
                activity: self.activity.clone(),
                makes_way: self.makes_way,
            });
            held.amount += amount;
        }
        shares.show(&state);
        if fits { Ok(()) } else { Err(Full) }
    }

    /// Gives `amount` back. What an eviction took already is not given back twice.
    pub(crate) fn shrink(&self, amount: u64) {
        let mut state = self.shares.state();
        let Some(holder) = state.holders.get_mut(&self.holder) else { return };
        let Some(held) = holder.claims.get_mut(&self.number) else { return };
        let given = amount.min(held.amount);
        held.amount -= given;
        if held.amount == 0 {
            holder.claims.remove(&self.number);
        }
        holder.sum = holder.sum.saturating_sub(given);
        if holder.claims.is_empty() {
            state.holders.remove(&self.holder);
        }
        state.total = state.total.saturating_sub(given);
        self.shares.show(&state);
    }

    /// Gives back what all connections counted for subscriptions that have ended since.
    pub(crate) fn settle_subscriptions(&self) {
        self.shares.settle_subscriptions();
    }

    /// The amount that it holds now.
    fn amount(&self) -> u64 {
        let state = self.shares.state();
        let held = state.holders.get(&self.holder).and_then(|one| one.claims.get(&self.number));
        held.map_or(0, |held| held.amount)
    }

    /// Holds `amount`, whatever it held before.
    ///
    /// # Errors
    /// As [`Self::grow`]; then it holds what it held.
    pub(crate) fn set(&self, amount: u64) -> Result<(), Full> {
        let now = self.amount();
        if amount > now {
            return self.grow(amount - now);
        }
        self.shrink(now - amount);
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shrink(u64::MAX);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn shares(max: u64, address_max: u64) -> Arc<Shares> {
        Shares::new(max, address_max, Gauge::default(), Counter::default())
    }

    #[test]
    fn an_address_holds_its_share_and_no_more() {
        let shares = shares(10, 4);
        let activity = Activity::new(1);
        let (one, two) = (shares.claim(address(1), &activity), shares.claim(address(1), &activity));
        assert!(one.grow(3).is_ok() && two.grow(1).is_ok());
        assert_eq!(two.grow(1), Err(Full), "connections do not multiply a share");
        assert!(shares.claim(address(2), &activity).grow(4).is_ok());
        drop(one);
        assert!(two.grow(3).is_ok());
        assert_eq!(two.set(2), Ok(()));
        assert_eq!((two.amount(), shares.held.get()), (2, 2));
    }

    #[test]
    fn who_has_most_makes_way_idle_before_busy_and_old_before_new() {
        let shares = shares(4, 4);
        let activities: Vec<_> = (0..4).map(|_| Activity::new(1)).collect();
        let claims: Vec<_> =
            activities.iter().map(|activity| shares.claim(address(1), activity)).collect();
        assert!(claims.iter().all(|claim| claim.grow(1).is_ok()));
        activities[0].in_hand.store(1, Ordering::Release);
        let newcomer = Activity::new(1);
        let claim = shares.claim(address(2), &newcomer);
        assert!(claim.grow(1).is_ok());
        let ended: Vec<_> = activities.iter().map(|one| one.end.is_cancelled()).collect();
        assert_eq!(ended, [false, true, false, false]);
        assert!(claim.grow(1).is_ok());
        assert_eq!(claim.grow(1), Err(Full), "not more than an equal part");
        assert_eq!(claims[1].grow(1), Err(Full), "it is ending");
        drop(claims);
        assert_eq!(shares.held.get(), 2);
    }

    #[test]
    fn a_crowd_of_addresses_does_not_keep_another_out() {
        let shares = shares(640, 64);
        let claims: Vec<_> = (1..=64)
            .flat_map(|last| (0..10).map(move |_| last))
            .map(|last| shares.claim(address(last), &Activity::new(1)))
            .collect();
        assert!(claims.iter().all(|claim| claim.grow(1).is_ok()));
        assert!(shares.claim(address(65), &Activity::new(1)).grow(1).is_ok());
        assert_eq!(shares.made_way.get(), 1);
    }

    #[test]
    fn a_proxy_does_not_make_way() {
        let shares = shares(2, 1);
        let proxy = Activity::new(1);
        let claim = shares.claim_of_proxy(address(1), &proxy);
        assert!(claim.grow(2).is_ok(), "its bound is the server's");
        assert_eq!(shares.claim(address(2), &Activity::new(1)).grow(1), Err(Full));
        assert!(!proxy.end.is_cancelled());
    }
}
