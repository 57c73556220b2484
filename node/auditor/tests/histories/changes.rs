//! What operators say: changes of every kind, votes, and changes that put back what earlier ones
//! have broken, so that a history does not end in standstill.

use chain_state::{ProposalRecord, ProposalStatus};
use chain_types::hash::sha256;
use chain_types::{
    Amount, ApprovalItem, CashbackTier, Change, Currency, Decision, Digest, ListedChangeItem,
    Merchant, MerchantId, MerchantItem, Parameters, Participant, ParticipantId, Programme,
    ProposalId, ProposalItem, RegistrarLimits, Roles, TransferAction, TransferDecisionItem,
    TransferItem,
};

use crate::item::Item;
use crate::network::*;
use crate::speaker::{Now, Speaker};

type Said = Option<(u32, Item)>;

/// Parameters that are changed, and to what; some values are out of bounds.
const PARAMETERS: [(&str, &[u64]); 27] = [
    ("window_ms", &[5_000, 8_000, 20_000, 29_999, 1, 90_000]),
    ("order_amount_max", &[1_000_000, 1_000_000_000_000_000, 0]),
    ("rates_min", &[1, 2, 3, 0]),
    ("rate_fresh_ms", &[5_000, 20_000, 60_000]),
    ("quote_valid_max_ms", &[10_000, 60_000, 600_000]),
    ("rounding_loss_max_per_mille", &[0, 10, 500, 501]),
    ("reference_step_per_mille", &[5, 10, 10_000, 0]),
    ("reference_confirm_ms", &[1_000, 10_000, 999]),
    ("quote_hold_ms", &[8_000, 60_000]),
    ("return_rate_ms", &[1_000, 10_000, 3_600_000, 999]),
    ("transfer_validity_ms", &[60_000, 120_000, 1]),
    ("proposal_validity_ms", &[60_000, 120_000]),
    ("governance_approvals", &[1, 2, 3, 4, 5, 100]),
    ("governance_notice_heights", &[1, 2, 5, 0]),
    ("day_offset_min", &[0, 480, 1_439, 1_440]),
    ("return_period_ms", &[3_600_000, 7_200_000, 86_400_000, 1_000]),
    ("deadline_domestic_ms", &[10_000, 30_000, 50_000]),
    ("deadline_cross_border_ms", &[30_000, 40_000, 60_000]),
    ("payment_least_ms", &[1_000, 5_000, 12_000, 12_001]),
    ("step_in_ms", &[60_000, 600_000, 59_999]),
    ("bounce_period_ms", &[3_600_000, 7_200_000, 86_400_000]),
    ("failures_max", &[1, 2, 3]),
    ("reservation_ms", &[9_999, 12_000, 30_000]),
    ("reversal_grace_ms", &[0, 0, 700, 5_000, 300_000, 300_001]),
    ("block_batches_max", &[60, 512]),
    ("order_skew_ms", &[5_000, 60_000]),
    ("order_validity_ms", &[20_000, 180_000]),
];

