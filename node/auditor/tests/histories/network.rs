//! The network of the histories: every role more than once, currencies of 0, 2, 3 and 4 decimals,
//! short validities so that much expires, and parties that are suspended from the start.

use chain_types::hash::sha256;
use chain_types::registry::RegistryBounds;
use chain_types::{
    Amount, BlockHash, ChainGenesis, ChainId, Currency, Digest, Equivocation, Height,
    LiquidityLine, Merchant, MerchantId, Node, Parameters, Participant, ParticipantId, Proposal,
    Roles, Round, SecretKey, SignedProposal, SignedVote, TimeMs, ValidatorId, Vote, VoteStep,
};

pub const OPERATORS: [u32; 4] = [1, 2, 3, 4];
pub const SERVICES: [u32; 3] = [101, 102, 103];
/// Gateways: the last is suspended from the start, the one before has no liquidity lines.
pub const GATEWAYS: [u32; 5] = [201, 202, 203, 204, 205];
pub const PROVIDERS: [u32; 4] = [401, 402, 403, 404];
pub const DESKS: [u32; 2] = [501, 502];
pub const AGENTS: [u32; 3] = [601, 602, 603];
/// Holds every role that goes with a gateway: collects what it would pay, decides about itself.
pub const EVERYBODY: u32 = 700;
/// Of the same legal entity, operator and settlement agent: would move the money of its own house.
pub const HOUSE: u32 = 701;
/// The legal entity of both, of a service, a gateway, an agent, an operator and a merchant.
pub const HOUSE_ENTITY: &str = "5493001KJTIIGC8Y1R12";
const OF_THE_HOUSE: [u32; 7] = [EVERYBODY, HOUSE, 102, 203, 303, 603, 4];
/// Merchant registrars: of gateway 201, and, of the house, of gateway 202.
pub const REGISTRARS: [u32; 2] = [302, 303];
/// An id that no participant has.
pub const STRANGER: u32 = 999;
const SUSPENDED: [u32; 3] = [103, 205, 404];

/// Merchants: the fifth is suspended from the start, the sixth is paid by a suspended gateway.
pub const MERCHANTS: [u64; 6] = [1_001, 1_002, 1_003, 1_004, 1_005, 1_006];

pub const CNY: u16 = 156;
pub const USD: u16 = 840;
pub const JPY: u16 = 392;
pub const KWD: u16 = 414;
pub const CLF: u16 = 990;
pub const CURRENCIES: [u16; 5] = [CNY, USD, JPY, KWD, CLF];

/// The key of that number.
pub fn secret(number: u32) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"histories", &number.to_le_bytes()]).bytes())
}

fn chain_id() -> ChainId {
    ChainId::new(sha256(&[b"histories"]))
}

pub fn participant(id: u32, roles: Roles) -> Participant {
    Participant {
        id: ParticipantId::new(id),
        name: format!("participant {id}"),
        roles,
        public_key: secret(id).public_key(),
        suspended: SUSPENDED.contains(&id),
        legal_entity: if OF_THE_HOUSE.contains(&id) { HOUSE_ENTITY } else { "" }.to_owned(),
    }
}

pub fn merchant(id: u64, payout_gateway: u32) -> Merchant {
    Merchant {
        id: MerchantId::new(id),
        name: format!("merchant {id}"),
        payout_gateway: ParticipantId::new(payout_gateway),
        payout_account: Digest::ZERO,
        suspended: id == MERCHANTS[4],
        legal_entity: if id == MERCHANTS[2] { HOUSE_ENTITY } else { "" }.to_owned(),
    }
}

pub fn node(number: u32, operator: u32, power: u64) -> Node {
    let network_key = secret(10_000 + number).public_key();
    let vote_key = if power > 0 { secret(20_000 + number).public_key() } else { network_key };
    Node {
        name: format!("node-{number}"),
        operator: ParticipantId::new(operator),
        network_key,
        validator_key: vote_key,
        power,
    }
}

/// Returns the evidence of the block of a height. Every third block has a validator's two prevotes
/// of the height before, or of seven before. Some have two proposals of the next validator too.
/// They are signed with the keys of their heights, as `key` gives them; without a key nobody is
/// caught.
pub fn evidence(
    height: Height,
    key: impl Fn(u32, Height) -> Option<SecretKey>,
) -> Vec<Equivocation> {
    if !height.get().is_multiple_of(3) {
        return Vec::new();
    }
    // Of heights that no two blocks share.
    let ago = if height.get().is_multiple_of(2) || height.get() < 7 { 1 } else { 7 };
    let offence = height.minus(ago);
    let validator = u32::try_from(height.get() % 4).unwrap();
    let Some(own_key) = key(validator, offence) else { return Vec::new() };
    let block = |byte| BlockHash::new(Digest::from_bytes([byte; 32]));
    let vote = |block| {
        let vote = Vote { height: offence, round: Round::new(0), step: VoteStep::Prevote, block };
        let signature = own_key.sign(&vote.digest(chain_id()));
        SignedVote { vote, validator: ValidatorId::new(validator), signature }
    };
    let votes = Equivocation::Votes { first: vote(None), second: vote(Some(block(1))) };
    let next_key = key(validator + 1, offence).filter(|_| validator < 3);
    let Some(next_key) = next_key else { return vec![votes] };
    let proposal = |byte| {
        let (round, block, proposer) =
            (Round::new(1), block(byte), ValidatorId::new(validator + 1));
        let proposal = Proposal { height: offence, round, block, valid_round: None, proposer };
        let signature = next_key.sign(&proposal.digest(chain_id()));
        SignedProposal { proposal, signature }
    };
    let (first, second) = (proposal(1), proposal(2));
    vec![votes, Equivocation::Proposals { first, second }]
}

