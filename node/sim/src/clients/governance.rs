//! The settlement operators: changes proposed and voted on.

use chain_state::{ProposalRecord, ProposalStatus};
use chain_types::change::{CashbackTier, Programme};
use chain_types::operation::{ApprovalItem, ListedChangeItem, ProposalItem};
use chain_types::{
    Amount, Change, Currency, Decision, MerchantId, Node, Parameters, Participant, ParticipantId,
    ProposalId, Roles, VerifiedBatch,
};
use rand::Rng as _;

use super::memory::{Memory, People};
use super::moment::Moment;
use crate::setup::{
    AGENTS, CURRENCIES, GATEWAYS, MERCHANTS, OPERATORS, POWER, PROVIDERS, SERVICE, merchant,
    network_key,
};

/// A proposal names a height so many above the node's, more or less: some are too early.
const NOTICE_HEIGHTS: u64 = 3;
/// Parameters that governance tries, with values for each: some of them are refused.
const PARAMETERS: &[(&str, [u64; 3])] = &[
    ("order_skew_ms", [1_000, 2_000, 3_000]),
    ("window_ms", [0, 3_000, 5_000]),
    ("deadline_collect_ms", [1_000, 3_000, 10_000]),
    ("deadline_domestic_ms", [4_000, 9_000, 12_000]),
    ("block_interval_ms", [80, 100, 120]),
    ("heartbeat_ms", [700, 1_000, 1_200]),
    ("consensus_timeout_ms", [250, 300, 350]),
    ("proposer_penalty_heights", [0, 20, 100]),
    ("order_amount_max", [200_000, 1_000_000, 1_000_000_000]),
    ("day_offset_min", [479, 480, 600]),
    ("rate_fresh_ms", [3_000, 6_000, 20_000]),
    ("rates_min", [1, 2, 3]),
    ("quote_valid_max_ms", [4_000, 600_000, 600_000]),
    ("transfer_validity_ms", [60_000, 70_000, 90_000]),
    ("governance_approvals", [2, 2, 4]),
    ("governance_notice_heights", [1, 3, 4]),
];

/// An operator proposes changes.
pub fn propose(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    if !memory.people.govern {
        return None;
    }
    let operator = moment.pick(&OPERATORS);
    let count = moment.random.random_range(1..=2);
    let items: Vec<ProposalItem> = (0..count)
        .filter_map(|_| {
            let change = change(memory, moment);
            let ahead = NOTICE_HEIGHTS + moment.random.random_range(0..5);
            let height = moment.state.height().plus(ahead);
            let id = ProposalId::new(moment.now, moment.random.random());
            ProposalItem::new(id, height, &change)
        })
        .collect();
    moment.sign(operator, &items)
}

fn change(memory: &Memory, moment: &mut Moment<'_>) -> Change {
    if let Some(end) = end_of_suspension(moment) {
        return end;
    }
    match moment.random.random_range(0..21) {
        0..4 => parameter(moment),
        4..7 => programme(moment),
        7..11 => rotation(moment),
        11..14 => power(memory, moment),
        14..16 => Change::Merchant(moved_merchant(moment)),
        16 => Change::MerchantSuspended { merchant: moment.pick(&MERCHANTS), suspended: true },
        17 => Change::ParticipantSuspended { participant: anybody(moment), suspended: true },
        18 => newcomer(memory, moment),
        19 => Change::ProtocolVersion(2),
        _ => Change::Currency(Currency::new(moment.pick(&[978, 1]))),
    }
}

/// Whoever is suspended is mostly not so for long.
fn end_of_suspension(moment: &mut Moment<'_>) -> Option<Change> {
    let state = moment.state;
    let participants = state
        .participants()
        .iter()
        .filter(|found| found.suspended)
        .map(|found| Change::ParticipantSuspended { participant: found.id, suspended: false });
    let merchants = state.merchants().filter(|found| found.suspended);
    let merchants =
        merchants.map(|found| Change::MerchantSuspended { merchant: found.id, suspended: false });
    let ends: Vec<Change> = participants.chain(merchants).collect();
    if ends.is_empty() || moment.one_in(3) {
        return None;
    }
    let at = moment.random.random_range(0..ends.len());
    ends.get(at).cloned()
}

fn anybody(moment: &mut Moment<'_>) -> ParticipantId {
    let gateway = moment.pick(&GATEWAYS);
    let provider = moment.pick(&PROVIDERS);
    let operator = moment.pick(&OPERATORS);
    moment.pick(&[gateway, gateway, provider, operator, SERVICE, AGENTS[1]])
}

fn parameter(moment: &mut Moment<'_>) -> Change {
    let (name, values) = moment.pick(PARAMETERS);
    let place = Parameters::NAMES.iter().position(|known| *known == name);
    let Some(index) = place.and_then(|place| u16::try_from(place).ok()) else {
        unreachable!("there is no parameter {name}");
    };
    Change::Parameter { index, value: moment.pick(&values) }
}

fn programme(moment: &mut Moment<'_>) -> Change {
    let tiers = [(0, 50), (2, 100), (5, 800), (9, 1_000)];
    let count = moment.random.random_range(1..=tiers.len());
    let tier = |(above, basis_points)| CashbackTier { above, basis_points };
    Change::Programme(Programme {
        merchant: moment.pick(&MERCHANTS),
        currency: moment.pick(&CURRENCIES),
        tiers: tiers.into_iter().take(count).map(tier).collect(),
        // Half a percent of less is nothing.
        order_least: Amount::new(moment.pick(&[200, 200, 500, 199])),
        gateways: GATEWAYS.into_iter().take(moment.random.random_range(1..=3)).collect(),
        order_max: Amount::new(moment.pick(&[0, 1_000])),
        user_month_max: Amount::new(moment.pick(&[0, 4_000])),
        offset_min: moment.pick(&[480, 480, 0, -720, 900]),
        is_active: !moment.one_in(6),
    })
}

