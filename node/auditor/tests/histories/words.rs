//! What gateways and services say of orders so that what was told stays told: that a user is being
//! debited, that an order may be reversed; and reversals at the edges of both.

use chain_state::OrderStatus;
use chain_types::batch::BATCH_ITEMS_MAX;
use chain_types::{
    ArrivalItem, Change, CollectItem, ConsentItem, DebitingItem, Decision, OrderId, Parameters,
    ParticipantId, ProposalId, ProposalItem, RechargeItem, ReturnItem, TimeMs, VoidItem,
};

use crate::chain::Chain;
use crate::changes::vote;
use crate::item::Item;
use crate::network::*;
use crate::speaker::{Known, Now, Speaker};
use crate::story::Story;

type Said = Option<(u32, Item)>;

impl Speaker {
    /// A gateway debits a user; now and then it is voided in the same breath, by whoever submitted
    /// it.
    pub fn debit(&mut self, now: Now<'_>) -> Said {
        let known = self.order_with(now, OrderStatus::Reserved)?;
        let order_id = known.item.order_id;
        let item = DebitingItem { order_id, reference: self.reference(), spare: [0; 16] };
        Some((known.item.collecting_gateway.get(), item.into()))
    }

    /// Somebody lets a gateway reverse an order, and mostly it does so at once: up to what it may,
    /// once more, or for more.
    pub fn consent(&mut self, now: Now<'_>) -> Said {
        let window = now.chain.state.window();
        let is_open = |known: &Known| {
            let collection = now.chain.collection(&known.item.order_id());
            collection.is_some_and(|collection| collection.window == window)
        };
        let known = if self.one_in(8) { self.order_that(|_| true)? } else { self.last(is_open)? };
        let whole = known.item.amount.get();
        let amount = match self.below(12) {
            0 => whole.saturating_add(1),
            1 => 0,
            2..5 => 1 + self.below(whole.max(1)),
            5 => known.returned,
            _ => whole,
        };
        let payer = now.chain.state.merchant(known.item.merchant());
        let payer = payer.map_or(known.submitter, |found| found.payout_gateway.get());
        let gateway = known.item.collecting_gateway.get();
        let by = match self.below(12) {
            0 => gateway,
            1 => self.choose(&SERVICES),
            2..7 => payer,
            _ => known.submitter,
        };
        self.follow_consent(&known, amount);
        let item = ConsentItem {
            order_id: known.item.order_id,
            amount: amount.into(),
            reference: self.reference(),
            spare: [0; 8],
        };
        Some((by, item.into()))
    }

    fn follow_consent(&mut self, known: &Known, amount: u64) {
        let left = amount.saturating_sub(known.returned);
        let first = match self.below(8) {
            0 => return,
            1 => left.saturating_add(1),
            2..4 => 1 + self.below(left.max(1)),
            _ => left,
        };
        let by = known.item.collecting_gateway.get();
        for (sequence, amount) in [(1, first), (2, left.saturating_sub(first).max(1))] {
            let item = ReturnItem {
                order_id: known.item.order_id,
                amount: amount.into(),
                rested_max: u64::MAX.into(),
                reason: 1.into(),
                sequence: (known.returns + sequence).into(),
                reference: [6; 32],
                spare: [0; 4],
            };
            self.queue.push_back((by, item.into()));
            if !self.one_in(2) {
                break;
            }
        }
    }

    /// One of the last orders that is as asked for.
    fn last(&mut self, is_wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let last = self.orders.iter().rev().take(100);
        let found: Vec<Known> = last.filter(|known| is_wanted(known)).cloned().collect();
        let at = usize::try_from(self.below(u64::try_from(found.len().max(1)).ok()?)).ok()?;
        found.get(at).cloned()
    }

    /// At the last moment of a collection's grace, or one beside it, its gateway takes it back.
    pub fn last_of_grace(&mut self, chain: &Chain) -> Option<u64> {
        let state = &chain.state;
        let grace_ms = state.parameters().reversal_grace_ms;
        let is_open = |known: &Known| {
            let collection = chain.collection(&known.item.order_id());
            collection.is_some_and(|collection| {
                collection.window == state.window()
                    && collection.time.get() + grace_ms > state.time().get() + 1
            })
        };
        let known = self.last(is_open)?;
        let collection = chain.collection(&known.item.order_id())?;
        let item = ReturnItem {
            order_id: known.item.order_id,
            amount: 1.into(),
            rested_max: u64::MAX.into(),
            reason: 2.into(),
            sequence: (known.returns + 1).into(),
            reference: [8; 32],
            spare: [0; 4],
        };
        self.queue.push_back((known.item.collecting_gateway.get(), item.into()));
        Some(collection.time.get() + grace_ms + self.below(3) - 1)
    }
}

