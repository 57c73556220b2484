//! Settlement in JSON: windows and their nets, instructions, returns, and how well deadlines are
//! kept.

use chain_types::{
    AccountKind, BlockHash, BreachStage, Digest, FailureReason, InstructionId, InstructionState,
    OrderId, ReturnReason,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{Base64Form, CurrencyForm, CursorForm, ReferenceForm};
use crate::money::Money;
use crate::text::{DigestText, Text};

/// A filter for the list of instructions: exactly one field is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstructionSelector {
    /// Those of this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// Those that this gateway pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<u32>,
}

impl InstructionSelector {
    /// The instructions of a window.
    pub const fn window(window: u64) -> Self {
        Self { window: Some(window), gateway: None }
    }

    /// The instructions that a gateway pays.
    pub const fn gateway(gateway: u32) -> Self {
        Self { window: None, gateway: Some(gateway) }
    }
}

/// A settlement window, open or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowReport {
    /// The window's number; the first is 0.
    pub window: u64,
    /// The block time at which it opened, in milliseconds since 1970 (UTC).
    pub opened_ms: u64,
    /// When it closed; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<u64>,
    /// The height of its first block.
    pub first_height: u64,
    /// Its last block; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_height: Option<u64>,
    /// Orders collected in it.
    pub order_count: u64,
    /// Instructions it made when it closed.
    pub instruction_count: u64,
    /// The debits and credits of each party, by currency within party: the interbank settlement
    /// report. Per currency the nets add up to zero.
    pub positions: Vec<PositionReport>,
    /// The digest of the positions, hexadecimal: what maker and checker of the settlement sign;
    /// absent while the window is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<Digest>>")]
    pub digest: Option<String>,
    /// A settlement that waits for its checker, or that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<SettlementProposedReport>,
    /// The settlement by the banks; absent while no checker has approved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<WindowSettledReport>,
}

/// A settlement of a window that is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementProposedReport {
    /// The participant id of the agent that proposed it.
    pub agent: u32,
    /// The reference of the settlement outside, hexadecimal.
    #[schemars(with = "Text<ReferenceForm>")]
    pub reference: String,
    /// When it was proposed.
    pub proposed_ms: u64,
    /// The participant id of the agent that refused it; absent if nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<u32>,
}

/// The debits, the credits and the net of a party in one currency of one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PositionReport {
    /// As what: gateway liquidity, FX position or cashback pool.
    #[serde(with = "Text::<AccountKind>")]
    pub kind: AccountKind,
    /// The participant's or merchant's id; zero for the scheme.
    #[serde(with = "Text::<u64>")]
    pub owner: u64,
    /// The sum that the party owes.
    pub gross_debits: Money,
    /// The sum that the party is owed.
    pub gross_credits: Money,
    /// `gross_credits` less `gross_debits`: below zero, it owes on balance.
    pub net: Money,
}

/// The settlement of a window: its nets are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowSettledReport {
    /// The participant id of the agent that proposed it.
    pub agent: u32,
    /// The participant id of the agent that approved it.
    pub checker: u32,
    /// The reference of the settlement outside, hexadecimal.
    #[schemars(with = "Text<ReferenceForm>")]
    pub reference: String,
    /// When it was approved.
    pub settled_ms: u64,
    /// The block that holds the approval.
    pub height: u64,
}

/// The proof of a closed window's report. What it reports is in its bytes, to be verified there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowProofReport {
    /// The number of the proven window.
    pub window: u64,
    /// The block that closed it and left its report: the one after its last block.
    pub height: u64,
    /// The time of that block: when the window closed.
    pub time_ms: u64,
    /// The hash of the block whose records root the proof leads to.
    #[serde(with = "Text::<BlockHash>")]
    pub block_hash: BlockHash,
    /// The root over all records of that block, to which the proof leads.
    #[serde(with = "DigestText")]
    pub records_root: Digest,
    /// The block with the word that the window is settled; absent while it was not given, and then
    /// the proof holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_height: Option<u64>,
    /// The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads.
    #[schemars(with = "Text<Base64Form>")]
    pub proof_base64: String,
}

/// An order to a gateway to pay a merchant, made when a window closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionReport {
    /// The instruction's id, `window-merchant-currency`.
    #[serde(with = "Text::<InstructionId>")]
    pub instruction_id: InstructionId,
    /// The window whose orders it pays out.
    pub window: u64,
    /// The id of the merchant that is paid.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The gateway that pays.
    pub gateway: u32,
    /// The amount that the gateway pays.
    pub amount: Money,
    /// How much of it was sent back since it failed.
    pub amount_returned: Money,
    /// How much of it is to be paid: an arrival is for exactly this.
    pub amount_left: Money,
    /// How many orders it pays out.
    pub order_count: u64,
    /// How many of them were converted.
    pub cross_border_count: u64,
    /// How often it was given to a paying gateway: 1, and one more for each failure corrected.
    pub attempt: u16,
    /// When the first of them was accepted.
    pub earliest_accepted_ms: u64,
    /// When it was made.
    pub instructed_ms: u64,
    /// By when the money must have arrived.
    pub deadline_ms: u64,
    /// The instruction's present state.
    #[serde(with = "Text::<InstructionState>")]
    pub status: InstructionState,
    /// When it arrived or failed, or the last of it was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<u64>,
    /// True if it arrived after its deadline.
    pub is_late: bool,
    /// The reason of its last failure; absent if it has not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReport>,
    /// The participant id of the party that attested the failure: its gateway, or the second agent
    /// who stepped in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_by: Option<u32>,
    /// When an agent asked that this attempt shall not be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_ms: Option<u64>,
    /// The bank's reference, hexadecimal; absent while it is instructed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<ReferenceForm>>")]
    pub reference: Option<String>,
    /// Cashback on its orders: promised until it arrives, owed since; absent when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cashback: Vec<CashbackSumReport>,
}

