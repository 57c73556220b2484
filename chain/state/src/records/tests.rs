//! `docs/wire-format.md` says how every record is written: the page's own tables take real records
//! apart, to the last byte, and give their values.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod page;

use chain_types::evidence::EquivocationKind;
use chain_types::{
    Amount, BlockHash, Change, Currency, InstructionId, LineAccount, LineKey, MerchantId, OrderId,
    Parameters, ParticipantId, PartyKeys, PolicyScope, ProposalId, QuoteId, Rate, Round, SecretKey,
    TransferAction, TransferId, Validator, ValidatorId, ValidatorSet, WindowId,
};

use self::page::is;
use super::*;
use crate::account::AccountKind;

const CNY: Currency = Currency::new(156);
const USD: Currency = Currency::new(840);
const TIME: TimeMs = TimeMs::new(1_000_001);
const PLACE: Location = Location { height: Height::new(61), batch: 62, item: 63 };

fn instruction() -> InstructionId {
    InstructionId { window: WindowId::new(11), merchant: MerchantId::new(12), currency: CNY }
}

fn account() -> AccountKey {
    AccountKey { kind: AccountKind::FxPosition, owner: 13, currency: USD }
}

#[test]
fn records_of_windows_are_as_the_page_says() {
    let party = WindowParty { kind: AccountKind::GatewayLiquidity, owner: 21, currency: CNY };
    let window = WindowRecord {
        id: WindowId::new(1),
        opened: TimeMs::new(2),
        first_height: Height::new(3),
        closed: Some(TimeMs::new(4)),
        last_height: Some(Height::new(5)),
        order_count: 6,
        instruction_count: 7,
        positions: vec![Position { party, gross_debits: 22, gross_credits: 23 }],
    };
    let expected: &[(&str, &[u128])] = &[
        ("window", &[1]),
        ("opened", &[2]),
        ("first block", &[3]),
        ("closed", &[1, 4]),
        ("last block", &[1, 5]),
        ("orders collected", &[6]),
        ("instructions", &[7]),
        ("positions", &[1, 1, 21, 156, 22, 23]),
    ];
    is(Record::Window(window), 0, "window", expected);
    let settlement = WindowSettlement {
        window: WindowId::new(1),
        agent: ParticipantId::new(2),
        reference: [3; 32],
        time: TIME,
        location: PLACE,
        checker: ParticipantId::new(4),
        digest: Digest::from_bytes([5; 32]),
    };
    let expected: &[(&str, &[u128])] = &[
        ("window", &[1]),
        ("agent", &[2]),
        ("reference", &[3]),
        ("time", &[1_000_001]),
        ("operation", &[61, 62, 63]),
        ("checker", &[4]),
        ("digest", &[5]),
    ];
    is(Record::WindowSettlement(settlement), 4, "window settlement", expected);
}

#[test]
fn records_of_payments_are_as_the_page_says() {
    let record = |status| InstructionRecord {
        id: instruction(),
        gateway: ParticipantId::new(31),
        amount: Amount::new(32),
        amount_returned: Amount::new(33),
        order_count: 34,
        cross_border_count: 35,
        attempt: 36,
        attempt_height: Height::new(41),
        failures: 42,
        recalled: Some(TimeMs::new(43)),
        earliest_accepted: TimeMs::new(37),
        instructed: TimeMs::new(38),
        deadline: TimeMs::new(39),
        status,
        reference: [40; 32],
        cashback: vec![CashbackSum {
            gateway: ParticipantId::new(45),
            currency: Currency::new(156),
            amount: Amount::new(46),
        }],
    };
    let (time, location) = (TIME, PLACE);
    let rows: [(InstructionStatus, &[u128]); 4] = [
        (InstructionStatus::Instructed, &[0]),
        (InstructionStatus::Arrived { time, location }, &[1, 1_000_001, 61, 62, 63]),
        (
            InstructionStatus::Failed { reason: 2, by: ParticipantId::new(44), time, location },
            &[2, 2, 44, 1_000_001, 61, 62, 63],
        ),
        (InstructionStatus::Returned { time, location }, &[3, 1_000_001, 61, 62, 63]),
    ];
    for (status, progress) in rows {
        let expected: &[(&str, &[u128])] = &[
            ("id", &[11, 12, 156]),
            ("paying gateway", &[31]),
            ("amount", &[32]),
            ("amount returned", &[33]),
            ("orders", &[34]),
            ("orders converted", &[35]),
            ("attempt", &[36]),
            ("block of the attempt", &[41]),
            ("failures in a row", &[42]),
            ("recalled", &[1, 43]),
            ("earliest accepted", &[37]),
            ("instructed", &[38]),
            ("deadline", &[39]),
            ("status", progress),
            ("reference", &[40]),
            ("cashback", &[1, 45, 156, 46]),
        ];
        is(Record::Instruction(record(status)), 1, "instruction", expected);
    }
}