impl Speaker {
    /// Money, positions and programmes, so that something can happen: by maker and checker, and by
    /// two operators.
    pub fn prologue(&mut self, now: Now<'_>) {
        let mut transfers = Vec::new();
        let mut add =
            |action: TransferAction, kind: u16, owner: u64, currency: u16, amount: u64| {
                transfers.push((action.number(), kind, owner, currency, amount));
            };
        for currency in CURRENCIES {
            let is_large = matches!(currency, KWD | JPY);
            for (provider, cap) in PROVIDERS.into_iter().zip([400_000, 60_000, 2_000, 10_000]) {
                let cap = if is_large && provider != 403 { u64::MAX } else { cap };
                add(TransferAction::Cap, 5, u64::from(provider), currency, cap);
            }
            if is_large {
                add(TransferAction::Deposit, 5, 401, currency, u64::MAX);
                add(TransferAction::Deposit, 5, 402, currency, u64::MAX);
            }
            for merchant in &MERCHANTS[..3] {
                add(TransferAction::Deposit, 3, *merchant, currency, 20_000);
            }
        }
        let mut decisions: Vec<(u32, Item)> = Vec::new();
        for (action, kind, owner, currency, amount) in transfers {
            let mut transfer_id = self.id(now);
            transfer_id[6] = 0x70 | transfer_id[6] & 0x0F;
            let item = TransferItem {
                transfer_id,
                action: action.into(),
                account_kind: kind.into(),
                owner: owner.into(),
                currency: currency.into(),
                amount: amount.into(),
                reference: [6; 32],
                spare: [0; 26],
            };
            let decision = TransferDecisionItem {
                transfer_id,
                decision: Decision::Approve.number().into(),
                action: item.action,
                amount: item.amount,
                reference: [6; 32],
                spare: [0; 4],
            };
            self.queue.push_back((AGENTS[0], item.into()));
            decisions.push((AGENTS[1], decision.into()));
        }
        self.queue.extend(decisions);
        let mut changes = Vec::new();
        for merchant in &MERCHANTS[..3] {
            for currency in [CNY, USD] {
                changes.push(Change::Programme(self.programme(*merchant, currency)));
            }
        }
        for (registrar, gateway) in REGISTRARS.into_iter().zip([201, 202]) {
            let gateway = ParticipantId::new(gateway);
            let limits = RegistrarLimits { gateway, added_max: 2, changed_max: 9 };
            changes.push(Change::Registrar { participant: ParticipantId::new(registrar), limits });
        }
        for change in changes {
            let height = now.chain.state.height().plus(4);
            let id = ProposalId::from_bytes(self.id(now));
            let proposal = ProposalItem::new(id, height, &change).unwrap();
            self.queue.push_back((1, proposal.into()));
            self.queue.push_back((2, vote(&proposal, Decision::Approve).into()));
        }
    }

    /// A merchant that a registrar adds or changes.
    pub fn register(&mut self, now: Now<'_>) -> Said {
        let by = self.choose(&REGISTRARS);
        let own = if by == REGISTRARS[0] { GATEWAYS[0] } else { GATEWAYS[1] };
        let gateway = if self.one_in(8) { self.choose(&GATEWAYS) } else { own };
        let id = match self.below(8) {
            0 => self.choose(&[0, u64::MAX]),
            1..4 => 2_000 + self.below(20),
            _ => self.choose(&MERCHANTS),
        };
        let known = now.chain.state.merchant(MerchantId::new(id)).cloned();
        let mut new = known.unwrap_or_else(|| merchant(id, gateway));
        match self.below(12) {
            0 => new.payout_gateway = ParticipantId::new(gateway),
            1 => new.legal_entity = self.entity(),
            2 => new.suspended = !new.suspended,
            3 => new.name = " ".to_owned(),
            _ => new.payout_account = Digest::from_bytes([self.choose(&[1, 2, 3, 4]); 32]),
        }
        Some((by, MerchantItem::new(&new)?.into()))
    }

    /// A list of changes, then its proposal and an approval: the first of them.
    fn propose_list(&mut self, now: Now<'_>) -> Said {
        let mut items = Vec::new();
        for _ in 0..self.between(1, 6) {
            let is_any = self.one_in(20);
            let change = loop {
                let change = self.change(now)?;
                if is_any || change.may_be_listed() {
                    break change;
                }
            };
            items.push(ListedChangeItem::new(&change)?);
        }
        if self.one_in(30) {
            items[0].spare[0] = 1;
        }
        let mut digest = ListedChangeItem::list_digest(&items);
        if self.one_in(20) {
            digest = sha256(&[b"another"]);
        }
        let count = u32::try_from(items.len()).ok()? + u32::from(self.one_in(20));
        let notice = now.chain.state.parameters().governance_notice_heights;
        let height = now.chain.state.height().plus(1 + notice + self.below(4));
        let id = ProposalId::from_bytes(self.id(now));
        let proposal = ProposalItem::new(id, height, &Change::List { digest, count })?;
        let by = if self.one_in(12) { HOUSE } else { self.choose(&OPERATORS) };
        let other = self.choose(&OPERATORS);
        self.queue.extend(items.into_iter().map(|item| (by, Item::from(item))));
        if !self.one_in(6) {
            self.queue.push_back((by, proposal.into()));
            self.queue.push_back((other, vote(&proposal, Decision::Approve).into()));
        }
        self.queue.pop_front()
    }