/// Cashback that one gateway granted on orders of an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashbackSumReport {
    /// The gateway that collected the orders.
    pub gateway: u32,
    /// How much, less what was taken back before the arrival.
    pub amount: Money,
}

/// Why an instruction could not be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureReport {
    /// The reason's number, as docs/settlement-rules.md lists it.
    pub reason: u16,
    /// The nearest ISO 20022 external status reason code.
    pub iso_code: String,
}

impl From<FailureReason> for FailureReport {
    fn from(reason: FailureReason) -> Self {
        Self { reason: reason.number(), iso_code: reason.iso_code().to_owned() }
    }
}

/// Money of an order that was sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnReport {
    /// The id of the order whose money goes back.
    #[serde(with = "Text::<OrderId>")]
    pub order_id: OrderId,
    /// The number of the return among the order's, from 1.
    pub sequence: u16,
    /// The gateway that sent it back.
    pub gateway: u32,
    /// How much of the order, in the currency that was collected.
    pub amount: Money,
    /// How much of the payout, in the currency that the merchant is paid in.
    pub payout: Money,
    /// How much cashback of the order was taken back, or is promised no longer.
    pub cashback: Money,
    /// How much the gateway paid for other cashback of the user's month that rested on the order.
    pub cashback_rested: Money,
    /// How much of `cashback` the collecting gateway had paid before, and does not pay again.
    pub cashback_set_off: Money,
    /// The reason's number, as docs/settlement-rules.md lists it.
    pub reason: u16,
    /// The nearest ISO 20022 code.
    pub iso_code: String,
    /// True if the order's window was still open: a reversal.
    pub is_reversal: bool,
    /// True if the collecting gateway got the payout as it was, in the payout currency, and not the
    /// amount: the time in which the provider converts back at the order's rate was over.
    pub is_unconverted: bool,
    /// The bank's reference, hexadecimal.
    #[schemars(with = "Text<ReferenceForm>")]
    pub reference: String,
    /// When it was recorded.
    pub returned_ms: u64,
    /// The block that holds it.
    pub height: u64,
}

impl ReturnReport {
    /// The ISO 20022 code of a return reason's number; empty for a number without a meaning.
    pub fn iso_code(reason: u16) -> String {
        let known = ReturnReason::from_number(reason);
        known.map_or_else(String::new, |reason| reason.iso_code().to_owned())
    }
}

/// How well a participant keeps its deadlines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlaReport {
    /// The participant; absent for breaches that were nobody's in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<u32>,
    /// As a paying gateway: what arrived, by payout currency, domestic before cross-border.
    pub corridors: Vec<CorridorReport>,
    /// Deadlines that it missed, by stage.
    pub breaches: Vec<BreachCount>,
}

/// The deadlines that a paying gateway met and missed in a corridor: a payout currency, within or
/// across currencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorridorReport {
    /// The currency in which merchants are paid: an ISO 4217 code.
    #[schemars(with = "Text<CurrencyForm>")]
    pub payout_currency: String,
    /// True if the orders were converted.
    pub is_cross_border: bool,
    /// Instructions arrived that hold orders of the corridor.
    pub instruction_count: u64,
    /// The number of orders whose money arrived.
    pub order_count: u64,
    /// Orders arrived after the corridor's deadline.
    pub late_count: u64,
    /// Orders by the time from their instruction's earliest acceptance to its arrival, ascending.
    pub distribution: Vec<SlaBucket>,
}

/// A step of a distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlaBucket {
    /// The longest time in it; absent for the last step, which has no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to_ms: Option<u64>,
    /// How many orders took longer than the step before, and no longer than this one.
    pub order_count: u64,
}

/// How often a stage's deadline was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreachCount {
    /// The stage whose deadline was missed.
    #[serde(with = "Text::<BreachStage>")]
    pub stage: BreachStage,
    /// The number of orders that missed it.
    pub count: u64,
}

/// An instruction as a subscription tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionEvent {
    /// Subscribe with it to resume after this event.
    #[schemars(with = "Text<CursorForm>")]
    pub cursor: String,
    /// The instruction as it stands when the event is sent.
    pub instruction: InstructionReport,
}

/// A deadline that was missed: a fact of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreachReport {
    /// The stage whose deadline was missed.
    #[serde(with = "Text::<BreachStage>")]
    pub stage: BreachStage,
    /// The participant who was late, if it was one in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u32>,
    /// The order or instruction: its id.
    pub subject: String,
    /// When it was due.
    pub deadline_ms: u64,
    /// The block time at which the chain noticed.
    pub noticed_ms: u64,
    /// The height at which it did.
    pub height: u64,
    /// Its place among that block's breaches.
    pub sequence: u32,
}
