//! A small network, its parties and what they say.

use bytes::Bytes;
use chain_types::batch::BatchItem;
use chain_types::evidence::evidence_root;
use chain_types::hash::sha256;
use chain_types::*;
use node_auditor::{AuditFinding, Auditor, Counters};
use zerocopy::{Immutable, IntoBytes};

pub const CNY: u16 = 156;
pub const USD: u16 = 840;
/// The settlement operators' participant ids.
pub const OPERATORS: [u32; 4] = [1, 2, 3, 4];
pub const SERVICE: u32 = 10;
/// The collecting gateway of most stories.
pub const A: u32 = 20;
/// The paying gateway of most stories.
pub const B: u32 = 21;
pub const C: u32 = 22;
/// An FX provider's participant id.
pub const F: u32 = 30;
pub const G: u32 = 31;
pub const DESK: u32 = 40;
pub const MAKER: u32 = 50;
pub const CHECKER: u32 = 51;
pub const MERCHANT: u64 = 1_001;

/// The time of block zero: 2026-01-15T00:00:00Z.
pub const START_MS: u64 = 1_768_435_200_000;
/// The opening liquidity of A in CNY, in minor units.
pub const OPENING: u64 = 1_000_000;

pub fn secret(number: u32) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"auditor", &number.to_le_bytes()]).bytes())
}

fn participant(id: u32, roles: Roles) -> Participant {
    Participant::new(
        ParticipantId::new(id),
        format!("participant {id}"),
        roles,
        secret(id).public_key(),
    )
}

pub fn merchant(id: u64, gateway: u32) -> Merchant {
    Merchant::new(MerchantId::new(id), format!("merchant {id}"), ParticipantId::new(gateway))
}

fn node(number: u32) -> Node {
    Node {
        name: format!("node-{number}"),
        operator: ParticipantId::new(OPERATORS[0]),
        network_key: secret(1_000 + number).public_key(),
        validator_key: secret(2_000 + number).public_key(),
        power: 1,
    }
}

fn line(gateway: u32, net_debit_cap: u64, opening_liquidity: u64) -> LiquidityLine {
    LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: Currency::new(CNY),
        net_debit_cap: Amount::new(net_debit_cap),
        opening_liquidity: Amount::new(opening_liquidity),
    }
}

pub fn genesis() -> ChainGenesis {
    let roles = [
        (SERVICE, Roles::RECHARGE_SERVICE),
        (A, Roles::GATEWAY),
        (B, Roles::GATEWAY),
        (C, Roles::GATEWAY),
        (F, Roles::FX_PROVIDER),
        (G, Roles::FX_PROVIDER),
        (DESK, Roles::RISK_DESK),
        (MAKER, Roles::SETTLEMENT_AGENT),
        (CHECKER, Roles::SETTLEMENT_AGENT),
    ];
    let operators = OPERATORS.into_iter().map(|id| (id, Roles::SETTLEMENT_OPERATOR));
    ChainGenesis {
        chain_id: ChainId::new(sha256(&[b"auditor"])),
        name: "auditor".to_owned(),
        time: TimeMs::new(START_MS),
        parameters: Parameters {
            governance_notice_heights: 1,
            rates_min: 1,
            ..Parameters::default()
        },
        currencies: vec![Currency::new(CNY), Currency::new(USD)],
        participants: operators.chain(roles).map(|(id, roles)| participant(id, roles)).collect(),
        merchants: vec![merchant(MERCHANT, B)],
        liquidity: vec![line(A, 0, OPENING), line(B, 500, 0)],
        lines: Vec::new(),
        nodes: (0..4).map(node).collect(),
    }
    .with_lines(Amount::new(u64::MAX))
}

/// The auditor beside a chain that a test makes up.
pub struct Scene {
    pub auditor: Auditor,
    pub height: u64,
    pub time: u64,
    pub window: u64,
    ids: u64,
}

impl Default for Scene {
    fn default() -> Self {
        Self::of(&genesis())
    }
}

impl Scene {
    pub fn of(genesis: &ChainGenesis) -> Self {
        let time = genesis.time.get();
        Self { auditor: Auditor::new(genesis), height: 0, time, window: 0, ids: 0 }
    }

    /// The header of the next block, `ms` after the last one.
    pub fn header(&mut self, ms: u64) -> BlockHeader {
        self.height += 1;
        self.time += ms;
        BlockHeader {
            protocol_version: 1,
            chain_id: genesis().chain_id,
            height: Height::new(self.height),
            time: TimeMs::new(self.time),
            window: WindowId::new(self.window),
            evidence_root: evidence_root(&[]),
            ..BlockHeader::default()
        }
    }