/// A new key, and an old one that holds on for some heights or not at all.
fn rotation(moment: &mut Moment<'_>) -> Change {
    let participant = anybody(moment);
    let is_taken = moment.one_in(8);
    let taken = moment.state.participant(GATEWAYS[0]).filter(|_| is_taken);
    let public_key = match taken {
        Some(known) => known.public_key,
        None => moment.keys.make(participant),
    };
    Change::Key { participant, public_key, overlap_heights: moment.pick(&[0, 1, 5, 20]) }
}

/// Powers shift a little, the edge node gains a vote or loses it, and a validator gives up its
/// own, as long as four are left. No node may gain a third.
fn power(memory: &Memory, moment: &mut Moment<'_>) -> Change {
    let People { shape, edge_may_vote, .. } = memory.people;
    let nodes = if edge_may_vote { shape.genesis_nodes() } else { shape.validators };
    let node = moment.random.random_range(0..nodes);
    let power = match moment.random.random_range(0..8) {
        0 => 0,
        1 => 50 * POWER,
        2..5 => POWER,
        more if more % 2 == 0 => POWER - 1,
        _ => POWER + 1,
    };
    // The edge node comes and goes more often than the others.
    let node = if edge_may_vote && moment.one_in(3) { shape.validators } else { node };
    Change::Power { node, power }
}

/// A merchant that is paid elsewhere; sometimes a new one, or at a gateway that is none.
fn moved_merchant(moment: &mut Moment<'_>) -> chain_types::Merchant {
    let gateways = [GATEWAYS[0], GATEWAYS[1], GATEWAYS[2], GATEWAYS[1], SERVICE];
    let gateway = moment.pick(&gateways);
    let id = moment.pick(&[MERCHANTS[0], MERCHANTS[1], MERCHANTS[2], MerchantId::new(1004)]);
    let suspended = moment.state.merchant(id).is_some_and(|known| known.suspended);
    chain_types::Merchant { suspended, ..merchant(id, gateway) }
}

/// A new participant, the node that waits to be added, or one more edge node, which never runs.
fn newcomer(memory: &Memory, moment: &mut Moment<'_>) -> Change {
    let number = moment.random.random_range(0..3);
    // With so little power that nobody need wait until it has heard enough to vote.
    let People { shape, edge_may_vote, .. } = memory.people;
    let next = shape.genesis_nodes();
    if edge_may_vote && moment.state.nodes().len() == next as usize {
        return Change::Node(Node { power: 1, ..shape.node(next) });
    }
    if moment.one_in(2) {
        let key = network_key(100 + number).public_key();
        return Change::Node(Node {
            name: format!("node-{}", 100 + number),
            operator: OPERATORS[0],
            network_key: key,
            validator_key: key,
            power: 0,
        });
    }
    let id = ParticipantId::new(700 + number);
    let known = moment.state.participant(id);
    Change::Participant(Participant::new(
        id,
        format!("participant-{id} since {}", moment.state.height()),
        Roles::AUDITOR,
        known.map(|known| known.public_key).unwrap_or_else(|| moment.keys.make(id)),
    ))
}

/// An operator gives a list of changes, or proposes one that waits.
pub fn list(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    if !memory.people.govern {
        return None;
    }
    let lists = &moment.state.tables().lists;
    let waiting = lists.iter().find(|(_, list)| list.proposal.is_none());
    if let Some(((maker, digest), known)) = waiting {
        let list = Change::List { digest: *digest, count: known.count };
        let ahead = NOTICE_HEIGHTS + moment.random.random_range(0..5);
        let height = moment.state.height().plus(ahead);
        let id = ProposalId::new(moment.now, moment.random.random());
        return moment.sign(*maker, &[ProposalItem::new(id, height, &list)?]);
    }
    let operator = moment.pick(&OPERATORS);
    let items: Vec<ListedChangeItem> = (0..moment.random.random_range(1..=4))
        .filter_map(|_| {
            let is_programme = moment.one_in(2);
            ListedChangeItem::new(&match is_programme {
                true => programme(moment),
                false => Change::Merchant(moved_merchant(moment)),
            })
        })
        .collect();
    moment.sign(operator, &items)
}

/// An operator votes on what is open: mostly for it, sometimes against, once in a while on
/// something that it has not read.
pub fn vote(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let operator = moment.pick(&OPERATORS);
    let looks_back = moment.one_in(8);
    let all = moment.state.tables().proposals.values();
    let open: Vec<ProposalRecord> = all
        .filter(|record| looks_back || record.status == ProposalStatus::Proposed)
        .filter(|record| looks_back || !record.approvals.contains(&operator))
        .cloned()
        .collect();
    let open = moment.some(open, 8);
    let items: Vec<ApprovalItem> = open.iter().map(|record| word(moment, record)).collect();
    moment.sign(operator, &items)
}

fn word(moment: &mut Moment<'_>, record: &ProposalRecord) -> ApprovalItem {
    let decision = if moment.one_in(6) { Decision::Refuse } else { Decision::Approve };
    let mut digest = record.digest.bytes();
    digest[0] ^= u8::from(moment.one_in(20));
    ApprovalItem {
        proposal_id: record.id.bytes(),
        decision: decision.number().into(),
        digest,
        spare: [0; 14],
    }
}