    pub fn propose(&mut self, now: Now<'_>) -> Said {
        if self.one_in(5) {
            return self.propose_list(now);
        }
        let change = if self.one_in(2) { self.mend(now) } else { None };
        let change = match change {
            Some(change) => change,
            None => self.change(now)?,
        };
        let state = &now.chain.state;
        let notice = state.parameters().governance_notice_heights;
        let ahead = if self.one_in(15) { self.below(notice) } else { notice + self.below(4) };
        let height = state.height().plus(1 + ahead);
        let mut id = ProposalId::from_bytes(self.id(now));
        if let Some(known) = state.tables().proposals.keys().last().filter(|_| self.one_in(20)) {
            id = *known;
        }
        let mut item = ProposalItem::new(id, height, &change)?;
        if self.one_in(40) {
            item.change[479] = 1;
        }
        let by = if self.one_in(12) { HOUSE } else { self.choose(&OPERATORS) };
        Some((by, item.into()))
    }

    pub fn vote(&mut self, now: Now<'_>) -> Said {
        let all = now.chain.state.tables().proposals.values();
        let is_open = |record: &&ProposalRecord| {
            let is_called_off = record.id.bytes()[15].is_multiple_of(4);
            record.status == ProposalStatus::Proposed
                || record.status == ProposalStatus::Scheduled && is_called_off
        };
        let mut found: Vec<&ProposalRecord> = all.clone().filter(is_open).collect();
        if found.is_empty() || self.one_in(8) {
            found = all.collect();
        }
        if found.is_empty() {
            return None;
        }
        let record = self.choose(&found);
        let mut item = ApprovalItem {
            proposal_id: record.id.bytes(),
            decision: self.choose(&[1, 1, 1, 1, 1, 1, 1, 2, 2]).into(),
            digest: record.digest.bytes(),
            spare: [0; 14],
        };
        match self.below(60) {
            0 => item.decision = 9.into(),
            1 => item.digest[0] ^= 1,
            2 => item.proposal_id = self.id(now),
            _ => {}
        }
        let by = if self.one_in(12) { HOUSE } else { self.choose(&OPERATORS) };
        Some((by, item.into()))
    }

    /// Puts back something that is not as it was at genesis.
    fn mend(&mut self, now: Now<'_>) -> Option<Change> {
        let (state, genesis) = (&now.chain.state, &now.chain.genesis);
        let mut changes = Vec::new();
        for was in &genesis.participants {
            let is = state.participant(was.id)?;
            if is.suspended != was.suspended {
                let (participant, suspended) = (was.id, was.suspended);
                changes.push(Change::ParticipantSuspended { participant, suspended });
            }
            if is.roles != was.roles || is.legal_entity != was.legal_entity {
                let legal_entity = was.legal_entity.clone();
                let mended = Participant { roles: was.roles, legal_entity, ..is.clone() };
                changes.push(Change::Participant(mended));
            }
            if !self.has_key(&is.public_key) {
                self.key_count += 1;
                changes.push(Change::Key {
                    participant: was.id,
                    public_key: secret(30_000 + self.key_count % 600).public_key(),
                    overlap_heights: 0,
                });
            }
        }
        for was in &genesis.merchants {
            let is = state.merchant(was.id)?;
            if is.suspended != was.suspended {
                let (merchant, suspended) = (was.id, was.suspended);
                changes.push(Change::MerchantSuspended { merchant, suspended });
            }
        }
        for (node, is) in (0..).zip(state.nodes()) {
            let was = u64::from(usize::try_from(node).is_ok_and(|node| node < genesis.nodes.len()));
            if is.power != was && is.network_key != is.validator_key {
                changes.push(Change::Power { node, power: was });
            }
        }
        let values = state.parameters().values().into_iter().zip(genesis.parameters.values());
        for (index, (is, was)) in (0..).zip(values) {
            if is != was {
                changes.push(Change::Parameter { index, value: was });
            }
        }
        let at = self.below(u64::try_from(changes.len()).ok().filter(|count| *count > 0)?);
        changes.into_iter().nth(usize::try_from(at).ok()?)
    }