#[test]
fn records_of_accounts_are_as_the_page_says() {
    let entry = |cause| AccountEntry {
        key: account(),
        height: Height::new(1),
        sequence: 2,
        cause,
        time: TIME,
        debits_pending: 3,
        debits_posted: 4,
        credits_pending: 5,
        credits_posted: 6,
        order_count: 7,
        after: Account {
            debits_pending: 8,
            debits_posted: 9,
            credits_pending: 10,
            credits_posted: 11,
            net_debit_cap: 12,
            settled: 13,
        },
    };
    let causes: [(EntryCause, &[u128]); 8] = [
        (EntryCause::Genesis, &[0]),
        (EntryCause::Batch(41), &[1, 41]),
        (EntryCause::Expiry, &[2]),
        (EntryCause::Instruction(instruction()), &[3, 11, 12, 156]),
        (EntryCause::WindowClose(WindowId::new(42)), &[4, 42]),
        (EntryCause::Order(OrderId::from_bytes([43; 16])), &[5, 43]),
        (EntryCause::Transfer(TransferId::from_bytes([44; 16])), &[6, 44]),
        (EntryCause::Settlement(WindowId::new(46)), &[7, 46]),
    ];
    for (cause, said) in causes {
        let expected: &[(&str, &[u128])] = &[
            ("account", &[5, 13, 840]),
            ("block", &[1]),
            ("place", &[2]),
            ("cause", said),
            ("time", &[1_000_001]),
            ("change of debits pending", &[3]),
            ("change of debits posted", &[4]),
            ("change of credits pending", &[5]),
            ("change of credits posted", &[6]),
            ("orders", &[7]),
            ("after", &[8, 9, 10, 11, 12, 13]),
        ];
        is(Record::AccountEntry(entry(cause)), 2, "account entry", expected);
    }
}

#[test]
fn records_of_deadlines_and_evidence_are_as_the_page_says() {
    let subjects: [(BreachSubject, &[u128]); 2] = [
        (BreachSubject::Order(OrderId::from_bytes([45; 16])), &[0, 45]),
        (BreachSubject::Instruction(instruction()), &[1, 11, 12, 156]),
    ];
    for (subject, said) in subjects {
        let breach = BreachRecord {
            height: Height::new(1),
            sequence: 2,
            stage: BreachStage::Arrived,
            late: Some(ParticipantId::new(4)),
            subject,
            deadline: TimeMs::new(5),
            noticed: TimeMs::new(6),
        };
        let expected: &[(&str, &[u128])] = &[
            ("block", &[1]),
            ("place", &[2]),
            ("stage", &[3]),
            ("late", &[1, 4]),
            ("subject", said),
            ("deadline", &[5]),
            ("noticed", &[6]),
        ];
        is(Record::Breach(breach), 3, "breach", expected);
    }
    let evidence = EvidenceRecord {
        height: Height::new(1),
        sequence: 2,
        time: TIME,
        validator: ValidatorId::new(3),
        kind: EquivocationKind::Proposals,
        offence_height: Height::new(4),
        offence_round: Round::new(5),
        first: None,
        second: Some(BlockHash::new(Digest::from_bytes([6; 32]))),
    };
    let expected: &[(&str, &[u128])] = &[
        ("block", &[1]),
        ("place", &[2]),
        ("time", &[1_000_001]),
        ("validator", &[3]),
        ("what", &[2]),
        ("offence height", &[4]),
        ("offence round", &[5]),
        ("first value", &[0]),
        ("second value", &[1, 6]),
    ];
    is(Record::Evidence(evidence), 12, "evidence", expected);
}

