//! An operation of any kind, and batches of them.

use bytes::Bytes;
use chain_types::batch::{BatchItem, SignedBatch};
use chain_types::{
    ApprovalItem, ArrivalItem, BatchKind, BounceItem, ChainId, CollectItem, ConsentItem,
    DebitingItem, FailureItem, HoldDecisionItem, LineItem, ListedChangeItem, MerchantItem,
    ParticipantId, PartyKeys, PolicyItem, ProposalItem, QuoteItem, RateItem, RecallItem,
    RechargeItem, ReinstructItem, ReturnItem, SecretKey, SettleWindowItem, SettlementDecisionItem,
    StepInItem, TimeMs, TransferDecisionItem, TransferItem, VerifiedBatch, VoidItem,
};
use zerocopy::{Immutable, IntoBytes};

/// The signer of a batch, its key, its chain, and the end of its validity.
pub struct Letterhead<'a> {
    pub chain_id: ChainId,
    pub submitter: u32,
    pub key: &'a SecretKey,
    pub valid_until: TimeMs,
}

impl Letterhead<'_> {
    fn sign(&self, items: &[impl IntoBytes + Immutable + BatchItem]) -> VerifiedBatch {
        let participant = ParticipantId::new(self.submitter);
        let bytes =
            SignedBatch::sign(self.chain_id, participant, self.key, self.valid_until, items);
        let keys = PartyKeys { participant, current: self.key.public_key(), previous: None };
        let batch = SignedBatch::decode(Bytes::from(bytes)).unwrap();
        batch.verify(self.chain_id, |_| Some(keys)).unwrap()
    }
}

macro_rules! items {
    ($($kind:ident: $item:ident,)*) => {
        /// One operation of any kind.
        #[derive(Debug, Clone, Copy)]
        #[allow(clippy::large_enum_variant)]
        pub enum Item { $($kind($item),)* }

        $(impl From<$item> for Item {
            fn from(item: $item) -> Self {
                Self::$kind(item)
            }
        })*

        impl Item {
            pub fn kind(&self) -> BatchKind {
                match self { $(Self::$kind(_) => BatchKind::$kind,)* }
            }

            /// Its bytes; every value of each is some item.
            pub fn bytes_mut(&mut self) -> &mut [u8] {
                match self { $(Self::$kind(item) => item.as_mut_bytes(),)* }
            }

            /// A batch of items that are all of one kind.
            pub fn batch(items: &[(u32, Item)], head: &Letterhead<'_>) -> VerifiedBatch {
                match items[0].1.kind() {
                    $(BatchKind::$kind => {
                        let of_kind = items.iter().filter_map(|(_, item)| match item {
                            Self::$kind(item) => Some(*item),
                            _ => None,
                        });
                        head.sign(&of_kind.collect::<Vec<$item>>())
                    })*
                }
            }
        }
    };
}

items! {
    Recharge: RechargeItem,
    Collect: CollectItem,
    Void: VoidItem,
    Arrival: ArrivalItem,
    Failure: FailureItem,
    Return: ReturnItem,
    Reinstruct: ReinstructItem,
    SettleWindow: SettleWindowItem,
    Transfer: TransferItem,
    TransferDecision: TransferDecisionItem,
    Rate: RateItem,
    Quote: QuoteItem,
    HoldDecision: HoldDecisionItem,
    Policy: PolicyItem,
    Line: LineItem,
    Proposal: ProposalItem,
    Approval: ApprovalItem,
    Bounce: BounceItem,
    Recall: RecallItem,
    StepIn: StepInItem,
    SettlementDecision: SettlementDecisionItem,
    ChangeList: ListedChangeItem,
    Merchant: MerchantItem,
    Debiting: DebitingItem,
    Consent: ConsentItem,
}