    fn change(&mut self, now: Now<'_>) -> Option<Change> {
        let state = &now.chain.state;
        let party =
            self.choose(&[101, 102, 201, 202, 203, 401, 402, 403, 501, 601, 4, HOUSE, EVERYBODY]);
        let merchant_id = self.choose(&MERCHANTS);
        Some(match self.below(36) {
            0..3 => self.participant_change(now, party)?,
            3..6 => self.key_change(party)?,
            6..9 => Change::ParticipantSuspended {
                participant: ParticipantId::new(if self.one_in(12) { STRANGER } else { party }),
                suspended: !self.one_in(4),
            },
            9..14 => {
                let known = state.merchant(MerchantId::new(merchant_id))?.clone();
                let gateway = self.choose(&[201, 202, 203, 203, 101]);
                let payout_gateway = ParticipantId::new(gateway);
                let suspended = known.suspended != self.one_in(12);
                match self.below(12) {
                    0 | 2 => Change::Merchant(merchant(2_000 + self.below(20), gateway)),
                    3 => Change::Merchant(Merchant { legal_entity: self.entity(), ..known }),
                    1 => Change::Merchant(merchant(self.choose(&[0, u64::MAX]), gateway)),
                    _ => Change::Merchant(Merchant { payout_gateway, suspended, ..known }),
                }
            }
            14 => Change::MerchantSuspended {
                merchant: MerchantId::new(self.choose(&[merchant_id, 9])),
                suspended: self.one_in(2),
            },
            15..20 => {
                let (name, values) = self.choose(&PARAMETERS);
                let index = Parameters::NAMES.iter().position(|known| *known == name)?;
                let index = if self.one_in(30) { 99 } else { u16::try_from(index).ok()? };
                Change::Parameter { index, value: self.choose(values) }
            }
            20 | 21 => self.added_node()?,
            22 => Change::Power {
                node: u32::try_from(self.below(6)).ok()?,
                power: self.choose(&[0, 0, 1, 2, 5, 2_000_000_000]),
            },
            23 => Change::Currency(Currency::new(self.choose(&[CNY, 978, 826, 959, 1]))),
            24 => Change::ProtocolVersion(self.choose(&[0, 1, 2])),
            25..28 => self.node_keys(now)?,
            28 => Change::NodeRemoved { node: self.choose(&[0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 99]) },
            34 | 35 => Change::Registrar {
                participant: ParticipantId::new(self.choose(&[302, 302, 303, 201])),
                limits: RegistrarLimits {
                    gateway: ParticipantId::new(self.choose(&[201, 201, 202, 203, 101])),
                    added_max: self.choose(&[0, 1, 2, 5]),
                    changed_max: self.choose(&[0, 2, 6, 9]),
                },
            },
            _ => {
                let currency = self.choose(&[CNY, CNY, USD, 978]);
                Change::Programme(self.programme(merchant_id, currency))
            }
        })
    }

    /// A new key of a party: mostly a fresh one; now and then bank A's, or one that was withdrawn.
    fn key_change(&mut self, party: u32) -> Option<Change> {
        self.key_count += 1;
        let fresh = 30_000 + self.key_count % 600;
        let withdrawn = 30_000 + u32::try_from(self.below(600)).ok()?;
        let key = match self.below(16) {
            0 | 1 => 201,
            2 => withdrawn,
            _ => fresh,
        };
        Some(Change::Key {
            participant: ParticipantId::new(if self.one_in(12) { STRANGER } else { party }),
            public_key: secret(key).public_key(),
            overlap_heights: self.choose(&[0, 1, 2, 3, 20, 20, u64::MAX]),
        })
    }

    /// A further node; now and then of a bank, with a taken name or a taken key.
    fn added_node(&mut self) -> Option<Change> {
        let number = 5 + u32::try_from(self.below(6)).ok()?;
        let operator = if self.one_in(6) { 201 } else { self.choose(&OPERATORS) };
        let mut added = node(number, operator, self.choose(&[0, 1, 1, 2, 9]));
        if self.one_in(8) {
            added.name = self.choose(&["Node", "node 5", "", "node-1"]).to_owned();
        }
        if self.one_in(5) {
            added.network_key = secret(201).public_key();
        }
        Some(Change::Node(added))
    }

