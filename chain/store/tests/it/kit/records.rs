//! Records of every kind, as blocks of the tests leave them.

use chain_state::{
    Account, AccountEntry, AccountKey, BreachRecord, BreachSubject, EntryCause, EvidenceRecord,
    InstructionRecord, InstructionStatus, Location, OrderRecord, OrderRun, OrderStatus,
    PolicyRecord, ProposalRecord, ProposalStatus, QuoteRecord, RateRecord, Record, RegistryRecord,
    Retired, ReturnRecord, TransferRecord, TransferStatus, TreeNode, WindowRecord,
    WindowSettlement,
};
use chain_store::BlockRecords;
use chain_types::{
    Amount, BlockHash, BreachStage, Change, Currency, Digest, EquivocationKind, Height,
    InstructionId, MerchantId, OrderId, Outcome, Parameters, ParticipantId, PartyKeys, PolicyScope,
    ProposalId, QuoteId, Rate, Round, SecretKey, TransferAction, TransferId, ValidatorId,
    ValidatorSet, WindowId,
};

use super::*;

pub fn instruction_id(window: u64, merchant: u64) -> InstructionId {
    InstructionId {
        window: WindowId::new(window),
        merchant: MerchantId::new(merchant),
        currency: Currency::new(156),
    }
}

pub fn window(id: u64, order_count: u64) -> WindowRecord {
    WindowRecord {
        id: WindowId::new(id),
        opened: time_of(id),
        first_height: Height::new(id + 1),
        closed: Some(time_of(id + 1)),
        last_height: Some(Height::new(id + 2)),
        order_count,
        instruction_count: 2,
        positions: Vec::new(),
    }
}

pub fn instruction(id: InstructionId, gateway: u32, amount: u64) -> InstructionRecord {
    InstructionRecord {
        id,
        gateway: ParticipantId::new(gateway),
        amount: Amount::new(amount),
        amount_returned: Amount::new(0),
        order_count: 3,
        cross_border_count: 0,
        attempt: 1,
        attempt_height: Height::new(1),
        failures: 0,
        recalled: None,
        earliest_accepted: time_of(1),
        instructed: time_of(2),
        deadline: time_of(3),
        status: InstructionStatus::Instructed,
        reference: [0; 32],
        cashback: Vec::new(),
    }
}

pub fn account(owner: u64) -> AccountKey {
    AccountKey::payable(MerchantId::new(owner), Currency::new(156))
}

pub fn entry(owner: u64, height: u64, sequence: u32) -> AccountEntry {
    AccountEntry {
        key: account(owner),
        height: Height::new(height),
        sequence,
        cause: EntryCause::Batch(sequence),
        time: time_of(height),
        debits_pending: 0,
        debits_posted: -5,
        credits_pending: 0,
        credits_posted: i128::from(height),
        order_count: 1,
        after: Account { credits_posted: u128::from(height), ..Account::default() },
    }
}

pub fn breach(height: u64, sequence: u32) -> BreachRecord {
    BreachRecord {
        height: Height::new(height),
        sequence,
        stage: BreachStage::Arrived,
        late: Some(ParticipantId::new(202)),
        subject: BreachSubject::Order(order_id(height)),
        deadline: time_of(height),
        noticed: time_of(height + 1),
    }
}

pub fn caught(height: u64, sequence: u32) -> EvidenceRecord {
    EvidenceRecord {
        height: Height::new(height),
        sequence,
        time: time_of(height),
        validator: ValidatorId::new(3),
        kind: EquivocationKind::Prevotes,
        offence_height: Height::new(height),
        offence_round: Round::new(1),
        first: None,
        second: Some(BlockHash::new(Digest::from_bytes([height as u8; 32]))),
    }
}

/// Returns the records that every block of the tests leaves behind: one of each kind.
pub fn records(height: Height) -> Vec<Record> {
    let number = height.get();
    vec![
        Record::Window(window(number, number)),
        Record::Instruction(instruction(instruction_id(number, 1001), 201, number)),
        Record::Instruction(instruction(instruction_id(number, 1002), 202, number)),
        Record::AccountEntry(entry(1001, number, 0)),
        Record::AccountEntry(entry(1002, number, 1)),
        Record::AccountEntry(entry(1001, number, 2)),
        Record::Breach(breach(number, 0)),
        Record::WindowSettlement(settlement(number)),
        Record::Return(back(number, 1)),
        Record::Transfer(transfer(number)),
        Record::Rate(rate(301, number)),
        Record::Rate(rate(302, number)),
        Record::Quote(quote(301, number)),
        Record::Quote(quote(302, number)),
        Record::Policy(policy(number)),
        Record::Proposal(proposal(number)),
        Record::Evidence(caught(number, 0)),
    ]
}

/// Returns what the usual block of a height gives the index.
pub fn learned(height: Height) -> BlockRecords {
    let (level, index) = (4, u32::try_from(height.get() % 2).unwrap());
    BlockRecords {
        records: records(height),
        writes: writes(height.get()),
        account_nodes: vec![TreeNode { level, index, digest: writes(height.get()) }],
        retired: Retired::default(),
    }
}

/// Returns what a block gives the index that leaves only these records.
pub fn only(records: Vec<Record>) -> BlockRecords {
    BlockRecords { records, ..BlockRecords::default() }
}

