//! What the server needs of a node to tell what the contracts have recorded.

use chain_types::{
    Currency, Height, LineKey, MerchantId, OrderId, ParticipantId, PolicyScope, ProposalId,
    QuoteId, TimeMs, TransferId, WindowId,
};
use rpc_api::{
    AccountName, AccountProofReport, HeldOrderReport, LineReport, PolicyReport, ProgrammeReport,
    ProposalReport, QuoteReport, RateReport, ReferenceReport, RegisteredMerchant, RegistryReport,
    ReturnReport, SlaReport, TransferReport, UserDayReport, UserMonthReport, WindowProofReport,
};

use crate::backend::BackendError;

/// What a read gives.
pub type Read<T> = Result<T, BackendError>;
/// A user's pseudonym.
pub type User = [u8; 16];
/// The currency that is collected, and the one that is paid out.
pub type Pair = (Currency, Currency);

/// The contracts' records, as the server sees them. All methods may read from disk; lists give at
/// most `limit` items, as those of [`crate::Backend`] do.
///
/// # Errors
/// Every method fails when the node cannot read.
pub trait ContractReads: Send + Sync + 'static {
    /// Returns of an order, in order of their sequence numbers, after `after`.
    fn returns(&self, id: &OrderId, after: Option<u16>, limit: u32) -> Read<Vec<ReturnReport>>;

    /// How well participants keep deadlines, ascending by id, after `after`. Breaches that are
    /// nobody's count for participant zero, who is told as none.
    fn sla(&self, after: Option<ParticipantId>, limit: u32) -> Read<Vec<SlaReport>>;

    /// An account's counters after the block of a height (the head, when there is none) with
    /// their proof; `None` when it did not exist, or the height lies ahead.
    fn account_proof(
        &self,
        name: &AccountName,
        height: Option<Height>,
        lineage_apart: bool,
    ) -> Read<Option<AccountProofReport>>;

    /// The proof of a closed window's report; `None` when there is no such window. Fails for an
    /// open one, and when the node does not keep what the proof needs.
    fn window_proof(&self, id: WindowId, lineage_apart: bool) -> Read<Option<WindowProofReport>>;

    /// Transfers descending by id, below `before`: all, or those that wait for their checker.
    fn transfers(
        &self,
        open_only: bool,
        before: Option<TransferId>,
        limit: u32,
    ) -> Read<Vec<TransferReport>>;

    /// One transfer.
    fn transfer(&self, id: &TransferId) -> Read<Option<TransferReport>>;

    /// Lines that a participant has given, ascending by account and holder, after `after`.
    fn lines(
        &self,
        owner: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>>;

    /// Lines that a participant has on others' accounts, ascending by account, after `after`.
    fn lines_held(
        &self,
        holder: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>>;

    /// The reference rate of a pair at the head, or why there is none.
    fn fx_reference(&self, pair: Pair) -> Read<ReferenceReport>;

    /// Every provider's last rate of a pair, ascending by provider, after `after`.
    fn rates(&self, pair: Pair, after: Option<ParticipantId>, limit: u32) -> Read<Vec<RateReport>>;

    /// A provider's rates of a pair, ascending by the time of observation, after `after`.
    fn rate_history(
        &self,
        pair: Pair,
        provider: ParticipantId,
        after: Option<TimeMs>,
        limit: u32,
    ) -> Read<Vec<RateReport>>;

    /// One quote.
    fn quote(&self, id: QuoteId) -> Read<Option<QuoteReport>>;

    /// A provider's quotes, ascending by id, after `after`.
    fn quotes(
        &self,
        provider: ParticipantId,
        after: Option<QuoteId>,
        limit: u32,
    ) -> Read<Vec<QuoteReport>>;

    /// Cashback programmes, ascending by merchant and currency, after `after`.
    fn programmes(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: u32,
    ) -> Read<Vec<ProgrammeReport>>;

    /// A merchant's cashback programme in a currency.
    fn programme(&self, merchant: MerchantId, currency: Currency) -> Read<Option<ProgrammeReport>>;

    /// A user's present month under a programme; `None` when there is no such programme.
    fn user_month(
        &self,
        merchant: MerchantId,
        currency: Currency,
        user: User,
    ) -> Read<Option<UserMonthReport>>;

    /// Risk policies in force, ascending by scope, subject and currency, after `after`.
    fn policies(
        &self,
        after: Option<(PolicyScope, u64, Currency)>,
        limit: u32,
    ) -> Read<Vec<PolicyReport>>;

    /// Orders that wait for a risk desk, ascending by id, after `after`.
    fn held_orders(&self, after: Option<OrderId>, limit: u32) -> Read<Vec<HeldOrderReport>>;

    /// A user's present day in a currency.
    fn user_day(&self, user: User, currency: Currency) -> Read<UserDayReport>;

    /// Who may do what in the next block.
    fn registry(&self) -> Read<RegistryReport>;

    /// Whether a participant is registered as a gateway.
    fn is_gateway(&self, id: ParticipantId) -> Read<bool>;

    /// Merchants, ascending by id, after `after`.
    fn merchants(&self, after: Option<MerchantId>, limit: u32) -> Read<Vec<RegisteredMerchant>>;

    /// One merchant.
    fn merchant(&self, id: MerchantId) -> Read<Option<RegisteredMerchant>>;

    /// Governance proposals descending by id, below `before`: all, or those that wait for
    /// approvals or their height.
    fn proposals(
        &self,
        open_only: bool,
        before: Option<ProposalId>,
        limit: u32,
    ) -> Read<Vec<ProposalReport>>;

    /// One governance proposal.
    fn proposal(&self, id: &ProposalId) -> Read<Option<ProposalReport>>;
}