#[test]
fn records_of_money_in_and_out_are_as_the_page_says() {
    let back = ReturnRecord {
        order: OrderId::from_bytes([1; 16]),
        sequence: 2,
        gateway: ParticipantId::new(3),
        amount: Amount::new(4),
        payout: Amount::new(5),
        cashback: Amount::new(6),
        reason: 7,
        is_reversal: true,
        is_unconverted: true,
        reference: [8; 32],
        time: TIME,
        location: PLACE,
        from_payable: true,
        cashback_rested: Amount::new(9),
        cashback_set_off: Amount::new(10),
    };
    let expected: &[(&str, &[u128])] = &[
        ("order", &[1]),
        ("sequence", &[2]),
        ("gateway", &[3]),
        ("amount", &[4]),
        ("payout", &[5]),
        ("cashback", &[6]),
        ("reason", &[7]),
        ("reversal", &[1]),
        ("unconverted", &[1]),
        ("reference", &[8]),
        ("time", &[1_000_001]),
        ("operation", &[61, 62, 63]),
        ("from the payable", &[1]),
        ("cashback that rested on it", &[9]),
        ("cashback set off", &[10]),
    ];
    is(Record::Return(back), 5, "return", expected);
    let transfer = TransferRecord {
        id: TransferId::from_bytes([1; 16]),
        action: TransferAction::Withdraw,
        account: account(),
        amount: Amount::new(3),
        reference: [4; 32],
        content: Digest::from_bytes([5; 32]),
        maker: ParticipantId::new(6),
        proposed: TimeMs::new(7),
        location: PLACE,
        status: TransferStatus::Approved,
        checker: Some(ParticipantId::new(8)),
        checker_reference: [9; 32],
        decided: Some(TimeMs::new(10)),
    };
    let expected: &[(&str, &[u128])] = &[
        ("id", &[1]),
        ("action", &[2]),
        ("account", &[5, 13, 840]),
        ("amount", &[3]),
        ("reference", &[4]),
        ("content", &[5]),
        ("maker", &[6]),
        ("proposed", &[7]),
        ("operation", &[61, 62, 63]),
        ("status", &[2]),
        ("checker", &[1, 8]),
        ("checker's reference", &[9]),
        ("decided", &[1, 10]),
    ];
    is(Record::Transfer(transfer), 6, "transfer", expected);
}

#[test]
fn records_of_conversions_are_as_the_page_says() {
    let rate = Rate::new(71_234, 4).unwrap();
    let published = RateRecord {
        currency: CNY,
        payout_currency: USD,
        provider: ParticipantId::new(1),
        rate,
        observed: TimeMs::new(2),
        published: TimeMs::new(3),
    };
    let expected: &[(&str, &[u128])] = &[
        ("currency", &[156]),
        ("payout currency", &[840]),
        ("provider", &[1]),
        ("rate", &[71_234, 4]),
        ("observed", &[2]),
        ("published", &[3]),
    ];
    is(Record::Rate(published), 7, "rate", expected);
    let quote = QuoteRecord {
        id: QuoteId::new(1),
        currency: CNY,
        payout_currency: USD,
        rate,
        ceiling: Amount::new(2),
        used: Amount::new(3),
        valid_until: TimeMs::new(4),
        issued: TimeMs::new(5),
    };
    let expected: &[(&str, &[u128])] = &[
        ("id", &[1]),
        ("currency", &[156]),
        ("payout currency", &[840]),
        ("rate", &[71_234, 4]),
        ("ceiling", &[2]),
        ("used", &[3]),
        ("valid until", &[4]),
        ("issued", &[5]),
    ];
    is(Record::Quote(quote), 8, "quote", expected);
}