/// Returns what a block gives the index that leaves only these orders.
pub fn leaving(retired: Retired) -> BlockRecords {
    BlockRecords { retired, ..BlockRecords::default() }
}

/// The running digest after the usual block of a height.
pub fn writes(height: u64) -> Digest {
    Digest::from_bytes([height as u8 ^ 0x55; 32])
}

pub fn party_keys(participant: ParticipantId, current: chain_types::PublicKey) -> PartyKeys {
    PartyKeys { participant, current, previous: None }
}

pub fn settlement(window: u64) -> WindowSettlement {
    WindowSettlement {
        window: WindowId::new(window),
        agent: ParticipantId::new(401),
        reference: [window as u8; 32],
        time: time_of(window),
        location: Location { height: Height::new(window), batch: 0, item: 0 },
        checker: ParticipantId::new(402),
        digest: Digest::from_bytes([window as u8; 32]),
    }
}

/// A return of the order of a number.
pub fn back(order: u64, sequence: u16) -> ReturnRecord {
    ReturnRecord {
        order: order_id(order),
        sequence,
        gateway: ParticipantId::new(202),
        amount: Amount::new(5),
        payout: Amount::new(5),
        cashback: Amount::new(0),
        reason: 1,
        is_reversal: false,
        is_unconverted: false,
        cashback_rested: Amount::new(0),
        cashback_set_off: Amount::new(0),
        reference: [sequence as u8; 32],
        time: time_of(order),
        location: Location { height: Height::new(order), batch: 0, item: u32::from(sequence) },
        from_payable: false,
    }
}

pub fn transfer_id(number: u64) -> TransferId {
    TransferId::from_bytes(order_id(number).bytes())
}

pub fn transfer(number: u64) -> TransferRecord {
    TransferRecord {
        id: transfer_id(number),
        action: TransferAction::Deposit,
        account: AccountKey::liquidity(ParticipantId::new(201), Currency::new(156)),
        amount: Amount::new(number),
        reference: [1; 32],
        content: Digest::from_bytes([2; 32]),
        maker: ParticipantId::new(401),
        proposed: time_of(number),
        location: Location { height: Height::new(number), batch: 0, item: 0 },
        status: TransferStatus::Proposed,
        checker: None,
        checker_reference: [0; 32],
        decided: None,
    }
}

pub fn rate(provider: u32, number: u64) -> RateRecord {
    RateRecord {
        currency: Currency::new(156),
        payout_currency: Currency::new(392),
        provider: ParticipantId::new(provider),
        rate: Rate::new(20, 0).unwrap(),
        observed: time_of(number),
        published: time_of(number).plus(7),
    }
}

pub fn quote_id(provider: u32, number: u64) -> QuoteId {
    QuoteId::of(ParticipantId::new(provider), number as u32)
}

pub fn quote(provider: u32, number: u64) -> QuoteRecord {
    QuoteRecord {
        id: quote_id(provider, number),
        currency: Currency::new(156),
        payout_currency: Currency::new(392),
        rate: Rate::new(20, 0).unwrap(),
        ceiling: Amount::new(number),
        used: Amount::new(0),
        valid_until: time_of(number + 10),
        issued: time_of(number),
    }
}

pub fn policy(merchant: u64) -> PolicyRecord {
    PolicyRecord {
        scope: PolicyScope::Merchant,
        subject: merchant,
        currency: Currency::new(156),
        order_max: Amount::new(9),
        user_day_max: Amount::new(0),
        day_max: Amount::new(0),
        hold_above: Amount::new(0),
        desk: ParticipantId::new(501),
        since: time_of(merchant),
    }
}

pub fn proposal_id(number: u64) -> ProposalId {
    ProposalId::from_bytes(order_id(number).bytes())
}

pub fn proposal(number: u64) -> ProposalRecord {
    ProposalRecord {
        id: proposal_id(number),
        change: Change::Currency(Currency::new(392)),
        digest: Digest::from_bytes([3; 32]),
        maker: ParticipantId::new(1),
        proposed: time_of(number),
        activation: Height::new(number + 10),
        due: Height::new(number + 12),
        approvals: vec![ParticipantId::new(1)],
        refusals: Vec::new(),
        status: ProposalStatus::Proposed,
        failure: 0,
        status_height: Height::new(number),
    }
}

/// A registry with as many parties as `parties`.
pub fn registry(since: u64, parties: u32) -> RegistryRecord {
    let key = SecretKey::from_seed(&[3; 32]).public_key();
    RegistryRecord {
        since: Height::new(since),
        parties: (1..=parties).map(|id| party_keys(ParticipantId::new(id), key)).collect(),
        validators: ValidatorSet::new(Vec::new()),
        parameters: Parameters::default(),
        protocol_version: 1,
    }
}

pub fn order(number: u64) -> (OrderId, OrderRecord) {
    let location = Location { height: Height::new(number), batch: 1, item: 2 };
    let record = OrderRecord {
        location,
        fingerprint: [number as u8; 16],
        outcome: Outcome::APPLIED,
        status: OrderStatus::Collected,
        status_height: Height::new(number),
        status_location: location,
    };
    (order_id(number), record)
}

/// Runs of orders, each numbered from its first number up to but without its second.
pub fn retired(runs: &[(u64, u64)]) -> Retired {
    let run = |(from, to): &(u64, u64)| OrderRun::of(&(*from..*to).map(order).collect::<Vec<_>>());
    Retired { runs: runs.iter().map(run).collect() }
}
