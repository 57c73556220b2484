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

const CNY: Currency = Currency(156);
const USD: Currency = Currency(840);
const TIME: TimeMs = TimeMs(1_000_001);
const PLACE: Location = Location { height: Height(61), batch: 62, item: 63 };

fn instruction() -> InstructionId {
    InstructionId { window: WindowId(11), merchant: MerchantId(12), currency: CNY }
}

fn account() -> AccountKey {
    AccountKey { kind: AccountKind::FxPosition, owner: 13, currency: USD }
}

#[test]
fn records_of_windows_are_as_the_page_says() {
    let party = WindowParty { kind: AccountKind::GatewayLiquidity, owner: 21, currency: CNY };
    let window = WindowRecord {
        id: WindowId(1),
        opened: TimeMs(2),
        first_height: Height(3),
        closed: Some(TimeMs(4)),
        last_height: Some(Height(5)),
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
        window: WindowId(1),
        agent: ParticipantId(2),
        reference: [3; 32],
        time: TIME,
        location: PLACE,
        checker: ParticipantId(4),
        digest: Digest([5; 32]),
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
        gateway: ParticipantId(31),
        amount: Amount(32),
        amount_returned: Amount(33),
        order_count: 34,
        cross_border_count: 35,
        attempt: 36,
        attempt_height: Height(41),
        failures: 42,
        recalled: Some(TimeMs(43)),
        earliest_accepted: TimeMs(37),
        instructed: TimeMs(38),
        deadline: TimeMs(39),
        status,
        reference: [40; 32],
        cashback: vec![CashbackSum {
            gateway: ParticipantId(45),
            currency: Currency(156),
            amount: Amount(46),
        }],
    };
    let (time, location) = (TIME, PLACE);
    let rows: [(InstructionStatus, &[u128]); 4] = [
        (InstructionStatus::Instructed, &[0]),
        (InstructionStatus::Arrived { time, location }, &[1, 1_000_001, 61, 62, 63]),
        (
            InstructionStatus::Failed { reason: 2, by: ParticipantId(44), time, location },
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
        height: Height(1),
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
        (EntryCause::WindowClose(WindowId(42)), &[4, 42]),
        (EntryCause::Order(OrderId([43; 16])), &[5, 43]),
        (EntryCause::Transfer(TransferId([44; 16])), &[6, 44]),
        (EntryCause::Settlement(WindowId(46)), &[7, 46]),
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
        (BreachSubject::Order(OrderId([45; 16])), &[0, 45]),
        (BreachSubject::Instruction(instruction()), &[1, 11, 12, 156]),
    ];
    for (subject, said) in subjects {
        let breach = BreachRecord {
            height: Height(1),
            sequence: 2,
            stage: BreachStage::Arrived,
            late: Some(ParticipantId(4)),
            subject,
            deadline: TimeMs(5),
            noticed: TimeMs(6),
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
        height: Height(1),
        sequence: 2,
        time: TIME,
        validator: ValidatorId(3),
        kind: EquivocationKind::Proposals,
        offence_height: Height(4),
        offence_round: Round(5),
        first: None,
        second: Some(BlockHash(Digest([6; 32]))),
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
        order: OrderId([1; 16]),
        sequence: 2,
        gateway: ParticipantId(3),
        amount: Amount(4),
        payout: Amount(5),
        cashback: Amount(6),
        reason: 7,
        is_reversal: true,
        is_unconverted: true,
        reference: [8; 32],
        time: TIME,
        location: PLACE,
        from_payable: true,
        cashback_rested: Amount(9),
        cashback_set_off: Amount(10),
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
        id: TransferId([1; 16]),
        action: TransferAction::Withdraw,
        account: account(),
        amount: Amount(3),
        reference: [4; 32],
        content: Digest([5; 32]),
        maker: ParticipantId(6),
        proposed: TimeMs(7),
        location: PLACE,
        status: TransferStatus::Approved,
        checker: Some(ParticipantId(8)),
        checker_reference: [9; 32],
        decided: Some(TimeMs(10)),
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
        provider: ParticipantId(1),
        rate,
        observed: TimeMs(2),
        published: TimeMs(3),
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
        id: QuoteId(1),
        currency: CNY,
        payout_currency: USD,
        rate,
        ceiling: Amount(2),
        used: Amount(3),
        valid_until: TimeMs(4),
        issued: TimeMs(5),
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
        order_max: Amount(4),
        user_day_max: Amount(5),
        day_max: Amount(6),
        hold_above: Amount(7),
        desk: ParticipantId(8),
        since: TimeMs(9),
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
    let (account, owner, holder) = (LineAccount::FxPosition, ParticipantId(2), ParticipantId(3));
    let line = LineRecord {
        key: LineKey { account, owner, currency: CNY, holder },
        limit: Amount(4),
        outstanding: Amount(5),
        since: TimeMs(6),
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
        id: ProposalId([1; 16]),
        change: Change::Parameter { index: 2, value: 20_000 },
        digest: Digest([2; 32]),
        maker: ParticipantId(3),
        proposed: TimeMs(4),
        activation: Height(5),
        due: Height(6),
        approvals: vec![ParticipantId(3), ParticipantId(6)],
        refusals: vec![ParticipantId(7)],
        status: ProposalStatus::Failed,
        failure: 806,
        status_height: Height(8),
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
        since: Height(1),
        parties: vec![PartyKeys {
            participant: ParticipantId(2),
            current: key(3),
            previous: Some((key(4), Height(5))),
        }],
        validators: ValidatorSet::new(vec![Validator {
            id: ValidatorId(6),
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
