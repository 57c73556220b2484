//! An independent model of the books. It keeps every order for ever and works each balance out
//! of them anew; it shares no code with what it checks, only the words of operations and codes.

use std::collections::BTreeMap;

use chain_types::{OrderId, RechargeItem};
use proptest::prelude::*;
use zerocopy::IntoBytes;

use crate::histories::{Item, Told, history, run};
use crate::kit::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Refused,
    Reserved,
    Collected { window: u64 },
    Voided,
    Expired,
}

struct Order {
    item: RechargeItem,
    submitter: u32,
    /// The code of its submission's outcome.
    code: u16,
    fate: Fate,
    expires: u64,
    /// Its slice of ten seconds of id times has left the chain's memory.
    is_forgotten: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    None,
    Arrived { reference: u8, at: u64 },
    Failed { reason: u16, reference: u8 },
}

struct Instruction {
    amount: u64,
    payer: u32,
    word: Word,
    is_forgotten: bool,
}

#[derive(Default)]
struct Model {
    orders: BTreeMap<OrderId, Order>,
    instructions: BTreeMap<(u64, u64), Instruction>,
    window: u64,
    opened: u64,
    now: u64,
}

const SHOPS: [(u64, u32); 2] = [(SHOP, BANK_B), (SHOP_OF_A, BANK_A)];

/// Whoever collects may submit, and the service leaves the collection to others.
fn may_submit(by: u32, item: &RechargeItem) -> bool {
    by == item.collecting_gateway.get() || (by == SERVICE && !item.is_collected())
}

impl Model {
    fn gateway_balance(&self, gateway: u32) -> i128 {
        let opening = if gateway == BANK_A { i128::from(A_OPENING) } else { 0 };
        let collected = self.sum(|order| {
            order.item.collecting_gateway.get() == gateway
                && matches!(order.fate, Fate::Collected { .. })
        });
        let paid: i128 = (self.instructions.values())
            .filter(|found| found.payer == gateway && matches!(found.word, Word::Arrived { .. }))
            .map(|found| i128::from(found.amount))
            .sum();
        opening - collected + paid
    }

    fn gateway_reserved(&self, gateway: u32) -> i128 {
        self.sum(|order| {
            order.item.collecting_gateway.get() == gateway && order.fate == Fate::Reserved
        })
    }

    fn payable(&self, shop: u64) -> i128 {
        let collected = self.sum(|order| {
            order.item.merchant.get() == shop && matches!(order.fate, Fate::Collected { .. })
        });
        let arrived: i128 = (self.instructions.iter())
            .filter(|((_, to), found)| *to == shop && matches!(found.word, Word::Arrived { .. }))
            .map(|(_, found)| i128::from(found.amount))
            .sum();
        collected - arrived
    }

    fn sum(&self, is_in: impl Fn(&Order) -> bool) -> i128 {
        let amounts = self.orders.values().filter(|order| is_in(order));
        amounts.map(|order| i128::from(order.item.amount.get())).sum()
    }

    fn begin_block(&mut self, now: u64) {
        // What the block before left in the chain's memory is what this one sees.
        for order in self.orders.values_mut() {
            let end_of_slice = order.item.order_id().time().get() / 10_000 * 10_000 + 9_999;
            order.is_forgotten = end_of_slice + 180_000 < self.now;
        }
        for found in self.instructions.values_mut() {
            if let Word::Arrived { at, .. } = found.word {
                found.is_forgotten = at + 900_000 < self.now;
            }
        }
        self.now = now;
        if now >= self.opened + 30_000 {
            for (shop, payer) in SHOPS {
                let window = self.window;
                let amount = self.sum(|order| {
                    order.item.merchant.get() == shop && order.fate == Fate::Collected { window }
                });
                if amount > 0 {
                    let amount = u64::try_from(amount).unwrap();
                    let (word, is_forgotten) = (Word::None, false);
                    let instruction = Instruction { amount, payer, word, is_forgotten };
                    self.instructions.insert((window, shop), instruction);
                }
            }
            (self.window, self.opened) = (self.window + 1, now);
        }
        for order in self.orders.values_mut() {
            if order.fate == Fate::Reserved && now > order.expires {
                order.fate = Fate::Expired;
            }
        }
    }

