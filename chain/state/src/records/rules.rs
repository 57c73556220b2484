//! Records of what parties set for others: rates, quotes, policies, programmes, governance.

use bincode::{Decode, Encode};
use chain_types::{
    Amount, Change, Currency, Digest, Height, LineKey, Merchant, Parameters, ParticipantId,
    PartyKeys, PolicyScope, Programme, ProposalId, ProposalStatus, QuoteId, Rate, RegistrarLimits,
    TimeMs, ValidatorSet,
};

/// A provider's rate of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RateRecord {
    /// The currency that is collected.
    pub currency: Currency,
    /// The currency that is paid out.
    pub payout_currency: Currency,
    /// The FX provider that published it.
    pub provider: ParticipantId,
    /// The payout currency's units for one unit of the currency.
    pub rate: Rate,
    /// The time at which the provider observed it.
    pub observed: TimeMs,
    /// Block time of the publication.
    pub published: TimeMs,
}

/// The level of a pair's reference rate, against which its steps are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReferenceRecord {
    /// The level that is confirmed.
    pub level: Rate,
    /// Block time since which it is.
    pub since: TimeMs,
    /// A level that is further away than one step may be, if the reference has one: it waits.
    pub step: Option<ReferenceStep>,
}

/// A level of a reference rate that waits for confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReferenceStep {
    /// The rate that waits for confirmation.
    pub level: Rate,
    /// Block time since which the fresh rates have kept to it.
    pub since: TimeMs,
}

/// A provider's offer to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct QuoteRecord {
    /// The number of the quote.
    pub id: QuoteId,
    /// The currency that is collected.
    pub currency: Currency,
    /// The currency that is paid out.
    pub payout_currency: Currency,
    /// The payout currency's units for one unit of the currency.
    pub rate: Rate,
    /// The amount that may be collected under it, in minor units.
    pub ceiling: Amount,
    /// The part of that which collected and reserved orders use, in minor units.
    pub used: Amount,
    /// The last block time at which an order may use it.
    pub valid_until: TimeMs,
    /// Block time of its issue.
    pub issued: TimeMs,
}

/// A risk desk's limits for a scope and currency, in minor units; zero means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PolicyRecord {
    /// The kind of the policy's subject.
    pub scope: PolicyScope,
    /// Zero for the scheme; a gateway's or merchant's id.
    pub subject: u64,
    /// The currency that is collected.
    pub currency: Currency,
    /// The largest amount of one order.
    pub order_max: Amount,
    /// The largest sum of a user's orders of a day.
    pub user_day_max: Amount,
    /// The largest sum of the subject's orders of a day.
    pub day_max: Amount,
    /// Orders above this are held.
    pub hold_above: Amount,
    /// The risk desk that set it.
    pub desk: ParticipantId,
    /// Block time at which it was set.
    pub since: TimeMs,
}

/// How much a holder may have reserved on another's account, and has. It stands until it is ended
/// and nothing is reserved under it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LineRecord {
    /// The account and the holder of the line.
    pub key: LineKey,
    /// The most that open reservations may sum up to, in minor units; zero once it is ended.
    pub limit: Amount,
    /// The sum of open reservations: above the limit only when that was lowered since.
    pub outstanding: Amount,
    /// Block time at which the limit was set.
    pub since: TimeMs,
}

/// A merchant as the next block finds it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MerchantRecord {
    /// The merchant as it is registered.
    pub merchant: Merchant,
    /// The first height under governance's last change of it, a suspension aside; `None` if it is
    /// as in the genesis file.
    pub changed: Option<Height>,
}

/// A cashback programme as it holds from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProgrammeRecord {
    /// Its number, from zero in the order of first activation: one a merchant and currency.
    pub number: u32,
    /// Its versions, ascending: the first height whose block executes under each.
    pub versions: Vec<(Height, Programme)>,
}

impl ProgrammeRecord {
    /// The version under which the block of `height` executes.
    pub fn at(&self, height: Height) -> Option<&Programme> {
        self.versions.iter().rev().find(|(since, _)| *since <= height).map(|(_, found)| found)
    }

    /// The lowest byte of the number of the version under which the block of `height` executes,
    /// counted from 1: what differs between versions that follow each other.
    pub fn version_at(&self, height: Height) -> u8 {
        let count = self.versions.iter().rev().skip_while(|(since, _)| *since > height).count();
        (count & 0xFF) as u8
    }
}

/// A proposal to change the registry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProposalRecord {
    /// The id of the proposal.
    pub id: ProposalId,
    /// The change that is proposed.
    pub change: Change,
    /// The digest that approvals name.
    pub digest: Digest,
    /// The operator that proposed it.
    pub maker: ParticipantId,
    /// Block time of the proposal.
    pub proposed: TimeMs,
    /// The first block that shall execute under it, as its maker said: the digest covers it.
    pub activation: Height,
    /// The first block that executes under it. It is `activation`, or a later one if the notice
    /// after the approval that carried it ends later.
    pub due: Height,
    /// The operators who approved it, its maker first.
    pub approvals: Vec<ParticipantId>,
    /// The operators who refused it.
    pub refusals: Vec<ParticipantId>,
    /// The status of the proposal.
    pub status: ProposalStatus,
    /// Why it failed: the code of a [`chain_types::Rejection`]; zero when it did not.
    pub failure: u16,
    /// The block that set the status.
    pub status_height: Height,
}

/// A list of changes that waits for a proposal, or for the end of the one that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ListRecord {
    /// The number of its changes.
    pub count: u32,
    /// Block time at which its maker gave it.
    pub given: TimeMs,
    /// The proposal that makes its changes, once there is one.
    pub proposal: Option<ProposalId>,
}

/// A party or legal entity that a list of changes is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum ListConcern {
    /// A gateway that shall pay merchants.
    Party(ParticipantId),
    /// A legal entity of such a gateway, or of a merchant as it is or as it shall be.
    Entity(String),
}

/// A merchant registrar, and what it has done of the day that it last did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RegistrarRecord {
    /// The registrar's gateway, and its bounds of a day.
    pub limits: RegistrarLimits,
    /// The day, counted from the Unix epoch in the chain's own day offset.
    pub day: u32,
    /// The number of merchants that it added on that day.
    pub added: u32,
    /// The number of changes that it made on that day to merchants of the registry.
    pub changed: u32,
}

/// The registry from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RegistryRecord {
    /// The first height whose block executes under it.
    pub since: Height,
    /// The keys of all participants, ascending by id.
    pub parties: Vec<PartyKeys>,
    /// The validators with their powers.
    pub validators: ValidatorSet,
    /// The parameters of the chain.
    pub parameters: Parameters,
    /// The version of the rules.
    pub protocol_version: u16,
}