    /// A block one second after the last one; the chain gives these outcomes.
    pub fn judge(&mut self, said: &[(VerifiedBatch, &[u16])]) -> Result<(), AuditFinding> {
        let header = self.header(1_000);
        let batches: Vec<VerifiedBatch> = said.iter().map(|(batch, _)| batch.clone()).collect();
        let outcomes: Vec<Vec<Outcome>> =
            said.iter().map(|(_, codes)| codes.iter().copied().map(Outcome).collect()).collect();
        self.auditor.block(&header, &[], &batches, &outcomes)
    }

    /// A block whose outcomes are right.
    #[track_caller]
    pub fn block(&mut self, said: &[(VerifiedBatch, &[u16])]) {
        if let Err(finding) = self.judge(said) {
            panic!("{finding}");
        }
    }

    /// One item in a block of its own.
    #[track_caller]
    pub fn say(&mut self, submitter: u32, item: impl IntoBytes + Immutable + BatchItem, code: u16) {
        let batch = self.batch(submitter, &[item]);
        self.block(&[(batch, &[code])]);
    }

    /// An empty block `ms` after the last one.
    #[track_caller]
    pub fn pass(&mut self, ms: u64) {
        let header = self.header(ms);
        if let Err(finding) = self.auditor.block(&header, &[], &[], &[]) {
            panic!("{finding}");
        }
    }

    /// An empty block in which the window closes.
    #[track_caller]
    pub fn close_window(&mut self) {
        self.window += 1;
        self.pass(30_000);
    }

    /// A batch that no other is equal to.
    pub fn batch(
        &mut self,
        submitter: u32,
        items: &[impl IntoBytes + Immutable + BatchItem],
    ) -> VerifiedBatch {
        self.ids += 1;
        let until = TimeMs::new(self.time + 60_000 + self.ids);
        signed(submitter, &secret(submitter), until, items)
    }

    /// A fresh UUIDv7 of the present time.
    pub fn id(&mut self) -> [u8; 16] {
        self.ids += 1;
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&self.ids.to_be_bytes());
        OrderId::new(TimeMs::new(self.time), entropy).bytes()
    }

    /// A fresh id of a participant's own orders.
    pub fn order_id(&mut self, owner: u32) -> [u8; 16] {
        self.ids += 1;
        let [.., first, second, third] = self.ids.to_be_bytes();
        let entropy = [0, 0, 0, first, second, third];
        OrderId::owned(ParticipantId::new(owner), TimeMs::new(self.time), entropy).bytes()
    }

    /// An order of user 1 over A to the merchant, to be reserved.
    pub fn order(&mut self, amount: u64) -> RechargeItem {
        RechargeItem {
            order_id: self.order_id(SERVICE),
            user: [1; 16],
            merchant: MERCHANT.into(),
            collecting_gateway: A.into(),
            amount: amount.into(),
            currency: CNY.into(),
            payout_currency: CNY.into(),
            external_reference: [7; 32],
            ..RechargeItem::default()
        }
    }

    /// The same, collected in one step.
    pub fn collected(&mut self, amount: u64) -> RechargeItem {
        RechargeItem { order_id: self.order_id(A), flags: 1.into(), ..self.order(amount) }
    }

    pub fn transfer(
        &mut self,
        action: TransferAction,
        account: (u16, u64, u16),
        amount: u64,
    ) -> TransferItem {
        TransferItem {
            transfer_id: self.id(),
            action: action.number().into(),
            account_kind: account.0.into(),
            owner: account.1.into(),
            currency: account.2.into(),
            amount: amount.into(),
            reference: [3; 32],
            spare: [0; 26],
        }
    }

    /// A transfer that its maker proposes and its checker approves.
    #[track_caller]
    pub fn transferred(&mut self, action: TransferAction, account: (u16, u64, u16), amount: u64) {
        let item = self.transfer(action, account, amount);
        self.say(MAKER, item, 0);
        self.say(CHECKER, decision(&item, Decision::Approve), 0);
    }

    /// A change that two operators agree on, in effect from the next block on.
    #[track_caller]
    pub fn change(&mut self, change: &Change) {
        let item = self.proposal(change, 2);
        self.say(OPERATORS[0], item, 0);
        self.say(OPERATORS[1], approval(&item, Decision::Approve), 0);
    }

    /// A proposal for the block `ahead` of the last one.
    pub fn proposal(&mut self, change: &Change, ahead: u64) -> ProposalItem {
        let id = ProposalId::from_bytes(self.id());
        ProposalItem::new(id, Height::new(self.height + ahead), change).unwrap()
    }

    #[track_caller]
    pub fn balance(&self, account: (u8, u64, u16), expected: i128) {
        assert_eq!(self.counters(account).balance(), expected, "balance of {account:?}");
    }

    pub fn counters(&self, account: (u8, u64, u16)) -> Counters {
        self.auditor.balances().get(&account).copied().unwrap_or_default()
    }

    /// The parties of a closed window with gross debits and credits.
    pub fn parties(&self, window: u64) -> Vec<((u8, u64, u16), u128, u128)> {
        let windows = self.auditor.windows();
        let parties = windows[&WindowId::new(window)].parties.iter();
        parties.map(|(party, gross)| (*party, gross.debits, gross.credits)).collect()
    }
}