    /// The code that an item should get.
    fn tell(&mut self, by: u32, item: &Item) -> u16 {
        let is_service = by == SERVICE;
        let is_bank = [BANK_A, BANK_B, BANK_POOR].contains(&by);
        match (by, item) {
            (SERVICE_SUSPENDED, _) => return 110,
            _ if !is_service && !is_bank && by != AUDITOR && by != BANK_SUSPENDED => return 108,
            (BANK_SUSPENDED, _) => return 110,
            (_, Item::Recharge(_) | Item::Void(_)) if !is_service && !is_bank => return 111,
            (_, Item::Collect(_) | Item::Arrival(_) | Item::Failure(_)) if !is_bank => return 111,
            _ => {}
        }
        match item {
            Item::Recharge(item) => self.submit(by, item),
            Item::Collect(item) => self.collect(by, item.order_id()),
            Item::Void(item) => self.void(by, item.order_id(), item.reason.get()),
            Item::Arrival(item) => {
                let key = (item.window.get(), item.merchant.get());
                self.arrive(by, key, item.amount.get(), item.reference[0])
            }
            Item::Failure(item) => {
                let key = (item.window.get(), item.merchant.get());
                self.fail(by, key, item.reason.get(), item.reference[0])
            }
        }
    }

    fn submit(&mut self, by: u32, item: &RechargeItem) -> u16 {
        let made = item.order_id().time().get();
        let form = match (item.spare[0], item.flags.get()) {
            (0, 0 | 1) => 0,
            (0, _) => 202,
            _ => 201,
        };
        let or_form = |code| if form == 0 { code } else { form };
        if !may_submit(by, item) {
            return 214;
        }
        if item.order_id[12..] != by.to_be_bytes() {
            return 240;
        }
        if let Some(known) = self.orders.get(&item.order_id()).filter(|known| !known.is_forgotten) {
            let is_same = known.item.as_bytes() == item.as_bytes();
            return match known.code {
                _ if !is_same => or_form(205),
                0 => 1,
                refusal => refusal,
            };
        }
        if self.now > made + 180_000 {
            return or_form(203);
        }
        if made > self.now + 60_000 {
            return or_form(204);
        }
        let code = if form == 0 { self.refusal(item) } else { form };
        let fate = match (code, item.flags.get()) {
            (0, 0) => Fate::Reserved,
            (0, _) => Fate::Collected { window: self.window },
            _ => Fate::Refused,
        };
        let (submitter, expires, is_forgotten) = (by, made.min(self.now) + 180_000, false);
        let order = Order { item: *item, submitter, code, fate, expires, is_forgotten };
        self.orders.insert(item.order_id(), order);
        code
    }

    fn refusal(&self, item: &RechargeItem) -> u16 {
        let gateway = item.collecting_gateway.get();
        let cap = match gateway {
            BANK_A => A_CAP,
            BANK_B => 5_000,
            _ => 0,
        };
        let left = self.gateway_balance(gateway) - self.gateway_reserved(gateway) + i128::from(cap);
        match (item.amount.get(), item.merchant.get(), gateway) {
            (0, ..) => 206,
            (1_000_001.., ..) => 207,
            (_, 9, _) => 210,
            (_, SHOP_SUSPENDED, _) => 211,
            (.., SERVICE) => 212,
            (.., BANK_SUSPENDED) | (_, SHOP_OF_SUSPENDED, _) => 213,
            (amount, ..) if i128::from(amount) > left => 215,
            _ => 0,
        }
    }

    fn collect(&mut self, by: u32, id: OrderId) -> u16 {
        let unknown = if self.now > id.time().get() + 180_000 { 311 } else { 300 };
        let window = self.window;
        match self.orders.get_mut(&id) {
            Some(order) if order.is_forgotten => 311,
            None => unknown,
            Some(order) => match order.fate {
                Fate::Refused => 301,
                Fate::Collected { .. } => 1,
                Fate::Voided => 303,
                Fate::Expired => 304,
                Fate::Reserved if order.item.collecting_gateway.get() != by => 214,
                Fate::Reserved => {
                    order.fate = Fate::Collected { window };
                    0
                }
            },
        }
    }

