//! Simulated participants: they submit, collect, void, attest, repeat themselves, and now and
//! then send what must be refused.

use bytes::Bytes;
use chain_state::{InstructionStatus, State};
use chain_types::operation::{ArrivalItem, CollectItem, RechargeItem, VoidItem};
use chain_types::{
    ChainId, Flags, OrderId, ParticipantId, PartyKeys, SignedBatch, TimeMs, VerifiedBatch,
};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::setup::{GATEWAYS, MERCHANTS, SERVICE, YUAN, participant_key};

/// What the participants remember.
#[derive(Debug, Default)]
pub struct Clients {
    reserved: Vec<(OrderId, ParticipantId)>,
    sent: Vec<VerifiedBatch>,
}

impl Clients {
    /// The next batch that someone sends.
    pub fn next(
        &mut self,
        chain_id: ChainId,
        state: &State,
        now: TimeMs,
        random: &mut ChaCha8Rng,
    ) -> VerifiedBatch {
        let batch = match random.random_range(0..10) {
            0..3 => self.recharges(chain_id, now, random, SERVICE, 0),
            3..6 => {
                let gateway = GATEWAYS[random.random_range(0..GATEWAYS.len())];
                self.recharges(chain_id, now, random, gateway, Flags::COLLECTED)
            }
            6 => self.collects(chain_id, now, random),
            7 => self.voids(chain_id, now, random),
            8 => arrivals(chain_id, state, now, random),
            _ => self.repeat(random),
        };
        let batch =
            batch.unwrap_or_else(|| self.recharges_always(chain_id, now, random, SERVICE, 0));
        self.sent.push(batch.clone());
        batch
    }

    fn recharges(
        &mut self,
        chain_id: ChainId,
        now: TimeMs,
        random: &mut ChaCha8Rng,
        submitter: ParticipantId,
        flags: u16,
    ) -> Option<VerifiedBatch> {
        Some(self.recharges_always(chain_id, now, random, submitter, flags))
    }

    fn recharges_always(
        &mut self,
        chain_id: ChainId,
        now: TimeMs,
        random: &mut ChaCha8Rng,
        submitter: ParticipantId,
        flags: u16,
    ) -> VerifiedBatch {
        let items: Vec<RechargeItem> = (0..random.random_range(1..20))
            .map(|_| {
                let gateway = if flags == 0 {
                    GATEWAYS[random.random_range(0..GATEWAYS.len())]
                } else {
                    submitter
                };
                let order_id = OrderId::new(now, random.random());
                if flags == 0 {
                    self.reserved.push((order_id, gateway));
                }
                // Now and then an amount that must be refused.
                let amount = [0, 100, 4_999, 100_000][random.random_range(0..4)];
                RechargeItem {
                    order_id: order_id.0,
                    user: random.random(),
                    merchant: MERCHANTS[random.random_range(0..MERCHANTS.len())].0.into(),
                    collecting_gateway: gateway.0.into(),
                    amount: amount.into(),
                    currency: YUAN.0.into(),
                    payout_currency: YUAN.0.into(),
                    flags: flags.into(),
                    fx_quote: 0.into(),
                    payout_minimum: 0.into(),
                    device: 0.into(),
                    network: 0.into(),
                    external_reference: [0; 32],
                    spare: [0; 6],
                }
            })
            .collect();
        sign(chain_id, submitter, now, &items)
    }

    fn collects(
        &mut self,
        chain_id: ChainId,
        now: TimeMs,
        random: &mut ChaCha8Rng,
    ) -> Option<VerifiedBatch> {
        let gateway = GATEWAYS[random.random_range(0..GATEWAYS.len())];
        let (taken, left): (Vec<_>, Vec<_>) =
            self.reserved.drain(..).partition(|(_, whose)| *whose == gateway);
        self.reserved = left;
        let items: Vec<CollectItem> = taken
            .iter()
            .take(1000)
            .map(|(id, _)| CollectItem { order_id: id.0, reference: [1; 32], spare: [0; 16] })
            .collect();
        (!items.is_empty()).then(|| sign(chain_id, gateway, now, &items))
    }

    fn voids(
        &mut self,
        chain_id: ChainId,
        now: TimeMs,
        random: &mut ChaCha8Rng,
    ) -> Option<VerifiedBatch> {
        let at = random.random_range(0..self.reserved.len().max(1));
        let (order_id, _) = *self.reserved.get(at)?;
        let item =
            VoidItem { order_id: order_id.0, reason: 2.into(), reference: [0; 32], spare: [0; 14] };
        Some(sign(chain_id, SERVICE, now, &[item]))
    }

    /// A batch that was sent before, as a client does that heard no answer.
    fn repeat(&self, random: &mut ChaCha8Rng) -> Option<VerifiedBatch> {
        self.sent.get(random.random_range(0..self.sent.len().max(1))).cloned()
    }
}

/// Attests every instruction that waits for one of the gateways.
fn arrivals(
    chain_id: ChainId,
    state: &State,
    now: TimeMs,
    random: &mut ChaCha8Rng,
) -> Option<VerifiedBatch> {
    let gateway = GATEWAYS[random.random_range(0..GATEWAYS.len())];
    let items: Vec<ArrivalItem> = state
        .outstanding_instructions()
        .filter(|record| record.gateway == gateway)
        .filter(|record| record.status == InstructionStatus::Instructed)
        .map(|record| ArrivalItem {
            window: record.id.window.0.into(),
            merchant: record.id.merchant.0.into(),
            amount: record.amount.0.into(),
            currency: record.id.currency.0.into(),
            reference: [9; 32],
            spare: [0; 6],
        })
        .collect();
    (!items.is_empty()).then(|| sign(chain_id, gateway, now, &items))
}

fn sign<T>(chain_id: ChainId, submitter: ParticipantId, now: TimeMs, items: &[T]) -> VerifiedBatch
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + chain_types::batch::BatchItem,
{
    let key = participant_key(submitter);
    let bytes = SignedBatch::sign(chain_id, submitter, &key, now.plus(60_000), items);
    let verified = SignedBatch::decode(Bytes::from(bytes)).and_then(|batch| {
        batch.verify(chain_id, |participant| {
            Some(PartyKeys { participant, current: key.public_key(), previous: None })
        })
    });
    match verified {
        Ok(batch) => batch,
        Err(error) => unreachable!("a batch just signed does not verify: {error}"),
    }
}