pub fn signed(
    submitter: u32,
    key: &SecretKey,
    valid_until: TimeMs,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    let chain_id = genesis().chain_id;
    let id = ParticipantId::new(submitter);
    let bytes = SignedBatch::sign(chain_id, id, key, valid_until, items);
    let keys = PartyKeys { participant: id, current: key.public_key(), previous: None };
    SignedBatch::decode(Bytes::from(bytes)).unwrap().verify(chain_id, |_| Some(keys)).unwrap()
}

pub fn collect(order: &RechargeItem) -> CollectItem {
    CollectItem { order_id: order.order_id, reference: [4; 32], spare: [0; 16] }
}

pub fn debiting(order: &RechargeItem) -> DebitingItem {
    DebitingItem { order_id: order.order_id, reference: [4; 32], spare: [0; 16] }
}

pub fn consent(order: &RechargeItem, amount: u64) -> ConsentItem {
    let (order_id, amount) = (order.order_id, amount.into());
    ConsentItem { order_id, amount, reference: [4; 32], spare: [0; 8] }
}

pub fn void(order: &RechargeItem) -> VoidItem {
    VoidItem { order_id: order.order_id, reason: 2.into(), reference: [4; 32], spare: [0; 14] }
}

pub fn instruction(window: u64, currency: u16) -> InstructionId {
    let (window, merchant) = (WindowId::new(window), MerchantId::new(MERCHANT));
    InstructionId { window, merchant, currency: Currency::new(currency) }
}

pub fn arrival(window: u64, currency: u16, amount: u64) -> ArrivalItem {
    ArrivalItem::new(instruction(window, currency), Amount::new(amount), [5; 32], 1)
}

pub fn failure(window: u64, reason: FailureReason) -> FailureItem {
    FailureItem::new(instruction(window, CNY), reason.number(), [5; 32], 1)
}

pub fn reinstruct(window: u64) -> ReinstructItem {
    ReinstructItem::new(instruction(window, CNY), [6; 32], 1)
}

pub fn send_back(order: &RechargeItem, sequence: u16, amount: u64) -> ReturnItem {
    ReturnItem {
        order_id: order.order_id,
        amount: amount.into(),
        rested_max: u64::MAX.into(),
        reason: ReturnReason::Duplicate.number().into(),
        sequence: sequence.into(),
        reference: [8; 32],
        spare: [0; 4],
    }
}

pub fn decision(transfer: &TransferItem, decision: Decision) -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: transfer.transfer_id,
        decision: decision.number().into(),
        action: transfer.action,
        amount: transfer.amount,
        reference: [9; 32],
        spare: [0; 4],
    }
}

pub fn approval(proposal: &ProposalItem, decision: Decision) -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposal.proposal_id,
        decision: decision.number().into(),
        digest: proposal.digest().bytes(),
        spare: [0; 14],
    }
}

/// Eight percent above `above` recharges in the merchant's month of UTC+8.
pub fn programme(above: u16) -> Programme {
    Programme {
        merchant: MerchantId::new(MERCHANT),
        currency: Currency::new(CNY),
        tiers: vec![CashbackTier { above, basis_points: 800 }],
        order_max: Amount::new(0),
        user_month_max: Amount::new(0),
        offset_min: 480,
        is_active: true,
        order_least: Amount::new(13),
        gateways: vec![ParticipantId::new(20), ParticipantId::new(21)],
    }
}