fn parameters() -> Parameters {
    Parameters {
        order_skew_ms: 5_000,
        order_validity_ms: 20_000,
        window_ms: 8_000,
        deadline_domestic_ms: 30_000,
        deadline_cross_border_ms: 40_000,
        deadline_collect_ms: 10_000,
        order_amount_max: 1_000_000_000_000_000,
        return_period_ms: 7_200_000,
        rate_fresh_ms: 20_000,
        rates_min: 2,
        quote_valid_max_ms: 60_000,
        rounding_loss_max_per_mille: 100,
        reference_confirm_ms: 3_000,
        quote_hold_ms: 8_000,
        return_rate_ms: 6_000,
        transfer_validity_ms: 60_000,
        proposal_validity_ms: 60_000,
        governance_notice_heights: 2,
        payment_least_ms: 5_000,
        step_in_ms: 60_000,
        bounce_period_ms: 3_600_000,
        reservation_ms: 12_000,
        ..Parameters::default()
    }
}

/// So low that a history reaches them.
pub const BOUNDS: RegistryBounds = RegistryBounds {
    participants: 28,
    merchants: 9,
    currencies: 6,
    nodes: 7,
    node_places: 10,
    withdrawn_keys: 12,
    lines: 30,
};

/// Block zero, at `time`, with as many validators as that.
pub fn genesis(time: TimeMs, validators: usize) -> ChainGenesis {
    let roles = |ids: &[u32], roles: Roles| -> Vec<Participant> {
        ids.iter().map(|id| participant(*id, roles)).collect()
    };
    let participants = [
        roles(&OPERATORS, Roles::SETTLEMENT_OPERATOR),
        roles(&SERVICES, Roles::RECHARGE_SERVICE),
        roles(&GATEWAYS, Roles::GATEWAY),
        roles(&[301], Roles::AUDITOR),
        roles(&REGISTRARS, Roles::MERCHANT_REGISTRAR),
        roles(&PROVIDERS, Roles::FX_PROVIDER),
        roles(&DESKS, Roles::RISK_DESK),
        roles(&AGENTS, Roles::SETTLEMENT_AGENT),
        roles(&[EVERYBODY], Roles(94)),
        roles(&[HOUSE], Roles::SETTLEMENT_OPERATOR.and(Roles::SETTLEMENT_AGENT)),
    ];
    let payers = [202, 201, 203, 202, 202, 205];
    let lines = GATEWAYS.iter().filter(|gateway| **gateway != 204).flat_map(|gateway| {
        CURRENCIES.map(|currency| LiquidityLine {
            gateway: ParticipantId::new(*gateway),
            currency: Currency::new(currency),
            // Conversions of what is worth most need more than anything else.
            net_debit_cap: Amount::new(if currency == KWD { u64::MAX } else { 60_000 }),
            opening_liquidity: Amount::new(if *gateway == 201 { 40_000 } else { 0 }),
        })
    });
    let mut currencies = CURRENCIES.map(Currency::new).to_vec();
    currencies.sort_unstable();
    let mut genesis = ChainGenesis {
        chain_id: chain_id(),
        name: "histories".to_owned(),
        time,
        parameters: parameters(),
        currencies,
        participants: participants.concat(),
        merchants: MERCHANTS.iter().zip(payers).map(|(id, by)| merchant(*id, by)).collect(),
        liquidity: lines.collect(),
        lines: Vec::new(),
        nodes: OPERATORS.iter().take(validators).map(|id| node(*id, *id, 1)).collect(),
    }
    .with_lines(Amount::new(40_000));
    // A third of all are missing, so that some are given, and their bound is reached, later.
    for line in &mut genesis.lines {
        if [JPY, KWD].contains(&line.key.currency.get()) {
            line.limit = Amount::new(u64::MAX);
        }
    }
    genesis.lines.retain(|line| {
        let key = line.key;
        !(key.owner.get() + key.holder.get() + u32::from(key.currency.get())).is_multiple_of(3)
    });
    genesis
}