#[test]
fn records_of_limits_and_lines_are_as_the_page_says() {
    let policy = PolicyRecord {
        scope: PolicyScope::Merchant,
        subject: 3,
        currency: CNY,
        order_max: Amount::new(4),
        user_day_max: Amount::new(5),
        day_max: Amount::new(6),
        hold_above: Amount::new(7),
        desk: ParticipantId::new(8),
        since: TimeMs::new(9),
    };
    let expected: &[(&str, &[u128])] = &[
        ("scope", &[2]),
        ("subject", &[3]),
        ("currency", &[156]),
        ("order maximum", &[4]),
        ("user-and-day maximum", &[5]),
        ("day maximum", &[6]),
        ("hold above", &[7]),
        ("desk", &[8]),
        ("since", &[9]),
    ];
    is(Record::Policy(policy), 9, "policy", expected);
    let (account, owner, holder) =
        (LineAccount::FxPosition, ParticipantId::new(2), ParticipantId::new(3));
    let line = LineRecord {
        key: LineKey { account, owner, currency: CNY, holder },
        limit: Amount::new(4),
        outstanding: Amount::new(5),
        since: TimeMs::new(6),
    };
    let expected: &[(&str, &[u128])] = &[
        ("account", &[5]),
        ("owner", &[2]),
        ("currency", &[156]),
        ("holder", &[3]),
        ("limit", &[4]),
        ("outstanding", &[5]),
        ("since", &[6]),
    ];
    is(Record::Line(line), 13, "line", expected);
}

#[test]
fn records_of_governance_are_as_the_page_says() {
    let proposal = ProposalRecord {
        id: ProposalId::from_bytes([1; 16]),
        change: Change::Parameter { index: 2, value: 20_000 },
        digest: Digest::from_bytes([2; 32]),
        maker: ParticipantId::new(3),
        proposed: TimeMs::new(4),
        activation: Height::new(5),
        due: Height::new(6),
        approvals: vec![ParticipantId::new(3), ParticipantId::new(6)],
        refusals: vec![ParticipantId::new(7)],
        status: ProposalStatus::Failed,
        failure: 806,
        status_height: Height::new(8),
    };
    let expected: &[(&str, &[u128])] = &[
        ("id", &[1]),
        ("change", &[]),
        ("digest", &[2]),
        ("maker", &[3]),
        ("proposed", &[4]),
        ("activation", &[5]),
        ("due", &[6]),
        ("approvals", &[2, 3, 6]),
        ("refusals", &[1, 7]),
        ("status", &[6]),
        ("failure", &[806]),
        ("status block", &[8]),
    ];
    is(Record::Proposal(proposal), 10, "governance proposal", expected);

    let key = |seed: u8| SecretKey::from_seed(&[seed; 32]).public_key();
    let last = |seed: u8| u128::from(*codec::encode(&key(seed)).last().unwrap());
    let registry = RegistryRecord {
        since: Height::new(1),
        parties: vec![PartyKeys {
            participant: ParticipantId::new(2),
            current: key(3),
            previous: Some((key(4), Height::new(5))),
        }],
        validators: ValidatorSet::new(vec![Validator {
            id: ValidatorId::new(6),
            public_key: key(7),
            power: 8,
        }]),
        parameters: Parameters::default(),
        protocol_version: 9,
    };
    let values: Vec<u128> = Parameters::default().values().into_iter().map(u128::from).collect();
    let expected: &[(&str, &[u128])] = &[
        ("since", &[1]),
        ("parties", &[1, 2, last(3), 1, last(4), 5]),
        ("validators", &[1, 6, last(7), 8]),
        ("parameters", &values),
        ("protocol version", &[9]),
    ];
    is(Record::Registry(registry), 11, "registry", expected);
}
