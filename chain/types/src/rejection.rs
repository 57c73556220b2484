//! Why something was refused: a closed set of stable codes. A number, once published, keeps its
//! meaning; `docs/rejections.md` says the same to integrators, and a test holds the two together.

use bincode::{Decode, Encode};

use crate::change::CASHBACK_TIERS_MAX;

/// The outcome of one item, as the block that holds it says: two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Outcome(pub u16);

impl Outcome {
    /// The item was applied to the books.
    pub const APPLIED: Self = Self(0);
    /// The same content was seen before; what was said then stands.
    pub const REPEATED: Self = Self(1);

    /// The order is held until a risk desk decides.
    pub const HELD: Self = Self(2);
    /// Applied; cashback was refused, for the user's ceiling of the month would be passed.
    pub const CASHBACK_OVER_MONTH: Self = Self(20);
    /// Applied; cashback was refused, for the programme's budget does not hold it.
    pub const CASHBACK_OVER_BUDGET: Self = Self(21);
    /// One less than the code of the first cashback tier.
    const TIERS: u16 = 9;

    /// Applied, and cashback of this tier was granted; the first tier is 1.
    pub const fn with_cashback(tier: u16) -> Self {
        assert!(tier >= 1 && tier as usize <= CASHBACK_TIERS_MAX, "there is no such tier");
        Self(Self::TIERS + tier)
    }

    /// The tier by which cashback was granted; the first is 1.
    pub fn cashback_tier(self) -> Option<u16> {
        let tier = self.0.checked_sub(Self::TIERS)?;
        (tier >= 1 && usize::from(tier) <= CASHBACK_TIERS_MAX).then_some(tier)
    }

    /// Returns true if the item itself changed the books.
    pub fn is_applied(self) -> bool {
        matches!(self, Self::APPLIED | Self::CASHBACK_OVER_MONTH | Self::CASHBACK_OVER_BUDGET)
            || self.cashback_tier().is_some()
    }

    /// The rejection, if it is one.
    pub fn rejection(self) -> Option<Rejection> {
        Rejection::from_code(self.0)
    }
}

impl From<Rejection> for Outcome {
    fn from(rejection: Rejection) -> Self {
        Self(rejection.code())
    }
}

impl Rejection {
    /// Returns true if whoever got this for the submission of an order may make a new order with a
    /// new id in its place at once. Where it is false the old id may be in the books, or may still
    /// come there: ask `recharge_order` first, or the same is charged twice.
    pub const fn new_id_is_safe(self) -> bool {
        // Only these are recorded under an id that was new to the chain, and only for
        // submissions: nothing was booked under it, and nothing ever will be.
        matches!(
            self,
            Self::AmountZero
                | Self::AmountTooLarge
                | Self::CurrencyUnsupported
                | Self::ConversionUnavailable
                | Self::MerchantUnknown
                | Self::MerchantSuspended
                | Self::GatewayUnknown
                | Self::GatewaySuspended
                | Self::LiquidityExceeded
                | Self::LimitExceeded
                | Self::UserDayExceeded
                | Self::GatewayDayExceeded
                | Self::MerchantDayExceeded
                | Self::QuoteUnknown
                | Self::QuoteMismatch
                | Self::QuoteExpired
                | Self::QuoteSpent
                | Self::RatesStale
                | Self::QuoteDrifted
                | Self::PayoutBelowMinimum
                | Self::PositionExceeded
                | Self::PayoutOutOfRange
                | Self::ProviderSuspended
                | Self::RatesTooFew
                | Self::RoundingTooCostly
                | Self::ReferenceUnconfirmed
                | Self::LineExceeded
                | Self::ProviderLineExceeded
        )
    }
}

