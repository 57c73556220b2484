//! What gateways and services say of orders so that what was told stays told: that a user is being
//! debited, that an order may be reversed; and reversals at the edges of both.

use chain_state::OrderStatus;
use chain_types::batch::BATCH_ITEMS_MAX;
use chain_types::{
    CollectItem, ConsentItem, DebitingItem, OrderId, ParticipantId, RechargeItem, ReturnItem,
};

use crate::chain::Chain;
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
        let payer = payer.map_or(known.submitter, |found| found.payout_gateway.0);
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
                    && collection.time.0 + grace_ms > state.time().0 + 1
            })
        };
        let known = self.last(is_open)?;
        let collection = chain.collection(&known.item.order_id())?;
        let item = ReturnItem {
            order_id: known.item.order_id,
            amount: 1.into(),
            reason: 2.into(),
            sequence: (known.returns + 1).into(),
            reference: [8; 32],
            spare: [0; 4],
        };
        self.queue.push_back((known.item.collecting_gateway.get(), item.into()));
        Some(collection.time.0 + grace_ms + self.below(3) - 1)
    }
}

/// A party consents to ten thousand orders of a window, not to one more; in the next window it
/// begins anew. What it said of orders of the window before is forgotten.
#[test]
fn consents_of_a_window_are_bounded_and_forgotten() {
    const MANY: u32 = 10_000;
    let mut genesis = genesis(chain_types::TimeMs(1_798_761_000_000), 4);
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
        let order_id = OrderId::owned(ParticipantId(service), made, entropy).0;
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
