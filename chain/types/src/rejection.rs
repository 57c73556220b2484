//! Why something was refused: a closed set of stable codes. A number, once published, keeps its
//! meaning; `docs/rejections.md` says the same to integrators, and a test holds the two together.

use bincode::{Decode, Encode};

/// What became of one item, as the block that holds it says: two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Outcome(pub u16);

impl Outcome {
    /// The item was applied to the books.
    pub const APPLIED: Self = Self(0);
    /// The same content was seen before; what was said then stands.
    pub const REPEATED: Self = Self(1);

    /// Whether the item itself changed the books.
    pub const fn is_applied(self) -> bool {
        self.0 == Self::APPLIED.0
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

macro_rules! rejections {
    ($($variant:ident = $code:literal, $name:literal, $transient:literal, $cause:literal, $remedy:literal;)*) => {
        /// Why a batch or an item was refused, in order of precedence within each hundred.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Rejection {
            $(#[doc = $cause] $variant = $code,)*
        }

        impl Rejection {
            /// Every rejection, ascending by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The rejection of a code.
            pub fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The stable number.
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// The stable name, in the form that JSON uses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether the same bytes may be accepted later.
            pub const fn is_transient(self) -> bool {
                match self { $(Self::$variant => $transient,)* }
            }

            /// What was wrong, in a sentence.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause,)* }
            }

            /// What to do about it, in a sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

rejections! {
    Truncated = 100, "truncated", false, "The batch ends before its header, signature or items do.", "Send header, signature and exactly `count` items.";
    TrailingBytes = 101, "trailing-bytes", false, "Bytes follow the last item of the batch.", "Send exactly `count` items; nothing after them.";
    BatchTooLarge = 102, "batch-too-large", false, "The batch is larger than 8,192 items of its kind can be.", "Split it.";
    VersionUnsupported = 103, "version-unsupported", false, "The batch header's version is not one this chain executes.", "Use version 1.";
    KindUnknown = 104, "kind-unknown", false, "The batch header's kind is not known.", "Use a kind from docs/wire-format.md.";
    CountOutOfBounds = 105, "count-out-of-bounds", false, "A batch holds 1 to 8,192 items.", "Send at least one item and at most 8,192.";
    RootMismatch = 106, "root-mismatch", false, "The Merkle root in the header is not that of the items.", "Compute the root over the items in the order sent.";
    WrongChain = 107, "wrong-chain", false, "The batch is bound to another chain id.", "Use the chain id of this network's genesis file.";
    SubmitterUnknown = 108, "submitter-unknown", false, "The submitter is not a registered participant.", "Check the participant id; ask the operators to register it.";
    SignatureInvalid = 109, "signature-invalid", false, "The signature is not the submitter's over the batch id.", "Sign the batch id with the registered ed25519 key.";
    SubmitterSuspended = 110, "submitter-suspended", false, "The submitter is suspended.", "Ask the operators why.";
    RoleMissing = 111, "role-missing", false, "The submitter's roles do not allow this kind of batch.", "Submit it by a participant who has the role.";
    BatchExpired = 112, "batch-expired", false, "Block time is past the batch's valid-until time.", "Sign a new batch; the orders keep their ids.";
    BatchValidTooLong = 113, "batch-valid-too-long", false, "The valid-until time lies further ahead than order skew plus validity.", "Choose an earlier valid-until time.";
    BatchRepeated = 114, "batch-repeated", false, "This batch is already in the chain.", "Ask for its outcomes; nothing needs to be sent again.";
    PoolFull = 115, "pool-full", true, "The node holds as many waiting batches as it is configured for.", "Send it again after `retry_after_ms`.";
    NotReady = 116, "not-ready", true, "The node is starting, catching up or stopping.", "Send it again later or to another node.";
    OrderIdInvalid = 200, "order-id-invalid", false, "The order id is not a UUIDv7.", "Make ids as RFC 9562 section 5.7 says.";
    SpareNotZero = 201, "spare-not-zero", false, "Spare bytes of the item are not zero.", "Set them to zero.";
    FlagsUnknown = 202, "flags-unknown", false, "The item's flags hold a bit without a meaning.", "Set only flags from docs/wire-format.md.";
    OrderIdExpired = 203, "order-id-expired", false, "Block time is past the order id's time plus the validity.", "The order can never commit; make a new order with a new id.";
    OrderIdEarly = 204, "order-id-early", true, "The order id's time lies ahead of block time by more than the skew.", "Check the clock that makes the ids.";
    OrderConflict = 205, "order-conflict", false, "An order with this id and other content exists.", "Make a new id for a new order; never reuse one.";
    AmountZero = 206, "amount-zero", false, "The amount is zero.", "Send a positive amount in minor units.";
    AmountTooLarge = 207, "amount-too-large", false, "The amount is above the chain's limit for one order.", "Split it, or ask the operators for a higher limit.";
    CurrencyUnsupported = 208, "currency-unsupported", false, "The chain does not accept this currency.", "Use one of the chain's currencies.";
    ConversionUnavailable = 209, "conversion-unavailable", false, "The order asks for a conversion (another payout currency, a quote or a payout minimum), and none is offered.", "Pay out in the currency collected, with quote and minimum zero.";
    MerchantUnknown = 210, "merchant-unknown", false, "The merchant is not registered.", "Check the merchant id.";
    MerchantSuspended = 211, "merchant-suspended", false, "The merchant is suspended.", "Ask the operators why.";
    GatewayUnknown = 212, "gateway-unknown", false, "The collecting gateway is not a registered gateway.", "Check the participant id.";
    GatewaySuspended = 213, "gateway-suspended", false, "The collecting or the paying gateway is suspended.", "Use another gateway.";
    NotCollectingGateway = 214, "not-collecting-gateway", false, "Only the order's collecting gateway may say that it was collected.", "Let the collecting gateway submit it.";
    LiquidityExceeded = 215, "liquidity-exceeded", false, "The amount would take the collecting gateway below its net debit cap.", "Deposit liquidity, wait for arrivals, or use another gateway; then make a new order.";
    AccountOverflow = 216, "account-overflow", false, "An account's counter would pass its largest value.", "Tell the operators.";
    OrderUnknown = 300, "order-unknown", true, "No order with this id is reserved or within its validity.", "Check the id; an order past its validity is final.";
    OrderRejected = 301, "order-rejected", false, "The order was rejected and never entered the books.", "Ask for the order's outcome.";
    OrderCollected = 302, "order-collected", false, "The order is already collected.", "Nothing needs to be done; to give the money back, use a return.";
    OrderVoided = 303, "order-voided", false, "The order is voided.", "Make a new order.";
    OrderExpired = 304, "order-expired", false, "The order's reservation expired.", "Make a new order.";
    NotOrderParty = 305, "not-order-party", false, "Only the order's submitter or collecting gateway may void it.", "Let one of them submit it.";
    ReasonUnknown = 306, "reason-unknown", false, "The reason is not one that this operation knows.", "Use a reason from docs/wire-format.md.";
    InstructionUnknown = 400, "instruction-unknown", true, "No instruction for this window, merchant and currency exists.", "Check the instruction's id; its window may still be open.";
    NotPayingGateway = 401, "not-paying-gateway", false, "Only the instruction's paying gateway may attest to it.", "Let the paying gateway submit it.";
    AmountMismatch = 402, "amount-mismatch", false, "An arrival is for exactly the instruction's amount.", "Attest the full amount once all of it is credited.";
    InstructionArrived = 403, "instruction-arrived", false, "The instruction's arrival is already recorded with other content.", "Ask for the instruction.";
    InstructionFailed = 404, "instruction-failed", false, "The instruction is already recorded as failed with other content.", "Ask for the instruction.";
}