    /// New keys of a node, mostly as many as it has; now and then its own, another's, withdrawn.
    fn node_keys(&mut self, now: Now<'_>) -> Option<Change> {
        let node = u32::try_from(self.below(8)).ok()?;
        self.key_count += 1;
        let fresh = 40_000 + 2 * (self.key_count % 500);
        let has_two = now.chain.state.nodes().get(usize::try_from(node).ok()?)?.has_vote_key();
        let (mut network, mut votes) = (fresh, if has_two { fresh + 1 } else { fresh });
        match self.below(24) {
            0 => network = 201,
            1 => votes = 20_001,
            2 => network = 10_002,
            3 => votes = 40_000 + u32::try_from(self.below(1_000)).ok()?,
            4 => votes = if has_two { network } else { fresh + 1 },
            _ => {}
        }
        let (network_key, validator_key) =
            (secret(network).public_key(), secret(votes).public_key());
        Some(Change::NodeKeys { node, network_key, validator_key })
    }

    fn participant_change(&mut self, now: Now<'_>, party: u32) -> Option<Change> {
        if self.one_in(3) {
            let id = 800 + u32::try_from(self.below(20)).ok()?;
            let roles = Roles(self.choose(&[1, 2, 4, 8, 16, 32, 64, 255, 33, 36, 160, 9, 0, 256]));
            let legal_entity = self.entity();
            let new = Participant { legal_entity, ..participant(id, roles) };
            return Some(Change::Participant(new));
        }
        let known = now.chain.state.participant(ParticipantId::new(party))?.clone();
        Some(Change::Participant(match self.below(10) {
            8 | 9 => Participant { legal_entity: self.entity(), ..known },
            0 => Participant { suspended: !known.suspended, ..known },
            1 => Participant { public_key: secret(777).public_key(), ..known },
            2 => Participant { name: " ".to_owned(), ..known },
            3..5 => Participant { roles: Roles(self.choose(&[64, 65, 2, 4])), ..known },
            _ => Participant { name: "another name".to_owned(), ..known },
        }))
    }

    /// Mostly none; the house's, one of others, and one that is none.
    fn entity(&mut self) -> String {
        let all = ["", "", "", HOUSE_ENTITY, "OTHERS2", "no entity"];
        self.choose(&all).to_owned()
    }

    fn programme(&mut self, merchant: u64, currency: u16) -> Programme {
        let tiers: &[(u16, u16)] = match self.below(12) {
            0 => &[],
            1 => &[(3, 100), (3, 200)],
            2 => &[(0, 10_001)],
            3 => &[(0, 10_000)],
            4 => &[(5, 800)],
            5 | 6 => &[(0, 333), (1, 3_333)],
            _ => &[(0, 100), (2, 255), (4, 500), (6, 1_000)],
        };
        let tier = |(above, basis_points): &(u16, u16)| CashbackTier {
            above: *above,
            basis_points: *basis_points,
        };
        Programme {
            merchant: MerchantId::new(merchant),
            currency: Currency::new(currency),
            tiers: tiers.iter().map(tier).collect(),
            order_max: Amount::new(self.choose(&[0, 0, 50, 500])),
            user_month_max: Amount::new(self.choose(&[0, 500, 2_000])),
            offset_min: self.choose(&[-720, -1, 0, 480, 840, 480, 480, 841]),
            is_active: !self.one_in(10),
            order_least: self.order_least(tiers),
            gateways: self.programme_gateways(),
        }
    }

    /// Mostly the least that may be, or a little more; at times too little.
    fn order_least(&mut self, tiers: &[(u16, u16)]) -> Amount {
        let shares = tiers.iter().map(|(_, share)| u64::from(*share)).filter(|share| *share > 0);
        let least = shares.map(|share| 10_000_u64.div_ceil(share)).max().unwrap_or(1);
        let more = self.choose(&[0, 0, 0, 20, 500]);
        Amount::new(if self.one_in(12) { least - 1 } else { least + more })
    }

    /// Mostly all gateways, at times one only, none, twice the same, or one that is none.
    fn programme_gateways(&mut self) -> Vec<ParticipantId> {
        let all = GATEWAYS.map(ParticipantId::new).to_vec();
        match self.below(12) {
            0 => vec![all[0]],
            1 => vec![],
            2 => vec![all[0], all[0]],
            3 => vec![ParticipantId::new(0)],
            _ => all,
        }
    }
}

pub fn vote(proposal: &ProposalItem, decision: Decision) -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposal.proposal_id,
        decision: decision.number().into(),
        digest: proposal.digest().bytes(),
        spare: [0; 14],
    }
}
