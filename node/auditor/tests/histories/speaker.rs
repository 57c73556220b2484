//! What parties say: mostly sense, at the moment at which it is sense, and now and then nonsense
//! of every kind. It looks at the chain to find what may be said; it knows no rule.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chain_state::OrderStatus;
use chain_types::hash::sha256;
use chain_types::{
    BatchId, ChainId, OrderId, Outcome, ParticipantId, PublicKey, RechargeItem, SecretKey, TimeMs,
    VerifiedBatch,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::chain::Chain;
use crate::item::{Item, Letterhead};
use crate::network::*;

/// How much is remembered to be said again.
const SAID_KEPT: usize = 200;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The chain before the block in the making, and the block's time.
#[derive(Clone, Copy)]
pub struct Now<'a> {
    pub chain: &'a Chain,
    pub time: u64,
}

/// An order that the chain has taken notice of, and its returns.
#[derive(Debug, Clone)]
pub struct Known {
    pub item: RechargeItem,
    pub submitter: u32,
    pub returns: u16,
    pub returned: u64,
}

pub struct Speaker {
    rng: ChaCha8Rng,
    ids: u64,
    pub orders: Vec<Known>,
    order_at: HashMap<OrderId, usize>,
    said: VecDeque<(u32, Item)>,
    /// Said before anything else.
    pub queue: VecDeque<(u32, Item)>,
    keys: BTreeMap<PublicKey, SecretKey>,
    pub key_count: u32,
    pub quote_numbers: BTreeMap<u32, u32>,
}