    fn void(&mut self, by: u32, id: OrderId, reason: u16) -> u16 {
        let unknown = if self.now > id.time().get() + 180_000 { 311 } else { 300 };
        match self.orders.get_mut(&id) {
            Some(order) if order.is_forgotten => 311,
            None => unknown,
            Some(order) => match order.fate {
                Fate::Refused => 301,
                Fate::Collected { .. } => 302,
                Fate::Voided => 1,
                Fate::Expired => 304,
                Fate::Reserved
                    if order.item.collecting_gateway.get() != by && order.submitter != by =>
                {
                    305
                }
                Fate::Reserved if !(1..=3).contains(&reason) => 306,
                Fate::Reserved => {
                    order.fate = Fate::Voided;
                    0
                }
            },
        }
    }

    /// An instruction of a closed window that is not there will never be.
    fn unknown(&self, key: (u64, u64)) -> u16 {
        if key.0 < self.window { 413 } else { 400 }
    }

    fn arrive(&mut self, by: u32, key: (u64, u64), amount: u64, reference: u8) -> u16 {
        let (now, unknown) = (self.now, self.unknown(key));
        match self.instructions.get_mut(&key) {
            None => unknown,
            Some(found) if found.is_forgotten => unknown,
            Some(found) if found.payer != by => 401,
            Some(found) if found.amount != amount => 402,
            Some(found) => match &found.word {
                Word::Arrived { reference: known, .. } if *known == reference => 1,
                Word::Arrived { .. } => 403,
                Word::Failed { .. } => 404,
                Word::None => {
                    found.word = Word::Arrived { reference, at: now };
                    0
                }
            },
        }
    }

    fn fail(&mut self, by: u32, key: (u64, u64), reason: u16, reference: u8) -> u16 {
        if !(1..=12).contains(&reason) || reason == 8 {
            return 306;
        }
        let unknown = self.unknown(key);
        match self.instructions.get_mut(&key) {
            None => unknown,
            Some(found) if found.is_forgotten => unknown,
            Some(found) if found.payer != by => 401,
            Some(found) => match &found.word {
                Word::Failed { reason: why, reference: known }
                    if (*why, *known) == (reason, reference) =>
                {
                    1
                }
                Word::Arrived { .. } => 403,
                Word::Failed { .. } => 404,
                Word::None if reason == 7 => 418,
                Word::None => {
                    found.word = Word::Failed { reason, reference };
                    0
                }
            },
        }
    }
}

fn compare(chain: &Chain, model: &Model) {
    for gateway in [BANK_A, BANK_B] {
        let account = chain.liquidity(gateway);
        assert_eq!(account.balance(), model.gateway_balance(gateway), "gateway {gateway}");
        assert_eq!(account.debits_pending.cast_signed(), model.gateway_reserved(gateway));
    }
    for (shop, _) in SHOPS {
        assert_eq!(chain.payable(shop).balance(), model.payable(shop), "merchant {shop}");
    }
    assert_eq!(chain.state.window().get(), model.window);
    let outstanding: Vec<_> = (chain.state.outstanding_instructions())
        .map(|found| (found.id.window.get(), found.id.merchant.get(), found.amount.get()))
        .collect();
    let expected: Vec<_> = (model.instructions.iter())
        .filter(|(_, found)| found.word == Word::None)
        .map(|((window, shop), found)| (*window, *shop, found.amount))
        .collect();
    assert_eq!(outstanding, expected);
    for (id, order) in &model.orders {
        let status = chain.status(id).map(|status| status.name());
        let expected = match order.fate {
            Fate::Refused => "rejected",
            Fate::Reserved => "reserved",
            Fate::Collected { .. } => "collected",
            Fate::Voided => "voided",
            Fate::Expired => "expired",
        };
        assert_eq!(status, Some(expected), "order {id}");
    }
}

fn agree(chain: &Chain, model: &mut Model, told: &Told) {
    model.begin_block(chain.state.time().get());
    for (by, item, outcome) in told {
        assert_eq!(outcome.0, model.tell(*by, item), "{item:?} by {by}");
    }
    compare(chain, model);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]

    /// Every outcome, balance, order, window and instruction is as the model has it.
    #[test]
    fn the_chain_agrees_with_the_model(steps in history()) {
        let mut chain = Chain::new();
        let mut model = Model { opened: START.get(), now: START.get(), ..Model::default() };
        run(&mut chain, &steps, |chain, told| agree(chain, &mut model, told));
    }
}
