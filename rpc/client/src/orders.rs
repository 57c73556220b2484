//! Makes order ids and recharge orders in bulk.

use chain_types::{Currency, Flags, MerchantId, OrderId, ParticipantId, RechargeItem, TimeMs};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A fast generator, seeded from the operating system's entropy for each run, so that no two
/// runs ever make the same order id.
#[derive(Debug)]
pub struct Entropy(ChaCha8Rng);

impl Entropy {
    /// A generator with a fresh seed.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn fresh() -> anyhow::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| anyhow::anyhow!("the operating system gives no entropy: {error}"))?;
        Ok(Self(ChaCha8Rng::from_seed(seed)))
    }

    /// A generator that always gives the same: the one of `stream` of a seed. For choices only,
    /// never for order ids.
    pub fn seeded(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Another generator, seeded from this one.
    pub fn split(&mut self) -> Self {
        Self(ChaCha8Rng::from_seed(self.bytes()))
    }

    /// A number from the whole range.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, or zero when the bound is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The product's high half: its bias is below bound / 2^64, far too small to matter here.
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Draws `N` bytes from the operating system.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// An id of `owner`'s own orders, of `time`.
    pub fn order_id(&mut self, owner: ParticipantId, time: TimeMs) -> OrderId {
        OrderId::owned(owner, time, self.bytes())
    }
}

/// The part of an order that its user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// The pseudonym of the user.
    pub user: [u8; 16],
    /// The merchant that is paid.
    pub merchant: MerchantId,
    /// The currency in which the user pays.
    pub currency: Currency,
    /// The amount in minor units.
    pub amount: u64,
}

/// The pattern of the orders that one gateway's users make.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The gateway that debits the users.
    pub gateway: ParticipantId,
    /// Submitted and collected in one step.
    pub collected: bool,
    /// The merchants that users pay, each with the currency; not empty.
    pub payees: Vec<(MerchantId, Currency)>,
    /// The largest amount, in minor units; amounts spread from 100 up to it.
    pub amount_max: u64,
    /// How many users the gateway has; zero when every order is another's.
    pub users: u64,
}

impl Profile {
    /// One order of a random user to a random payee, with an id of the gateway's own, of `time`.
    pub fn order(&self, entropy: &mut Entropy, time: TimeMs) -> RechargeItem {
        let purchase = self.purchase(entropy);
        self.item(&purchase, entropy, time)
    }

    /// A random user's purchase from a random payee.
    pub fn purchase(&self, entropy: &mut Entropy) -> Purchase {
        let payees = self.payees.len() as u64;
        let (user, habit) = self.user(entropy);
        let payee = usize::try_from(habit % payees.max(1)).unwrap_or(0);
        let (merchant, currency) = self.payees.get(payee).copied().unwrap_or_default();
        let amount = Self::amount(self.amount_max, entropy);
        Purchase { user, merchant, currency, amount }
    }

    /// A random amount from 100 to `most` minor units.
    pub fn amount(most: u64, entropy: &mut Entropy) -> u64 {
        100.min(most) + entropy.below(most.saturating_sub(99))
    }

    /// The order of a purchase, with an id of the gateway's own, of `time`.
    pub fn item(&self, purchase: &Purchase, entropy: &mut Entropy, time: TimeMs) -> RechargeItem {
        let Purchase { user, merchant, currency, amount } = *purchase;
        RechargeItem {
            order_id: entropy.order_id(self.gateway, time).bytes(),
            user,
            merchant: merchant.get().into(),
            collecting_gateway: self.gateway.get().into(),
            amount: amount.into(),
            currency: currency.get().into(),
            payout_currency: currency.get().into(),
            flags: if self.collected { Flags::COLLECTED } else { 0 }.into(),
            device: entropy.below(u64::MAX).into(),
            network: entropy.below(u64::MAX).into(),
            ..RechargeItem::default()
        }
    }

    /// The pseudonym of one of the gateway's users, and a number that says whom it always pays.
    fn user(&self, entropy: &mut Entropy) -> ([u8; 16], u64) {
        if self.users == 0 {
            return (entropy.bytes(), entropy.below(u64::MAX));
        }
        let number = entropy.below(self.users);
        ((u128::from(self.gateway.get()) << 64 | u128::from(number)).to_le_bytes(), number)
    }

    /// `count` orders with ids of `time`.
    pub fn orders(&self, entropy: &mut Entropy, time: TimeMs, count: usize) -> Vec<RechargeItem> {
        (0..count).map(|_| self.order(entropy, time)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn orders_are_as_the_profile_says_and_their_ids_differ() {
        let payees = vec![
            (MerchantId::new(1), Currency::new(156)),
            (MerchantId::new(2), Currency::new(840)),
        ];
        let gateway = ParticipantId::new(201);
        let profile =
            Profile { gateway, collected: true, payees: payees.clone(), amount_max: 500, users: 0 };
        let mut ids = BTreeSet::new();
        let mut seen = BTreeSet::new();
        // Two generators: two runs must not meet either.
        for mut entropy in [Entropy::fresh().unwrap(), Entropy::fresh().unwrap()] {
            for order in profile.orders(&mut entropy, TimeMs::new(1_790_000_000_000), 2_000) {
                assert!(ids.insert(order.order_id()), "an id was made twice");
                assert!(order.order_id().is_uuid_v7());
                assert_eq!(order.order_id().owner(), gateway);
                assert_eq!(order.order_id().time(), TimeMs::new(1_790_000_000_000));
                assert!((100..=500).contains(&order.amount().get()), "{}", order.amount());
                assert!(order.is_collected());
                assert_eq!(order.collecting_gateway(), gateway);
                assert_eq!(order.currency(), order.payout_currency());
                seen.insert((order.merchant(), order.currency()));
            }
        }
        assert_eq!(seen, payees.into_iter().collect());
    }

    #[test]
    fn a_number_stays_below_its_bound() {
        let mut entropy = Entropy::fresh().unwrap();
        assert_eq!(entropy.below(0), 0);
        assert_eq!(entropy.below(1), 0);
        let drawn: BTreeSet<u64> = (0..1_000).map(|_| entropy.below(4)).collect();
        assert_eq!(drawn, BTreeSet::from([0, 1, 2, 3]));
    }
}