impl Speaker {
    pub fn new(seed: u64) -> Self {
        let numbers = (1..1_000).chain(20_001..20_011).chain(30_000..30_600).chain(40_000..41_000);
        let keys = numbers.map(secret).map(|key| (key.public_key(), key));
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            ids: 0,
            orders: Vec::new(),
            order_at: HashMap::new(),
            said: VecDeque::new(),
            queue: VecDeque::new(),
            keys: keys.collect(),
            key_count: 0,
            quote_numbers: BTreeMap::new(),
        }
    }

    // Chance.

    pub fn below(&mut self, end: u64) -> u64 {
        self.rng.random_range(0..end)
    }

    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        self.rng.random_range(first..=last)
    }

    /// The secret half of a key.
    pub fn secret_of(&self, key: &PublicKey) -> Option<SecretKey> {
        self.keys.get(key).cloned()
    }

    /// Returns true if somebody can sign with a key.
    pub fn has_key(&self, key: &PublicKey) -> bool {
        self.keys.contains_key(key)
    }

    pub fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    pub fn reference(&mut self) -> [u8; 32] {
        [self.choose(&[1, 2, 3]); 32]
    }

    /// How long after the last block the next one comes.
    pub fn step_ms(&mut self, chain: &Chain) -> u64 {
        let last = chain.state.time().get();
        match self.below(1_000) {
            0..30 => self.edge(chain).and_then(|edge| edge.checked_sub(last)).unwrap_or(1).max(1),
            30..860 => self.between(1, 400),
            860..940 => self.between(400, 3_000),
            940..978 => self.between(3_000, 20_000),
            978..990 => self.between(20_000, 60_000),
            990..995 => {
                let offset_ms = self.choose(&[0, 480, 840]) * 60_000;
                let midnight = DAY_MS - (last + offset_ms) % DAY_MS;
                (midnight + self.below(3)).saturating_sub(1).max(1)
            }
            995..997 => self.between(10 * DAY_MS, 31 * DAY_MS),
            _ => self.between(1_000_000, 8_000_000),
        }
    }

    /// The very last moment of something, the one before or the one after.
    fn edge(&mut self, chain: &Chain) -> Option<u64> {
        let (state, tables) = (&chain.state, chain.state.tables());
        let parameters = state.parameters();
        let opened = state.window_open().opening.opened;
        let reserved = state.expired_reservations(TimeMs::new(u64::MAX));
        let transfers = tables.transfers.values().last();
        let references = tables.references.values();
        let edge = match self.below(13) {
            0 | 1 => opened.plus(parameters.window_ms),
            2 => reserved.first().map(|(_, held)| held.expires)?,
            3 => tables.quotes.values().last().map(|quote| quote.valid_until)?,
            4 => {
                let level = references.last()?;
                let since = level.step.map_or(level.since, |step| step.since);
                since.plus(parameters.reference_confirm_ms)
            }
            5 | 9..11 => return self.last_at_own_rate(chain),
            6 | 11 => return self.last_of_hold(chain),
            12 => return self.last_of_grace(chain),
            7 => tables.rates.values().last()?.observed.plus(parameters.rate_fresh_ms),
            _ => transfers?.proposed.plus(parameters.transfer_validity_ms),
        };
        Some(edge.get() + self.below(3)).map(|edge| edge - 1)
    }

    /// A UUIDv7 that is mostly timely, with the edges of that visited.
    pub fn id(&mut self, now: Now<'_>) -> [u8; 16] {
        self.ids += 1;
        let parameters = now.chain.state.parameters();
        let (validity_ms, skew_ms) = (parameters.order_validity_ms, parameters.order_skew_ms);
        let time = match self.below(60) {
            0 => now.time - validity_ms,
            1 => now.time - validity_ms - 1,
            2 => now.time + skew_ms,
            3 => now.time + skew_ms + 1,
            4..8 => now.time - self.below(validity_ms),
            _ => now.time - self.below(2_000),
        };
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&self.ids.to_be_bytes());
        let mut id = OrderId::new(TimeMs::new(time), entropy).bytes();
        if self.one_in(150) {
            id[6] ^= 0x30;
        }
        id
    }

    // Orders that were taken notice of.

    /// Returns true if an order with this id was taken notice of.
    pub fn knows(&self, id: OrderId) -> bool {
        self.order_at.contains_key(&id)
    }

    /// An order of the last ones, or with some luck an older one, that is as asked for if there is
    /// one among those looked at.
    pub fn order_that(&mut self, is_wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let span = if self.one_in(12) { self.orders.len() } else { self.orders.len().min(150) };
        let mut found = None;
        for _ in 0..10 {
            let back = self.below(u64::try_from(span).ok().filter(|span| *span > 0)?);
            let at = self.orders.len() - 1 - usize::try_from(back).ok()?;
            found = self.orders.get(at);
            if found.is_some_and(&is_wanted) {
                break;
            }
        }
        found.cloned()
    }

    pub fn order_with(&mut self, now: Now<'_>, status: OrderStatus) -> Option<Known> {
        if self.one_in(10) {
            return self.order_that(|_| true);
        }
        self.order_that(|known| now.chain.status(&known.item.order_id()) == Some(status))
    }

    // Saying.

    /// The next thing that somebody says.
    pub fn say(&mut self, now: Now<'_>) -> (u32, Item) {
        if let Some(said) = self.queue.pop_front() {
            return said;
        }
        let (mut by, mut item) = match self.again() {
            Some(again) => again,
            None => self.something(now),
        };
        if self.one_in(80) {
            let last = item.bytes_mut().len() - 1;
            item.bytes_mut()[last] ^= 1;
        }
        if self.one_in(80) {
            let bit = self.below(u64::try_from(item.bytes_mut().len() * 8).unwrap());
            item.bytes_mut()[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        }
        if self.one_in(40) {
            by = self.anybody();
        }
        self.said.push_back((by, item));
        if self.said.len() > SAID_KEPT {
            self.said.pop_front();
        }
        (by, item)
    }

    fn again(&mut self) -> Option<(u32, Item)> {
        if self.said.is_empty() || !self.one_in(14) {
            return None;
        }
        let at = self.rng.random_range(0..self.said.len());
        self.said.get(at).copied()
    }

    fn anybody(&mut self) -> u32 {
        let all = [
            &OPERATORS[..],
            &SERVICES,
            &GATEWAYS,
            &PROVIDERS,
            &DESKS,
            &AGENTS,
            &REGISTRARS,
            &[301, EVERYBODY, HOUSE, STRANGER],
        ];
        self.choose(&all.concat())
    }

    fn something(&mut self, now: Now<'_>) -> (u32, Item) {
        loop {
            let said = match self.below(100) {
                0..23 => self.recharge(now),
                23..24 => self.register(now),
                24..26 => self.debit(now),
                26..27 => self.consent(now),
                27..28 => self.line(now),
                28..30 => self.decide_settlement(now),
                30..38 => self.collect(now),
                38..41 => self.void(now),
                41..48 => self.arrive(now),
                48..49 => self.bounce(now),
                49..50 => self.step_in(now),
                50..53 => self.fail(now),
                53..54 => self.recall(now),
                54..64 => self.give_back(now),
                64..66 => self.reinstruct(now),
                66..68 => self.settle_window(now),
                68..72 => self.transfer(now),
                72..76 => self.decide_transfer(now),
                76..82 => self.rate(now),
                82..87 => self.quote(now),
                87..91 => self.decide_hold(now),
                91..93 => self.policy(),
                93..95 => self.propose(now),
                _ => self.vote(now),
            };
            if let Some(said) = said {
                return said;
            }
        }
    }

    // Batches.

    /// The batches of what was said: runs of one party and kind make one each.
    pub fn batches(&mut self, now: Now<'_>, said: &[(u32, Item)]) -> Vec<VerifiedBatch> {
        let is_run = |one: &(u32, Item), other: &(u32, Item)| {
            one.0 == other.0 && one.1.kind() == other.1.kind()
        };
        let limit = now.chain.state.parameters().block_batches_max;
        let mut batches: Vec<VerifiedBatch> = Vec::new();
        for run in said.chunk_by(is_run).take(usize::try_from(limit).unwrap()) {
            let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
            let batch = self.batch(now, run, &ids);
            batches.push(batch);
        }
        batches
    }

    /// One that is not in the chain or the block yet.
    fn batch(&mut self, now: Now<'_>, run: &[(u32, Item)], ids: &[BatchId]) -> VerifiedBatch {
        let (state, submitter) = (&now.chain.state, run[0].0);
        let parameters = state.parameters();
        let longest_ms = parameters.order_skew_ms + parameters.order_validity_ms;
        let mut chain_id = state.chain_id();
        if self.one_in(800) {
            chain_id = ChainId::new(sha256(&[b"another"]));
        }
        let mut valid_until = now.time
            + match self.below(300) {
                0 => 0,
                1 => longest_ms,
                2 => longest_ms + 1,
                _ => self.below(10_000),
            };
        if self.one_in(300) {
            valid_until = now.time - 1;
        }
        let key = self.key_of(now, submitter);
        loop {
            let valid_until_ms = TimeMs::new(valid_until);
            let head = Letterhead { chain_id, submitter, key: &key, valid_until: valid_until_ms };
            let batch = Item::batch(run, &head);
            if state.batch_location(&batch.id()).is_none() && !ids.contains(&batch.id()) {
                return batch;
            }
            valid_until += 1;
        }
    }

    /// A party's key; sometimes the one before, or one of nobody's.
    fn key_of(&mut self, now: Now<'_>, submitter: u32) -> SecretKey {
        let keys = now.chain.state.party_keys(ParticipantId::new(submitter));
        let previous = keys.and_then(|keys| keys.previous).map(|(key, _)| key);
        let key = match previous {
            Some(previous) if self.one_in(10) => Some(previous),
            _ => keys.map(|keys| keys.current),
        };
        let nobodys = self.one_in(250);
        let own = key.filter(|_| !nobodys).and_then(|key| self.keys.get(&key));
        own.cloned().unwrap_or_else(|| secret(STRANGER))
    }

    // Hearing.

    /// Takes notice of what became of what was said.
    pub fn hear(&mut self, chain: &Chain, said: &[(u32, Item)], outcomes: &[Outcome]) {
        for ((by, item), outcome) in said.iter().zip(outcomes) {
            match item {
                Item::Recharge(item) => {
                    let id = item.order_id();
                    if !self.order_at.contains_key(&id) && chain.record(&id).is_some() {
                        self.order_at.insert(id, self.orders.len());
                        let (item, submitter) = (*item, *by);
                        self.orders.push(Known { item, submitter, returns: 0, returned: 0 });
                    }
                }
                Item::Return(item) if *outcome == Outcome::APPLIED => {
                    if let Some(at) = self.order_at.get(&item.order_id()) {
                        self.orders[*at].returns += 1;
                        self.orders[*at].returned += item.amount.get();
                    }
                }
                _ => {}
            }
        }
    }
}
