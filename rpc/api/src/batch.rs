//! Batches in JSON: how far each has come, and its items' outcomes.

use chain_types::{BatchId, BlockHash, Outcome, Rejection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base64::encode_base64;
use crate::forms::Base64Form;
use crate::standing::OrderStanding;
use crate::text::{OptionalText, Text};

/// The stage of a batch until which `batch_submit` waits before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// Until this node has checked the batch and holds it.
    #[default]
    Admitted,
    /// Until a block that holds it is decided and durable.
    Final,
}

/// How far a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BatchState {
    /// This node neither holds it nor finds it in the chain.
    Unknown,
    /// Checked, held, and on its way to the validators.
    Admitted,
    /// In a decided block, for ever.
    Final,
}

/// A batch as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchReport {
    /// The id of the batch: the hash of its header.
    #[serde(with = "Text::<BatchId>")]
    pub batch_id: BatchId,
    /// How far it has come.
    pub state: BatchState,
    /// The height of the block that holds it, once final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Its place in that block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_index: Option<u32>,
    /// The hash of the block that holds the batch, once final.
    #[serde(default, with = "OptionalText::<BlockHash>", skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<BlockHash>,
    /// The time of the block that holds the batch, once final, in milliseconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_time_ms: Option<u64>,
    /// The outcomes of its items, once final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
}

impl BatchReport {
    /// The report of a batch that is in no block yet.
    pub fn pending(batch_id: BatchId, state: BatchState) -> Self {
        Self {
            batch_id,
            state,
            height: None,
            batch_index: None,
            block_hash: None,
            block_time_ms: None,
            outcomes: None,
        }
    }
}

/// The outcomes of a batch's items: counts by code, and each item that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// How many items the batch holds.
    pub item_count: u32,
    /// How many items had each code, ascending by code; codes that none had are left out.
    pub counts: Vec<OutcomeCount>,
    /// The items that were not applied, ascending by index.
    pub not_applied: Vec<ItemOutcome>,
    /// Every item's code, two little-endian bytes each, as base64; when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<Base64Form>>")]
    pub codes_base64: Option<String>,
}

/// How many items had one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeCount {
    /// The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's.
    pub code: u16,
    /// The stable name that belongs to the code.
    pub name: String,
    /// How many items had it.
    pub item_count: u32,
}

/// An item that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemOutcome {
    /// The item's place in the batch.
    pub item_index: u32,
    /// The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's.
    pub code: u16,
    /// The stable name that belongs to the code.
    pub name: String,
    /// The order's standing before the item, when that is why the item was not applied. It is also
    /// absent if a batch names more old orders than one answer looks up: then the code's own remedy
    /// holds, which asks first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<OrderStanding>,
}

/// The name of an outcome: `applied`, `repeated`, `held`, what became of cashback on what was
/// applied, or the rejection's.
pub fn outcome_name(outcome: Outcome) -> &'static str {
    match (outcome, outcome.cashback_tier()) {
        (Outcome::APPLIED, _) => "applied",
        (Outcome::REPEATED, _) => "repeated",
        (Outcome::HELD, _) => "held",
        (Outcome::CASHBACK_OVER_MONTH, _) => "applied-cashback-over-month",
        (Outcome::CASHBACK_OVER_BUDGET, _) => "applied-cashback-over-budget",
        (_, Some(1)) => "applied-cashback-tier-1",
        (_, Some(2)) => "applied-cashback-tier-2",
        (_, Some(3)) => "applied-cashback-tier-3",
        (_, Some(_)) => "applied-cashback-tier-4",
        (other, None) => other.rejection().map_or("unknown", Rejection::name),
    }
}

impl Outcomes {
    /// The report of a batch's outcomes, with every code when `with_codes`.
    pub fn new(outcomes: &[Outcome], with_codes: bool) -> Self {
        let mut counts = std::collections::BTreeMap::new();
        let mut not_applied = Vec::new();
        for (item_index, outcome) in (0_u32..).zip(outcomes) {
            *counts.entry(*outcome).or_insert(0_u32) += 1;
            if !outcome.is_applied() {
                let name = outcome_name(*outcome).to_owned();
                not_applied.push(ItemOutcome { item_index, code: outcome.0, name, standing: None });
            }
        }
        let counts = counts.into_iter().map(|(outcome, item_count)| OutcomeCount {
            code: outcome.0,
            name: outcome_name(outcome).to_owned(),
            item_count,
        });
        Self {
            item_count: u32::try_from(outcomes.len()).unwrap_or(u32::MAX),
            counts: counts.collect(),
            not_applied,
            codes_base64: with_codes
                .then(|| encode_base64(&chain_types::block::outcome_bytes(outcomes))),
        }
    }

    /// How many items had the outcome.
    pub fn count_of(&self, outcome: Outcome) -> u32 {
        let count = self.counts.iter().find(|count| count.code == outcome.0);
        count.map_or(0, |count| count.item_count)
    }
}