const SERVICE: u32 = SERVICES[0];
/// The gateways: one collects, and one pays the merchant.
const GATEWAY: u32 = GATEWAYS[0];
const PAYER: u32 = GATEWAYS[1];

fn told() -> chain_types::ChainGenesis {
    let mut genesis = genesis(TimeMs::new(1_798_761_000_000), 4);
    genesis.parameters.window_ms = 15_000;
    genesis
}

impl Story {
    /// Has one party speak in the next block, a millisecond later. Returns the outcome's code.
    fn says(&mut self, by: u32, item: impl Into<Item>) -> u16 {
        self.block(1, &[(by, vec![item.into()])])[0]
    }

    /// An order that the service submits in the next block.
    fn order_of_service(&mut self, amount: u64) -> RechargeItem {
        let item = self.order(amount);
        let order_id = item.order_id().owned_by(ParticipantId::new(SERVICE)).bytes();
        RechargeItem { order_id, flags: 0.into(), ..item }
    }
}

fn debiting(order: &RechargeItem) -> DebitingItem {
    DebitingItem { order_id: order.order_id, reference: [1; 32], spare: [0; 16] }
}

fn collect(order: &RechargeItem) -> CollectItem {
    CollectItem { order_id: order.order_id, reference: [1; 32], spare: [0; 16] }
}

fn consent(order: &RechargeItem, amount: u64) -> ConsentItem {
    let (order_id, amount) = (order.order_id, amount.into());
    ConsentItem { order_id, amount, reference: [1; 32], spare: [0; 8] }
}

fn back(order: &RechargeItem, sequence: u16, amount: u64) -> ReturnItem {
    ReturnItem {
        order_id: order.order_id,
        amount: amount.into(),
        rested_max: u64::MAX.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [1; 32],
        spare: [0; 4],
    }
}

#[test]
fn a_word_is_neither_used_twice_nor_taken_back() {
    let mut story = Story::of(&told());
    let order = story.order_of_service(100);
    assert_eq!(story.says(SERVICE, order), 0);
    assert_eq!(story.says(GATEWAY, debiting(&order)), 0);
    let void =
        VoidItem { order_id: order.order_id, reason: 2.into(), reference: [1; 32], spare: [0; 14] };
    assert_eq!(story.says(SERVICE, void), 312);
    assert_eq!(story.says(GATEWAY, debiting(&order)), 1);
    assert_eq!(story.says(GATEWAY, collect(&order)), 0);
    assert_eq!(story.says(GATEWAY, back(&order, 1, 5)), 330);
    assert_eq!(story.says(SERVICE, consent(&order, 10)), 0);
    assert_eq!(story.says(SERVICE, consent(&order, 9)), 333);
    assert_eq!(story.says(GATEWAY, back(&order, 1, 10)), 0);
    assert_eq!(story.says(GATEWAY, back(&order, 2, 10)), 330);
    assert_eq!(story.says(SERVICE, consent(&order, 10)), 1);
    assert_eq!(story.says(GATEWAY, back(&order, 2, 10)), 330);
    assert_eq!(story.says(PAYER, consent(&order, 20)), 0);
    assert_eq!(story.says(GATEWAY, back(&order, 2, 10)), 0);
    assert_eq!(story.says(GATEWAY, back(&order, 3, 1)), 330);
    assert_eq!(story.says(PAYER, back(&order, 3, 80)), 0);
}

#[test]
fn a_house_lets_itself_do_nothing() {
    let mut genesis = told();
    for party in &mut genesis.participants {
        if [SERVICE, GATEWAY, PAYER].contains(&party.id.get()) {
            HOUSE_ENTITY.clone_into(&mut party.legal_entity);
        }
    }
    let mut story = Story::of(&genesis);
    let order = story.order_of_service(100);
    assert_eq!(story.says(SERVICE, order), 0);
    assert_eq!(story.says(GATEWAY, collect(&order)), 0);
    for party in [SERVICE, PAYER, GATEWAY] {
        assert_eq!(story.says(party, consent(&order, 100)), 332);
    }
    for party in [PAYER, GATEWAY] {
        assert_eq!(story.says(party, back(&order, 1, 100)), 330);
    }
    story.block(15_000, &[]);
    let arrival = ArrivalItem {
        window: 0.into(),
        merchant: MERCHANTS[0].into(),
        amount: 100.into(),
        currency: CNY.into(),
        reference: [1; 32],
        attempt: 1.into(),
        spare: [0; 4],
    };
    assert_eq!(story.says(PAYER, arrival), 0);
    assert_eq!(story.says(PAYER, back(&order, 1, 100)), 0, "nothing is locked in");
}