crate::coded_errors! {
    /// Why a batch or an item was refused, in order of precedence within each hundred.
    Rejection: u16;

    Truncated = 100, "truncated", false, "The batch ends before its header, signature or items do.", "Send header, signature and exactly `count` items.";
    TrailingBytes = 101, "trailing-bytes", false, "Bytes follow the last item of the batch.", "Send exactly `count` items; nothing after them.";
    BatchTooLarge = 102, "batch-too-large", false, "The batch is larger than 8,192 items of its kind can be.", "Split it; the orders keep their ids.";
    VersionUnsupported = 103, "version-unsupported", false, "The batch header's version is not one this chain executes.", "Use version 1.";
    KindUnknown = 104, "kind-unknown", false, "The batch header's kind is not known.", "Use a kind from docs/wire-format.md.";
    CountOutOfBounds = 105, "count-out-of-bounds", false, "A batch holds at least one item, and at most as many as its kind allows.", "See docs/wire-format.md for the most of each kind.";
    RootMismatch = 106, "root-mismatch", false, "The Merkle root in the header is not that of the items.", "Compute the root over the items in the order sent.";
    WrongChain = 107, "wrong-chain", false, "The batch is bound to another chain id.", "Use the chain id of this network's genesis file; the orders keep their ids.";
    SubmitterUnknown = 108, "submitter-unknown", false, "The submitter is not a registered participant.", "Check the participant id; ask the operators to register it. The orders keep their ids.";
    SignatureInvalid = 109, "signature-invalid", false, "The signature is not the submitter's over the batch id.", "Sign the batch id with the registered ed25519 key; the orders keep their ids.";
    SubmitterSuspended = 110, "submitter-suspended", false, "The submitter is suspended.", "Ask the operators why; the orders keep their ids.";
    RoleMissing = 111, "role-missing", false, "The submitter's roles do not allow this kind of batch.", "Submit it by a participant who has the role; the orders keep their ids.";
    BatchExpired = 112, "batch-expired", false, "Block time is past the batch's valid-until time.", "Sign a new batch of the same orders: they keep their ids.";
    BatchValidTooLong = 113, "batch-valid-too-long", false, "The valid-until time lies further ahead than order skew plus validity.", "Choose an earlier valid-until time; the orders keep their ids.";
    BatchRepeated = 114, "batch-repeated", false, "This batch is already in the chain.", "Ask for its outcomes; nothing needs to be sent again.";
    PoolFull = 115, "pool-full", true, "The submitter has sent its share of what the network takes, or the node holds as many waiting batches as it is configured for.", "Send the same bytes again after `retry_after_ms`, to any node; without that value, sign a new batch of the same orders: they keep their ids.";
    NotReady = 116, "not-ready", true, "The node is starting, catching up or stopping.", "Send the same bytes again later or to another node.";
    OwnEntity = 117, "own-entity", false, "It is about an account, party or merchant of the submitter's own legal entity.", "Let a participant of another legal entity say it.";
    OrderIdInvalid = 200, "order-id-invalid", false, "The order id is not a UUIDv7.", "Ask under the id that the order was made with; ids are made as RFC 9562 section 5.7 says.";
    SpareNotZero = 201, "spare-not-zero", false, "Spare bytes of the item are not zero.", "Ask `recharge_order` first: only an order that it calls rejected is made again, with a new id and zero spare bytes.";
    FlagsUnknown = 202, "flags-unknown", false, "The item's flags hold a bit without a meaning.", "Ask `recharge_order` first: only an order that it calls rejected is made again, with a new id and flags from docs/wire-format.md.";
    OrderIdExpired = 203, "order-id-expired", false, "Block time is past the order id's time plus the validity: too old to say whether it was ever in the books.", "Ask `recharge_order` first (of a transfer `ledger_transfer`, of a proposal `governance_proposal`): it may be final already. Only what is not found there and cannot commit any more is made again with a new id.";
    OrderIdEarly = 204, "order-id-early", true, "The order id's time lies ahead of block time by more than the skew.", "Keep the id and send the order again when its time has come: under a new id it would be booked twice. Check the clock that makes the ids.";
    OrderConflict = 205, "order-conflict", false, "An order with this id and other content exists.", "Ask `recharge_order` first: it shows what was booked under this id. Only another purchase takes a new id.";
    AmountZero = 206, "amount-zero", false, "The amount is zero.", "Make it anew with a new id and a positive amount in minor units.";
    AmountTooLarge = 207, "amount-too-large", false, "The amount is above the chain's limit for one order.", "Make smaller orders with new ids, or ask the operators for a higher limit.";
    CurrencyUnsupported = 208, "currency-unsupported", false, "The chain does not accept this currency.", "Make a new order in the chain's currencies.";
    ConversionUnavailable = 209, "conversion-unavailable", false, "The order names a quote or a payout minimum without another payout currency, or another payout currency without a quote.", "Make a new order that names a quote exactly when the payout currency is another.";
    MerchantUnknown = 210, "merchant-unknown", false, "The merchant is not registered.", "Check the merchant id; then make a new order.";
    MerchantSuspended = 211, "merchant-suspended", false, "The merchant is suspended.", "Ask the operators why; make a new order once it is suspended no longer.";
    GatewayUnknown = 212, "gateway-unknown", false, "The collecting gateway is not a registered gateway.", "Check the participant id; then make a new order.";
    GatewaySuspended = 213, "gateway-suspended", false, "The collecting or the paying gateway is suspended.", "Make a new order through another gateway.";
    NotCollectingGateway = 214, "not-collecting-gateway", false, "Only the order's collecting gateway may say that it was collected, and only it or a recharge service submits the order. Nothing is remembered of this word.", "Ask `recharge_order` first: what is reserved is collected by its collecting gateway; what is not known is submitted by who may.";
    LiquidityExceeded = 215, "liquidity-exceeded", false, "The amount would take the collecting gateway below its net debit cap.", "Deposit liquidity, wait for arrivals, or use another gateway; then make a new order.";
    AccountOverflow = 216, "account-overflow", false, "An account's counter would pass its largest value.", "Tell the operators, and ask `recharge_order`: what is reserved stays reserved.";
    LimitExceeded = 217, "order-limit-exceeded", false, "The amount is above a risk policy's limit for one order.", "Make smaller orders with new ids, or ask the risk desk.";
    UserDayExceeded = 218, "user-day-limit-exceeded", false, "The user's orders of the day would pass the limit.", "Make a new order the next day, or ask the risk desk.";
    GatewayDayExceeded = 219, "gateway-day-limit-exceeded", false, "The gateway's orders of the day would pass its limit.", "Make a new order through another gateway, or ask the risk desk.";
    MerchantDayExceeded = 220, "merchant-day-limit-exceeded", false, "The merchant's orders of the day would pass its limit.", "Make a new order the next day, or ask the risk desk.";
    QuoteUnknown = 222, "quote-unknown", false, "No quote with this id is in force.", "Ask the FX provider for a quote; then make a new order.";
    QuoteMismatch = 223, "quote-mismatch", false, "The quote is for another pair of currencies.", "Make a new order that names a quote for its currency and payout currency.";
    QuoteExpired = 224, "quote-expired", false, "Block time is past the quote's valid-until time.", "Ask for a new quote; then make a new order.";
    QuoteSpent = 225, "quote-spent", false, "The amount would pass what is left under the quote's ceiling.", "Ask for a new quote; then make a new order.";
    RatesStale = 226, "rates-stale", false, "Enough providers publish rates for the pair, but too few of these are fresh.", "Wait until the providers publish again; then make a new order.";
    QuoteDrifted = 227, "quote-drifted", false, "The quote differs from the reference rate by 0.3 % or more.", "Ask for a new quote; then make a new order.";
    PayoutBelowMinimum = 228, "payout-below-minimum", false, "The payout would be less than the order's minimum.", "Accept a lower minimum, or ask for another quote; then make a new order.";
    PositionExceeded = 229, "provider-position-exceeded", false, "The FX provider's position does not hold the payout.", "Use another provider's quote; then make a new order.";
    PayoutOutOfRange = 230, "payout-out-of-range", false, "The payout would be zero, or more than an amount can hold.", "Make a new order with another amount.";
    ProviderSuspended = 231, "provider-suspended", false, "The quote's FX provider is suspended or is one no longer.", "Use another provider's quote; then make a new order.";
    RatesTooFew = 232, "rates-too-few", false, "Too few providers publish rates for the pair.", "Make a new order that is paid out in a currency for which there is a reference rate.";
    RoundingTooCostly = 233, "rounding-too-costly", false, "Rounding the payout down would cost more than the chain allows.", "Make a new order with a larger amount, or with one that converts to whole minor units.";
    ReferenceUnconfirmed = 234, "reference-unconfirmed", false, "The reference rate has moved in one step by more than the chain allows at once, and the new level is not confirmed yet.", "Wait until the providers have kept to the new level for a while: `fx_reference` shows when; then make a new order.";
    LineExceeded = 235, "line-exceeded", false, "The submitter's open reservations on the collecting gateway would pass what that gateway has agreed to.", "Collect or void what is reserved, or ask the gateway for a line: `ledger_lines_held` shows what is left; then make a new order. The gateway's own collections need no line.";
    ProviderLineExceeded = 236, "provider-line-exceeded", false, "The submitter's open reservations on the quote's FX provider would pass what that provider has agreed to.", "Collect or void what is reserved, or ask the provider for a line: `ledger_lines_held` shows what is left; then make a new order. What the gateway collects in one step needs no line.";
    OrderIdForeign = 240, "order-id-foreign", false, "The order's id does not end in its submitter's participant id: it is another's, and nothing is remembered of this word.", "Ask `recharge_order` first: an order that another participant made is its own. Only what nobody ordered is made anew, with a new id that ends in the submitter's participant id.";
    CashbackMonthOver = 241, "cashback-month-over", false, "The order counted for cashback in a month that is not kept any more, and one legal entity collected it and paid the merchant.", "Return less, so that at least the programme's least order is left, or give the money back outside.";
    RestedAbove = 242, "rested-above", false, "More cashback of the user's month rests on the order than the return names as the most that it may cost.", "Name more in `rested_max`, under the same sequence number: `cashback_user_month` shows the most that can rest on an order. Who names 18446744073709551615 pays whatever it is.";
    OrderUnknown = 300, "order-unknown", true, "No order with this id was submitted yet.", "Ask `recharge_order`: it knows every order for ever, and whether one that is not found may still commit.";
    OrderRejected = 301, "order-rejected", false, "The order was rejected and never entered the books.", "Ask `recharge_order` why; if the user was debited, give that back.";
    OrderCollected = 302, "order-collected", false, "The order is already collected.", "Nothing needs to be done; to give the money back, use a return.";
    OrderVoided = 303, "order-voided", false, "The order is voided.", "Ask `recharge_order`; if the user was debited, give that back before a new order is made.";
    OrderExpired = 304, "order-expired", false, "The order's reservation expired: its validity was over, or it had been held for as long as the chain allows.", "Ask `recharge_order`; if the user was debited, give that back before a new order is made.";
    NotOrderParty = 305, "not-order-party", false, "Only the order's submitter or collecting gateway may void it.", "Let one of them submit it.";
    ReasonUnknown = 306, "reason-unknown", false, "The reason is not one that this operation knows.", "Use a reason from docs/wire-format.md.";
    OrderHeld = 307, "order-held", true, "The order is held; a risk desk has not decided yet.", "Wait for the decision; the order keeps its id.";
    OrderNotHeld = 308, "order-not-held", false, "The order is not held.", "Ask `recharge_order` for the order's status.";
    OrderRefused = 309, "order-refused", false, "The order was held and then refused.", "Ask the risk desk; if the user was debited, give that back before a new order is made.";
    DecisionUnknown = 310, "decision-unknown", false, "The decision is not one that this operation knows.", "Use a decision from docs/wire-format.md.";
    OrderTooOld = 311, "order-too-old", false, "No block knows an order of so old an id any more: whether there was one, and what became of it, this code does not say.", "Ask `recharge_order`: it knows every order for ever, and its last step.";
    OrderDebiting = 312, "order-debiting", false, "The collecting gateway is debiting the user: only that gateway collects or voids the order now.", "Wait, and ask `recharge_order`: the gateway collects or voids the order, or it expires at the end of its validity. Make no other order for it before.";
    ReturnExceeded = 320, "return-amount-exceeded", false, "The amount is more than what is left of the order.", "Ask `recharge_order`, and return at most what is left.";
    OrderNotCollected = 321, "order-not-collected", false, "The order was never collected.", "Ask `recharge_order`: a reservation is voided; there is nothing to return otherwise.";
    OrderInstructed = 322, "order-instructed", true, "The order's instruction is with its paying gateway.", "Return the order once the instruction has arrived or failed.";
    ReturnConflict = 323, "return-conflict", false, "A return of this order with this sequence number and other content exists.", "Ask `settlement_returns` first: it shows what was returned under this number. Only another return takes the next number.";
    ReturnGap = 324, "return-sequence-gap", false, "The sequence number is not the order's next one.", "Ask `settlement_returns` which numbers are taken: an order's returns are 1, 2, 3.";
    ReturnPeriodOver = 325, "return-period-over", false, "The order is older than the return period.", "Ask `settlement_returns` what was sent back already; settle the rest outside.";
    NotReturnParty = 326, "not-return-party", false, "Only the paying gateway may return the order; the collecting gateway may reverse it while the window is open. When the paying gateway of a failed instruction is absent, the collecting gateway may return it after two agents said that the merchant did not deliver (SVNR); an agent may when the collecting gateway is absent, too.", "Let the right gateway submit it, or ask the settlement agents to step in.";
    OrderFresh = 327, "order-fresh", true, "The order changed in this very block.", "Send the same return again.";
    ReturnFundsMissing = 328, "return-funds-missing", false, "The paying gateway or the FX provider does not have the money to be sent back.", "Deposit liquidity; then send a new batch with the same return.";
    ReturnIndivisible = 329, "return-indivisible", false, "Rounding what goes back, or what would be left of the converted order, would cost more than the chain allows.", "Return all that is left, or another part with the same sequence number: a larger one, or one that converts to whole minor units.";
    ReversalUnagreed = 330, "reversal-unagreed", true, "The order was told as collected, the collecting gateway's grace to take it back is over, and nobody of the other side has consented to so much.", "Let the paying gateway reverse it, or have it or the order's service consent and send the same return again. Once the window is closed the paying gateway returns it, after the arrival or failure of its instruction.";
    ConsentClosed = 331, "consent-closed", false, "The order's window is closed: nothing of it is reversed any more, and no consent to that counts.", "Ask `settlement_returns` what was reversed before. The rest is returned by the paying gateway, after the arrival or failure of the instruction.";
    NotConsentParty = 332, "not-consent-party", false, "Only the service that submitted the order and its paying gateway consent to its reversal, and neither if it is of the collecting gateway's legal entity.", "Let the one of them consent that is of another legal entity. If there is none, the paying gateway returns the order once its instruction has arrived or failed.";
    ConsentHigher = 333, "consent-higher", false, "The same party consented to more of the order already.", "Nothing needs to be sent: the higher amount holds until the window closes. A consent is not taken back.";
    ConsentsTooMany = 334, "consents-too-many", false, "The party has consented to 10,000 orders of the open window.", "Let the paying gateway reverse the order, or return it once its instruction has arrived or failed.";
    InstructionUnknown = 400, "instruction-unknown", true, "No instruction for this window, merchant and currency exists.", "Check the instruction's id; its window may still be open.";
    NotPayingGateway = 401, "not-paying-gateway", false, "Only the instruction's paying gateway may attest to it.", "Let the paying gateway submit it.";
    AmountMismatch = 402, "amount-mismatch", false, "An arrival is for exactly the instruction's amount.", "Attest the full amount once all of it is credited.";
    InstructionArrived = 403, "instruction-arrived", false, "The instruction's arrival is already recorded with other content.", "Ask `settlement_instruction`.";
    InstructionFailed = 404, "instruction-failed", false, "The instruction is already recorded as failed with other content.", "Ask `settlement_instruction`.";
    CorrectionMissing = 405, "correction-missing", true, "Nothing was corrected since the instruction failed.", "Have the merchant's payout account corrected by governance, return its orders, or wait until the chain's `step_in_ms` has passed since the failure.";
    InstructionNotFailed = 406, "instruction-not-failed", false, "The instruction has not failed.", "Ask `settlement_instruction`.";
    InstructionReturned = 407, "instruction-returned", false, "All of the instruction's orders were returned.", "Nothing needs to be done.";
    WindowNotClosed = 410, "window-not-closed", true, "The window is open, or does not exist.", "Wait for its close.";
    WindowSettled = 411, "window-settled", false, "The window is already settled with other content.", "Ask `settlement_window`: it shows by whom, with what reference and over which digest. Nothing needs to be done if the banks moved the money once.";
    AttemptOther = 412, "attempt-other", false, "The word names another attempt of the instruction than its present one.", "Ask `settlement_instruction` which attempt is the present one. A word about an earlier attempt comes too late: money that was paid under it is called back at the bank.";
    InstructionEnded = 413, "instruction-ended", false, "The window is closed, and no instruction of it is open under this id: it ended long ago, or never was.", "Ask `settlement_instruction`, which knows every instruction for ever, and compare.";
    GatewayPresent = 414, "gateway-present", true, "The paying gateway is neither suspended nor removed, and has not been silent for long enough.", "Wait until the due time and the chain's `step_in_ms` are past.";
    InstructionNotArrived = 415, "instruction-not-arrived", false, "The instruction has not arrived, so that nothing can come back.", "Attest its failure.";
    BouncePeriodOver = 416, "bounce-period-over", false, "The instruction arrived too long ago.", "Return its orders, or settle outside.";
    BounceFundsMissing = 417, "bounce-funds-missing", true, "The paying gateway does not have the money that came back.", "Deposit liquidity; then send a new batch with the same word.";
    RecallMissing = 418, "recall-missing", false, "Nobody recalled the instruction.", "Give the reason for which it could not be paid.";
    ReportMismatch = 430, "report-mismatch", false, "The digest is not that of the window's report.", "Read the report and its digest with `settlement_window`, hold them against what the banks moved, and sign that digest.";
    SettlementOpen = 431, "settlement-open", true, "Another settlement of the window waits for its checker.", "Ask `settlement_window`: have that one approved or refused first, or wait until its time is over.";
    SettlementUnknown = 432, "settlement-unknown", true, "No settlement of the window waits for a checker.", "Ask `settlement_window`: a window that is not settled is proposed first; one whose proposal's time is over is proposed anew.";
    SettlementRefused = 433, "settlement-refused", false, "The settlement was refused by a checker.", "Ask `settlement_window`; what the banks did move is proposed anew.";
    ReportsTooMany = 434, "reports-too-many", true, "The block has read as many positions of reports as a block may.", "Send the same again: the next block has room.";
    SettlementGaps = 435, "settlement-gaps", true, "Settled windows would stand in more than 1,000 runs with unsettled ones between them.", "Settle the oldest unsettled windows first: that is always accepted.";
    SettlementsTooMany = 436, "settlements-too-many", true, "1,000 settlements wait for their checkers.", "Have some of them decided first.";
    TransferConflict = 500, "transfer-conflict", false, "A transfer with this id and other content exists.", "Ask `ledger_transfer` first: it shows what was proposed under this id. Only another transfer takes a new id.";
    TransferUnknown = 501, "transfer-unknown", true, "No transfer with this id is known.", "Ask `ledger_transfer`: it knows every transfer for ever. Check the id.";
    TransferDecided = 502, "transfer-decided", false, "The transfer is already decided otherwise, or its time is over.", "Ask `ledger_transfer` first: only what it calls refused or expired is proposed anew.";
    MakerIsChecker = 503, "maker-is-checker", false, "Whoever proposed a transfer or settlement may not decide it, and nobody of the same legal entity.", "Let a participant of another legal entity decide it.";
    AccountUnsuited = 504, "account-unsuited", false, "The account's kind cannot be used so, or its owner is not registered for it.", "Name a gateway's liquidity, an FX provider's position or a merchant's cashback pool; of a party that has the role no longer, an account whose balance is not zero, and no cap.";
    FundsMissing = 505, "funds-missing", false, "The withdrawal is more than the balance that is free.", "Withdraw less; a net debit cap cannot be withdrawn.";
    CapBelowUse = 506, "cap-below-use", true, "The account already uses more than the new cap.", "Deposit first, or choose a higher cap.";
    ActionUnknown = 507, "action-unknown", false, "The action is not one that this operation knows.", "Use an action from docs/wire-format.md.";
    DecisionMismatch = 508, "decision-mismatch", false, "The decision names another content than what was proposed.", "Read what was proposed, then sign exactly that.";
    UnsettledFunds = 511, "unsettled-funds", true, "The withdrawal is more than what is settled: the rest is owed by other parties' banks in windows that are not settled.", "Withdraw at most the settled balance that `ledger_account` shows; what windows are settled with is paid outside.";
    LineAccountUnsuited = 512, "line-account-unsuited", false, "The line is on no account of the submitter's.", "A gateway gives lines on its liquidity, an FX provider on its position.";
    LineHolderUnsuited = 513, "line-holder-unsuited", false, "The participant who shall reserve is not registered for it, or is the submitter itself.", "Name a recharge service; of a position, a gateway is possible too. Nobody needs a line on its own account.";
    LinesTooMany = 514, "lines-too-many", true, "The submitter has given as many lines as one participant may.", "End lines that are not needed: `ledger_lines` shows them. One that is ended counts until nothing is reserved under it.";
    PairInvalid = 600, "pair-invalid", false, "The pair is not two different currencies of the chain.", "Name two different currencies that the chain accepts.";
    RateOutOfBounds = 601, "rate-out-of-bounds", false, "The rate is not between 10^-9 and 10^9 with a scale of at most 15.", "Check mantissa and scale.";
    RateNotNewer = 602, "rate-not-newer", false, "The provider has published a rate of the same or a later time for this pair.", "Nothing needs to be done if it is the same rate; otherwise publish with a later observation time.";
    RateUntimely = 603, "rate-untimely", false, "The rate was observed too long ago, or lies in the future.", "Check the clock; publish rates as they are observed.";
    QuoteConflict = 604, "quote-conflict", false, "A quote with this id and other content exists.", "Ask `fx_quote` first: it shows what was quoted under this id. Only another quote takes a new id.";
    QuoteIdForeign = 605, "quote-id-foreign", false, "The upper 32 bits of the quote's id are not the provider's id.", "Make ids of the provider's own range.";
    QuoteValidityInvalid = 606, "quote-validity-invalid", false, "The quote's valid-until time is over, or too far ahead.", "Choose a time within the chain's bound.";
    PolicyScopeUnknown = 700, "policy-scope-unknown", false, "The scope is not known, or its subject is not registered.", "Name the scheme with subject zero, a gateway or a merchant.";
    PolicyLimitUnsuited = 701, "policy-limit-unsuited", false, "The policy sets a limit that its scope does not have.", "Set users' days for the scheme, other days for a gateway or merchant.";
    ProposalConflict = 800, "proposal-conflict", false, "A proposal with this id and other content exists.", "Ask `governance_proposal` first: it shows what was proposed under this id. Only another proposal takes a new id.";
    ProposalUnknown = 801, "proposal-unknown", true, "No proposal with this id is known.", "Ask `governance_proposal`; check the id.";
    ProposalClosed = 802, "proposal-closed", false, "The proposal is effective, refused, failed or expired.", "Ask `governance_proposal` first: only what it calls refused, failed or expired is proposed anew.";
    ChangeMalformed = 803, "change-malformed", false, "The bytes are no change, or none that a list may hold.", "Encode it as docs/wire-format.md says.";
    ActivationTooEarly = 804, "activation-too-early", false, "The activation height is nearer than the notice that the chain demands.", "Choose a later height.";
    ValidatorsTooFew = 805, "validators-too-few", false, "Fewer than four validators would be left.", "Add a validator first.";
    QuorumUnreachable = 806, "quorum-unreachable", false, "Operators of too few legal entities would be left to approve anything, or one validator alone could stop the chain.", "Add an operator of another legal entity, or spread the power, first.";
    ChangeInvalid = 807, "change-invalid", false, "The change names what does not exist, or is out of its bounds.", "Check ids, roles, keys and bounds as for a genesis file.";
    KeyInUse = 808, "key-in-use", false, "The key is somebody's, or was and is withdrawn.", "Make a key of its own for each use.";
    ParameterFixed = 809, "parameter-fixed", false, "This parameter never changes: what nodes remember of recent orders rests on it.", "Leave it.";
    ApprovalsMissing = 810, "approvals-missing", false, "When the change was to take effect, operators of too few legal entities approved it, or of as many refused it: those count who were operators then.", "Ask `governance_proposal` whose words it had; propose it anew.";
    RolesJoined = 811, "roles-joined", false, "A settlement operator or agent would be a gateway, an FX provider or a merchant registrar as well.", "Register another participant for the other role.";
    ProposalTooOld = 812, "proposal-too-old", false, "No block knows a proposal of so old an id any more: whether there was one, and what became of it, this code does not say.", "Ask `governance_proposal`: it knows every proposal for ever.";
    ListIncomplete = 813, "list-incomplete", false, "Another change of the batch is none that a list may hold: a list is kept whole or not at all.", "Mend what was refused with 201 or 803, and send the whole list again.";
    ListsFull = 814, "lists-full", false, "As many lists are kept as may be: 8 of one operator, 32 of all.", "Send the list again when a proposal of another one is decided.";
    ListUnknown = 815, "list-unknown", false, "No list of this digest and count, given by the proposal's maker, waits for a proposal.", "Send the list first; a proposal uses it up, also one whose changes do not hold.";
    RegistrarUnlimited = 816, "registrar-unlimited", false, "Governance has set no limits for this registrar, or the gateway that it registers for is suspended or is none any more.", "Ask the operators for limits, `governance_registrars` shows them; then send it again.";
    MerchantOfAnother = 817, "merchant-of-another", false, "The merchant is paid by another gateway than the registrar's, or would be.", "Let that gateway's registrar say it, or let governance move the merchant.";
    RegistrarDayExceeded = 818, "registrar-day-exceeded", false, "The registrar has added, or changed, as many merchants of this day as governance lets it.", "Send it again on the next day of the chain, or ask the operators for a higher limit.";
}
