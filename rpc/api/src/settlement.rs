//! `settlement_*`: windows, instructions, breaches; a gateway's instructions as they are made.

use chain_types::{FailureReason, InstructionId};
use jsonrpsee::core::{RpcResult, SubscriptionResult};
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::page::Page;

/// Methods of the `settlement` namespace.
#[rpc(server, client, namespace = "settlement")]
pub trait SettlementRpc {
    /// Windows, newest first; the open one is among them.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "windows")]
    async fn windows(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<WindowReport>>;

    /// One window.
    ///
    /// # Errors
    /// `not-found`.
    #[method(name = "window")]
    async fn window(&self, window: u64) -> RpcResult<WindowReport>;

    /// Instructions of a window or of a paying gateway, ascending by id. The filter names
    /// exactly one of the two.
    ///
    /// # Errors
    /// `filter-malformed`, `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "instructions")]
    async fn instructions(
        &self,
        filter: InstructionFilter,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<InstructionReport>>;

    /// One instruction by its id, `window-merchant-currency`.
    ///
    /// # Errors
    /// `id-malformed`, `not-found`.
    #[method(name = "instruction")]
    async fn instruction(&self, instruction_id: String) -> RpcResult<InstructionReport>;

    /// Deadlines that were missed, oldest first.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "breaches")]
    async fn breaches(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BreachReport>>;

    /// Instructions to a paying gateway, ascending by id: first those that exist, then each as its
    /// window closes. `cursor` is that of the last event that the gateway has dealt with; with
    /// none, it begins with the first. Over WebSocket only.
    ///
    /// # Errors
    /// `bad-cursor`, `not-found` when the participant is no gateway, `too-many-subscriptions`.
    #[subscription(
        name = "subscribe_instructions" => "instruction_event",
        unsubscribe = "unsubscribe_instructions",
        item = InstructionEvent
    )]
    async fn subscribe_instructions(
        &self,
        gateway: u32,
        cursor: Option<String>,
    ) -> SubscriptionResult;
}

/// Which instructions to list: exactly one field is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstructionFilter {
    /// Those of this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// Those that this gateway pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<u32>,
}

impl InstructionFilter {
    /// The instructions of a window.
    pub const fn window(window: u64) -> Self {
        Self { window: Some(window), gateway: None }
    }

    /// The instructions that a gateway pays.
    pub const fn gateway(gateway: u32) -> Self {
        Self { window: None, gateway: Some(gateway) }
    }
}

/// A settlement window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowReport {
    /// Its number.
    pub window: u64,
    /// When it opened.
    pub opened_ms: u64,
    /// When it closed; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<u64>,
    /// Its first block.
    pub first_height: u64,
    /// Its last block; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_height: Option<u64>,
    /// Orders collected in it.
    pub order_count: u64,
    /// Instructions it made when it closed.
    pub instruction_count: u64,
    /// Where each gateway stands, by gateway and currency: the interbank settlement report.
    pub positions: Vec<PositionReport>,
}

/// A gateway's position in one window and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionReport {
    /// The gateway.
    pub gateway: u32,
    /// What it collected: it owes that.
    pub collected: Money,
    /// What it is instructed to pay: it is owed that.
    pub to_pay: Money,
    /// `to_pay` less `collected`: below zero, it owes on balance.
    pub net: Money,
}

/// Where an instruction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstructionState {
    /// The paying gateway has it.
    Instructed,
    /// The paying gateway attested that the merchant was credited.
    Arrived,
    /// The paying gateway could not pay.
    Failed,
    /// The paying gateway could not pay, and all its orders were returned since.
    Returned,
}

/// A payment instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionReport {
    /// Its id, `window-merchant-currency`.
    #[serde(with = "crate::text")]
    pub instruction_id: InstructionId,
    /// The window whose orders it pays out.
    pub window: u64,
    /// Whom it pays.
    #[serde(with = "crate::text")]
    pub merchant: u64,
    /// The gateway that pays.
    pub gateway: u32,
    /// How much.
    pub amount: Money,
    /// How many orders it pays out.
    pub order_count: u64,
    /// When the first of them was accepted.
    pub earliest_accepted_ms: u64,
    /// When it was made.
    pub instructed_ms: u64,
    /// By when the money must have arrived.
    pub deadline_ms: u64,
    /// Where it stands.
    pub status: InstructionState,
    /// When it arrived or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<u64>,
    /// Whether it arrived after its deadline.
    pub is_late: bool,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReport>,
    /// The bank's reference, hexadecimal; absent while it is instructed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Why an instruction could not be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// The reason's number.
    pub reason: u16,
    /// The nearest ISO 20022 external status reason code.
    pub iso_code: String,
}

impl From<FailureReason> for FailureReport {
    fn from(reason: FailureReason) -> Self {
        Self { reason: reason.number(), iso_code: reason.iso_code().to_owned() }
    }
}

/// An instruction as a subscription tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionEvent {
    /// Subscribe with it to resume after this event.
    pub cursor: String,
    /// The instruction as it stands when the event is sent.
    pub instruction: InstructionReport,
}

/// The stage whose deadline was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreachStage {
    /// The collecting gateway was late.
    Collected,
    /// The window closed late, for want of blocks; nobody in particular was late.
    Instructed,
    /// The paying gateway was late.
    Arrived,
}

/// A deadline that was missed: a fact of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachReport {
    /// The stage.
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