#[test]
fn a_grace_is_that_of_the_collection() {
    let mut genesis = told();
    genesis.parameters.reversal_grace_ms = 1_000;
    let mut story = Story::of(&genesis);
    let order = story.order_of_service(100);
    assert_eq!(story.says(SERVICE, order), 0);
    story.block(3_000, &[]);
    assert_eq!(story.says(GATEWAY, collect(&order)), 0);
    let collected = story.chain.state.time();

    let mut names = Parameters::NAMES.iter();
    let index = names.position(|name| *name == "reversal_grace_ms").unwrap() as u16;
    let id = ProposalId::new(collected.plus(1), [1; 10]);
    let height = story.chain.state.height().plus(3);
    let change = Change::Parameter { index, value: 0 };
    let proposal = ProposalItem::new(id, height, &change).unwrap();
    assert_eq!(story.says(OPERATORS[0], proposal), 0);
    assert_eq!(story.says(OPERATORS[1], vote(&proposal, Decision::Approve)), 0);
    for _ in 0..3 {
        story.block(1, &[]);
    }
    assert_eq!(story.chain.state.parameters().reversal_grace_ms, 0);
    let later = story.order(10);
    assert_eq!(story.says(GATEWAY, later), 0);
    assert_eq!(story.says(GATEWAY, back(&later, 1, 10)), 330);

    let left_ms = collected.get() + 1_000 - story.chain.state.time().get();
    let said = [(GATEWAY, vec![Item::from(back(&order, 1, 40))])];
    assert_eq!(story.block(left_ms, &said), [0], "the last moment");
    assert_eq!(story.says(GATEWAY, back(&order, 2, 40)), 330);
}

/// A party consents to ten thousand orders of a window, not to one more; in the next window it
/// begins anew. What it said of orders of the window before is forgotten.
#[test]
fn consents_of_a_window_are_bounded_and_forgotten() {
    const MANY: u32 = 10_000;
    let mut genesis = genesis(TimeMs::new(1_798_761_000_000), 4);
    genesis.parameters.window_ms = 60_000;
    genesis.parameters.order_validity_ms = 180_000;
    genesis.parameters.deadline_domestic_ms = 300_000;
    genesis.parameters.deadline_cross_border_ms = 300_000;
    let mut story = Story::of(&genesis);
    let (service, gateway) = (SERVICES[0], GATEWAYS[0]);
    let made = story.chain.state.time().plus(1);
    let model = story.order(1);
    let order = |number: u32| {
        let mut entropy = [0; 6];
        entropy[2..].copy_from_slice(&number.to_be_bytes());
        let order_id = OrderId::owned(ParticipantId::new(service), made, entropy).bytes();
        RechargeItem { order_id, flags: 0.into(), ..model }
    };
    let numbers: Vec<u32> = (0..=MANY).collect();
    for numbers in numbers.chunks(BATCH_ITEMS_MAX as usize) {
        let items: Vec<Item> = numbers.iter().map(|number| order(*number).into()).collect();
        assert!(story.block(1, &[(service, items)]).iter().all(|code| *code == 0));
        let collected = |number: &u32| {
            let order_id = order(*number).order_id;
            CollectItem { order_id, reference: [0; 32], spare: [0; 16] }.into()
        };
        let items: Vec<Item> = numbers.iter().map(collected).collect();
        assert!(story.block(1, &[(gateway, items)]).iter().all(|code| *code == 0));
    }
    let word = |number: u32| -> Item {
        let order_id = order(number).order_id;
        let amount = 1.into();
        ConsentItem { order_id, amount, reference: [0; 32], spare: [0; 8] }.into()
    };
    let mut codes = Vec::new();
    for numbers in numbers.chunks(1_000) {
        let items = numbers.iter().map(|number| word(*number)).collect();
        codes.extend(story.block(1, &[(service, items)]));
    }
    let (last, others) = codes.split_last().unwrap();
    assert_eq!((*last, others.iter().all(|code| *code == 0)), (334, true));
    assert_eq!(story.block(1, &[(service, vec![word(0)])]), [1], "known, however many there are");
    assert_eq!(story.chain.state.tables().consents.len(), MANY as usize);
    story.block(60_000, &[]);
    assert_eq!(story.block(1, &[(service, vec![word(0)])]), [331]);
    let tables = story.chain.state.tables();
    assert!(tables.consents.is_empty() && tables.consent_counts.is_empty());
}
