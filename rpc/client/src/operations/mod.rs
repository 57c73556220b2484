//! From rows of a file to the items of a batch, and the items' names when they are reported. One
//! file for each area of the settlement rules.

mod fields;
mod fx;
mod governance;
mod lines;
mod liquidity;
mod orders;
mod risk;
mod settlement;

use std::ops::Range;

use chain_types::{
    ApprovalItem, ArrivalItem, BatchKind, BounceItem, ChainId, CollectItem, ConsentItem,
    DebitingItem, FailureItem, Flags, HoldDecisionItem, LineItem, ListedChangeItem, MerchantItem,
    OrderId, ParticipantId, PolicyItem, ProposalItem, QuoteItem, RateItem, RecallItem,
    RechargeItem, ReinstructItem, ReturnItem, SecretKey, SettleWindowItem, SettlementDecisionItem,
    SignedBatch, StepInItem, TimeMs, TransferDecisionItem, TransferItem, VoidItem,
};

pub use self::fields::reference_bytes;
use super::order_file::{FileError, Row};

/// Declares the kinds with their names; each one's comment is also its help.
macro_rules! operation_kinds {
    ($($(#[doc = $help:literal])+ $kind:ident $name:literal,)*) => {
        /// The kind of operations that the rows of a file ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum OperationKind { $($(#[doc = $help])+ $kind,)* }

        impl OperationKind {
            /// All kinds, in the order in which help lists them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name by which people ask for the kind.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Returns a sentence for people: the operations of the kind, then the fields of a row.
            pub fn help(self) -> &'static str {
                let help = match self { $(Self::$kind => concat!($($help),+),)* };
                help.trim().trim_end_matches('.')
            }
        }
    };
}

operation_kinds! {
    /// Recharge orders: merchant, gateway, amount, currency; also payout_currency, quote_id and
    /// payout_minimum for a conversion, user, device, network, reference, order_id.
    Recharge "recharge",
    /// The same, submitted and collected in one step by the collecting gateway itself.
    Collected "collected",
    /// Collections of reserved orders: order_id; also reference.
    Collect "collect",
    /// Reserved orders whose users are being debited: order_id; also reference.
    Debiting "debiting",
    /// Voids of reserved orders: order_id, reason; also reference.
    Void "void",
    /// Arrivals of instructions: instruction (such as 7-1001-156), amount; also reference, attempt
    /// (1 when it is left out).
    Arrival "arrival",
    /// Failures of instructions: instruction, reason; also reference, attempt.
    Failure "failure",
    /// Money of collected orders that goes back: order_id, amount, currency, reason, sequence;
    /// also reference, rested_max (the most that may be paid for cashback that rested on the
    /// order: an amount, or any for whatever it is; nothing when it is left out).
    Return "return",
    /// Orders that their collecting gateway may reverse, up to an amount in all: order_id, amount,
    /// currency; also reference.
    Consent "consent",
    /// Failed instructions to be paid now: instruction; also reference, attempt (that failed).
    Reinstruct "reinstruct",
    /// Closed windows whose nets the banks have settled: window, digest (of the report that
    /// `settlement_window` shows); also reference.
    SettleWindow "settle-window",
    /// Decisions about such settlements: window, decision, digest; the same reference.
    SettlementDecision "settlement-decision",
    /// Deposits, withdrawals and caps: action, account, amount; also reference, transfer_id.
    Transfer "transfer",
    /// Decisions about transfers: transfer_id, decision, action, amount, currency; also reference.
    TransferDecision "transfer-decision",
    /// Rates: currency, payout_currency, rate; also observed_ms.
    Rate "rate",
    /// Quotes: number, currency, payout_currency, rate, ceiling; also valid_ms.
    Quote "quote",
    /// Decisions about held orders: order_id, decision, reason; also reference.
    HoldDecision "hold-decision",
    /// Risk policies: scope, currency; also subject, order_max, user_day_max, day_max, hold_above.
    Policy "policy",
    /// Lines, by whose account it is: account (gateway-liquidity or fx-position), holder, limit
    /// (zero ends it), currency.
    Line "line",
    /// Proposals: change, activation_height, and the fields of the change; also proposal_id.
    Proposal "proposal",
    /// Changes of merchants and programmes that one proposal shall make together: change, and the
    /// fields of the change. Each 3,000 are a list; see `sluice change-list`.
    ChangeList "change-list",
    /// Merchants that a registrar adds or changes: merchant, name, payout_gateway; also
    /// payout_account, legal_entity.
    Merchant "merchant",
    /// Decisions about proposals: proposal_id, decision, digest.
    Approval "approval",
    /// Arrived instructions whose money came back: instruction, reason; also reference, attempt.
    Bounce "bounce",
    /// Outstanding instructions to be recalled: instruction; also reference, attempt.
    Recall "recall",
    /// Instructions of absent gateways, ended by two agents: instruction, reason; also reference,
    /// attempt.
    StepIn "step-in",
}

/// The values that every operation of a file shares.
#[derive(Debug)]
pub struct RowContext<F> {
    /// The participant that will sign.
    pub submitter: ParticipantId,
    /// The time of this machine, for operations that say when.
    pub now: TimeMs,
    /// Makes the ids of operations that bring none: the submitter's own.
    pub new_id: F,
}

impl<F: FnMut() -> OrderId> RowContext<F> {
    /// The id in `field`, or a new one.
    fn id(&mut self, row: &Row, field: &str) -> Result<[u8; 16], FileError> {
        match row.optional(field) {
            None => Ok((self.new_id)().bytes()),
            Some(_) => fields::id(row, field),
        }
    }
}

/// An item's subject, for reports.
trait Subject {
    fn subject(&self) -> String;
}

/// Names items by one of their ids.
macro_rules! subjects {
    ($($id:ident: $($item:ident)*;)*) => {
        $($(
            impl Subject for $item {
                fn subject(&self) -> String {
                    self.$id().to_string()
                }
            }
        )*)*
    };
}

subjects! {
    transfer_id: TransferItem TransferDecisionItem;
    order_id: RechargeItem CollectItem DebitingItem ConsentItem VoidItem ReturnItem
        HoldDecisionItem;
    instruction: ArrivalItem FailureItem ReinstructItem BounceItem RecallItem StepInItem;
    proposal_id: ProposalItem ApprovalItem;
}

macro_rules! operations {
    ($($kind:ident: $item:ident, $doc:literal;)*) => {
        /// Items of one kind, ready to be signed.
        #[derive(Debug, Clone)]
        pub enum Operations { $(#[doc = $doc] $kind(Vec<$item>),)* }

        impl Operations {
            /// How many there are.
            pub fn count(&self) -> usize {
                match self { $(Self::$kind(items) => items.len(),)* }
            }

            /// The batch kind that carries them.
            pub const fn kind(&self) -> BatchKind {
                match self { $(Self::$kind(_) => BatchKind::$kind,)* }
            }

            /// Items `range` as one batch of `submitter`, signed with `key`.
            pub fn sign(
                &self,
                range: Range<usize>,
                chain_id: ChainId,
                submitter: ParticipantId,
                key: &SecretKey,
                valid_until: TimeMs,
            ) -> Vec<u8> {
                match self {
                    $(Self::$kind(items) => {
                        let items = items.get(range).unwrap_or_default();
                        SignedBatch::sign(chain_id, submitter, key, valid_until, items)
                    })*
                }
            }

            /// Returns the subject of item `index`: an order's, an instruction's or another id.
            pub fn subject(&self, index: usize) -> String {
                match self {
                    $(Self::$kind(items) => items.get(index).map(Subject::subject),)*
                }
                .unwrap_or_default()
            }
        }
    };
}

operations! {
    Recharge: RechargeItem, "Recharge orders.";
    Collect: CollectItem, "Collections.";
    Debiting: DebitingItem, "Orders whose users are being debited.";
    Void: VoidItem, "Voids.";
    Arrival: ArrivalItem, "Arrivals.";
    Failure: FailureItem, "Failures.";
    Return: ReturnItem, "Returns and reversals.";
    Consent: ConsentItem, "Orders that may be reversed.";
    Reinstruct: ReinstructItem, "Instructions given again.";
    SettleWindow: SettleWindowItem, "Settlements of windows proposed.";
    SettlementDecision: SettlementDecisionItem, "Settlements of windows decided.";
    Transfer: TransferItem, "Transfers proposed.";
    TransferDecision: TransferDecisionItem, "Transfers decided.";
    Rate: RateItem, "Rates.";
    Quote: QuoteItem, "Quotes.";
    HoldDecision: HoldDecisionItem, "Held orders decided.";
    Policy: PolicyItem, "Risk policies.";
    Line: LineItem, "Lines.";
    Proposal: ProposalItem, "Changes proposed.";
    ChangeList: ListedChangeItem, "Changes of a list.";
    Merchant: MerchantItem, "Merchants registered.";
    Approval: ApprovalItem, "Changes decided.";
    Bounce: BounceItem, "Arrivals whose money came back.";
    Recall: RecallItem, "Instructions recalled.";
    StepIn: StepInItem, "Instructions of absent gateways, ended.";
}

impl OperationKind {
    /// The fields of a row, the required ones first: also CSV's order without a line of names.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Recharge | Self::Collected => orders::RECHARGE,
            Self::Collect | Self::Debiting => orders::COLLECT,
            Self::Consent => orders::CONSENT,
            Self::Void => orders::VOID,
            Self::Return => orders::RETURN,
            Self::Arrival => settlement::ARRIVAL,
            Self::Failure => settlement::FAILURE,
            Self::Reinstruct => settlement::REINSTRUCT,
            Self::SettleWindow => settlement::SETTLE_WINDOW,
            Self::SettlementDecision => settlement::SETTLEMENT_DECISION,
            Self::Transfer => liquidity::TRANSFER,
            Self::TransferDecision => liquidity::TRANSFER_DECISION,
            Self::Rate => fx::RATE,
            Self::Quote => fx::QUOTE,
            Self::HoldDecision => risk::HOLD_DECISION,
            Self::Policy => risk::POLICY,
            Self::Line => lines::LINE,
            Self::Proposal => governance::PROPOSAL,
            Self::ChangeList => governance::CHANGE_LIST,
            Self::Merchant => governance::MERCHANT,
            Self::Approval => governance::APPROVAL,
            Self::Bounce => settlement::BOUNCE,
            Self::Recall => settlement::RECALL,
            Self::StepIn => settlement::STEP_IN,
        }
    }
}

impl Operations {
    /// The items that `rows` ask for.
    ///
    /// # Errors
    /// The first row and field that is wrong.
    pub fn from_rows(
        rows: &[Row],
        kind: OperationKind,
        making: &mut RowContext<impl FnMut() -> OrderId>,
    ) -> Result<Self, FileError> {
        for row in rows {
            row.only(kind.fields())?;
        }
        Ok(match kind {
            OperationKind::Recharge => {
                Self::Recharge(each(rows, |row| orders::recharge(row, 0, making))?)
            }
            OperationKind::Collected => {
                let flags = Flags::COLLECTED;
                Self::Recharge(each(rows, |row| orders::recharge(row, flags, making))?)
            }
            OperationKind::Collect => Self::Collect(each(rows, orders::collect)?),
            OperationKind::Debiting => Self::Debiting(each(rows, orders::debiting)?),
            OperationKind::Void => Self::Void(each(rows, orders::void)?),
            OperationKind::Consent => Self::Consent(each(rows, orders::consent)?),
            OperationKind::Return => Self::Return(each(rows, orders::give_back)?),
            OperationKind::Arrival => Self::Arrival(each(rows, settlement::arrival)?),
            OperationKind::Failure => Self::Failure(each(rows, settlement::failure)?),
            OperationKind::Reinstruct => Self::Reinstruct(each(rows, settlement::reinstruct)?),
            OperationKind::SettleWindow => {
                Self::SettleWindow(each(rows, settlement::settle_window)?)
            }
            OperationKind::SettlementDecision => {
                Self::SettlementDecision(each(rows, settlement::settlement_decision)?)
            }
            OperationKind::Transfer => {
                Self::Transfer(each(rows, |row| liquidity::transfer(row, making))?)
            }
            OperationKind::TransferDecision => {
                Self::TransferDecision(each(rows, liquidity::decision)?)
            }
            OperationKind::Rate => Self::Rate(each(rows, |row| fx::rate(row, making.now))?),
            OperationKind::Quote => {
                let (submitter, now) = (making.submitter, making.now);
                Self::Quote(each(rows, |row| fx::quote(row, submitter, now))?)
            }
            OperationKind::HoldDecision => Self::HoldDecision(each(rows, risk::decision)?),
            OperationKind::Policy => Self::Policy(each(rows, risk::policy)?),
            OperationKind::Line => Self::Line(each(rows, lines::line)?),
            OperationKind::ChangeList => Self::ChangeList(each(rows, governance::listed)?),
            OperationKind::Merchant => Self::Merchant(each(rows, governance::registered)?),
            OperationKind::Proposal => {
                Self::Proposal(each(rows, |row| governance::proposal(row, making))?)
            }
            OperationKind::Approval => Self::Approval(each(rows, governance::approval)?),
            OperationKind::Bounce => Self::Bounce(each(rows, settlement::bounce)?),
            OperationKind::Recall => Self::Recall(each(rows, settlement::recall)?),
            OperationKind::StepIn => Self::StepIn(each(rows, settlement::step_in)?),
        })
    }
}

fn each<T>(
    rows: &[Row],
    item: impl FnMut(&Row) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    rows.iter().map(item).collect()
}

/// The clock of this machine, in milliseconds since the Unix epoch.
pub fn now() -> TimeMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    TimeMs::new(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}
