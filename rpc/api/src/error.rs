//! Every error a client can get, in one place. Three ranges of codes:
//! - 100 to 999: the chain's rejections ([`chain_types::Rejection`]), by their own numbers;
//! - 1000 and up: the interface's own ([`ApiError`]);
//! - below zero: JSON-RPC 2.0's and its transport's ([`PROTOCOL_ERRORS`]).
//!
//! The first two carry [`ErrorData`] as `data`, and of the third -32602, which names a parameter.

use chain_types::{BatchError, Rejection};
use jsonrpsee::types::error::INVALID_PARAMS_CODE;
use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

chain_types::coded_errors! {
    /// The refusals of the interface itself, with stable codes: JSON-RPC's `code`.
    ApiError: i32;

    InvalidBase64 = 1000, "invalid-base64", false, "The text is not base64.", "Encode the bytes by RFC 4648, section 4: with padding, without line breaks.";
    BadCursor = 1001, "bad-cursor", false, "This list never gave this cursor.", "Pass the `next` of a page or the `cursor` of an event unchanged; leave it out to begin.";
    LimitOutOfBounds = 1002, "limit-out-of-bounds", false, "The limit is outside of 1 to 1,000 items.", "Ask for at least 1 and at most 1,000 items.";
    NotFound = 1003, "not-found", true, "This node knows nothing by this name or id.", "Check the name. The node may be behind: see `node_status`. Whether an order may still come, `recharge_order` says.";
    IdMalformed = 1004, "id-malformed", false, "The text is not an id of the kind that the method takes.", "Write the id in the form that the detail shows.";
    WaitTimeout = 1005, "wait-timeout", true, "The batch was not final when the wait ended; its fate is open.", "Ask `batch_status`, or send the same bytes again: they never settle twice.";
    NodeStarting = 1006, "node-starting", true, "The node is starting and cannot answer yet.", "Ask again later, or ask another node; send a batch again with the same bytes.";
    TooManySubscriptions = 1007, "too-many-subscriptions", true, "The node holds as many subscriptions as its operator allows.", "End a subscription, or use another node.";
    InternalFault = 1008, "internal-fault", true, "The node failed to do this; its log says why.", "Ask again or ask another node, with the same bytes; tell the node's operator.";
    JsonTooDeep = 1009, "json-too-deep", false, "The JSON is nested more than 64 levels deep.", "Nest it less deeply: no call needs more than three levels.";
    BudgetExceeded = 1010, "budget-exceeded", true, "This address made more calls than its budget allows.", "Send the same bytes again after `retry_after_ms`, and call less often.";
    FilterMalformed = 1011, "filter-malformed", false, "The filter has no field, or several.", "Give exactly one of `window` and `gateway`.";
    TimeoutOutOfBounds = 1012, "timeout-out-of-bounds", false, "The wait is zero, or longer than this node allows.", "Give a `timeout_ms` within the bound that the detail shows.";
    BodyTooLarge = 1013, "body-too-large", false, "The request is larger than this node accepts.", "Split the batch; its orders keep their ids. A batch of 8,192 orders fits.";
    BodyTimeout = 1014, "body-timeout", true, "The request did not arrive in time.", "Send the same bytes again at once, over a faster link.";
    NodeBusy = 1015, "node-busy", true, "The node holds as many requests as it can; a batch among them may have been taken.", "Send the same bytes again after `retry_after_ms`, or send them to another node: they never settle twice.";
    CallTimeout = 1016, "call-timeout", true, "The node did not answer in time; what the call asked for may be done.", "Ask again or ask another node, with the same bytes.";
    BatchDropped = 1017, "batch-dropped", false, "The batch left the node's pool before a block took it: its valid-until time passed.", "Ask `batch_status`; then sign a new batch of the same orders: they keep their ids.";
    WindowOpen = 1018, "window-open", true, "The window is still open: its report is made when it closes.", "Ask again once it has closed: `settlement_window` then gives `closed_ms`.";
    ProofNotKept = 1019, "proof-not-kept", false, "This node's index was made by an earlier version, which did not keep what the proof needs.", "Ask another node. This node's operator may move `index/` away: the node makes it again from the blocks.";
    NodeBehind = 1020, "node-behind", true, "The node is behind or cut off from the others: what it does not find may be final elsewhere.", "Ask another node; `node_status` says what this node lacks.";
    TokenMissing = 1030, "token-missing", false, "The method needs a token, and the call has none.", "Ask the node's operator for a token; send it as `Authorization: Bearer`, or as a WebSocket's second sub-protocol.";
    TokenRefused = 1031, "token-refused", false, "The node knows no such token.", "Check that the token is whole and is one of this node; else ask the node's operator for a new one.";
    TokenExpired = 1032, "token-expired", false, "The token's time has passed.", "Ask the node's operator for a new token.";
    TokenRevoked = 1033, "token-revoked", false, "The node's operator has revoked the token.", "Ask the node's operator for a new token.";
    ScopeLacking = 1034, "scope-lacking", false, "The token's scopes do not include this method.", "Ask the node's operator for a token with one of the scopes that the detail names.";
    TokenInUrl = 1035, "token-in-url", false, "The URL has a token, and URLs are written to logs.", "Have the token revoked; send the new one as `Authorization: Bearer`, or as a WebSocket's second sub-protocol.";
    RowForeign = 1036, "row-foreign", false, "The row names none of the token's parties.", "Ask for rows of your own parties, or ask the node's operator for a token that names the party.";
    ProofTooLarge = 1040, "proof-too-large", false, "The receipt or proof would be larger than any verifier accepts.", "Ask with `lineage_apart`, and verify with the lineage of `chain_lineage`. If it is still too large, replay the chain.";
}

impl ApiError {
    /// The refusals of a token that does not hold, or is not there.
    pub const OF_TOKENS: [Self; 4] =
        [Self::TokenMissing, Self::TokenRefused, Self::TokenExpired, Self::TokenRevoked];

    /// The errors that every method may give beside those of its row, ascending by code.
    pub const OF_ANY_METHOD: &'static [Self] = &[
        Self::NodeStarting,
        Self::InternalFault,
        Self::JsonTooDeep,
        Self::BudgetExceeded,
        Self::BodyTooLarge,
        Self::BodyTimeout,
        Self::NodeBusy,
        Self::CallTimeout,
        Self::TokenMissing,
        Self::TokenRefused,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::ScopeLacking,
        Self::TokenInUrl,
        Self::RowForeign,
    ];
}

/// A JSON-RPC 2.0 or transport error: code, cause and remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtocolError {
    /// The number, as JSON-RPC's `code`.
    pub code: i32,
    /// The cause in one sentence.
    pub cause: &'static str,
    /// The remedy in one sentence.
    pub remedy: &'static str,
}

const PARAMETERS_CAUSE: &str =
    "A parameter is unknown, one too many, given twice, missing or of the wrong form.";
const PARAMETERS_REMEDY: &str =
    "Give the method's parameters, each in its own form; `data` names the first wrong one.";

/// The errors below zero that a client can get.
pub const PROTOCOL_ERRORS: &[ProtocolError] = &[
    ProtocolError {
        code: -32700,
        cause: "The body is not JSON.",
        remedy: "Send one JSON-RPC 2.0 request or a list of them.",
    },
    ProtocolError {
        code: -32600,
        cause: "The JSON is not a JSON-RPC 2.0 request; the message names the wrong member.",
        remedy: "Give `jsonrpc`, `id`, `method` and `params`.",
    },
    ProtocolError {
        code: -32601,
        cause: "No method has this name.",
        remedy: "Check the name against the interface's reference.",
    },
    ProtocolError { code: -32602, cause: PARAMETERS_CAUSE, remedy: PARAMETERS_REMEDY },
    ProtocolError {
        code: -32603,
        cause: "The server failed; or the method is a subscription, and was called over HTTP or in a list.",
        remedy: "Subscribe over WebSocket, outside of a list; otherwise send the same bytes again, here or to another node.",
    },
    ProtocolError {
        code: -32006,
        cause: "The connection holds as many subscriptions as a connection may.",
        remedy: "End a subscription, or open another connection.",
    },
    ProtocolError {
        code: -32008,
        cause: "The response would be larger than this node sends; what the call asked for is done.",
        remedy: "Ask for a smaller page; for a batch, ask `batch_status` without `with_codes`.",
    },
    ProtocolError {
        code: -32010,
        cause: "The list of requests is longer than this node accepts.",
        remedy: "Send at most 32 requests in one list.",
    },
    ProtocolError {
        code: -32011,
        cause: "The responses to the list of requests would be larger than this node sends.",
        remedy: "Send fewer requests in one list; what these asked for is done.",
    },
];

/// The `data` of an error with a positive code, and of -32602.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorData {
    /// The stable name of the code.
    pub name: String,
    /// The cause in one sentence.
    pub cause: String,
    /// The remedy in one sentence: what the caller does next.
    pub remedy: String,
    /// The values that were wrong; may be empty.
    pub detail: String,
    /// True if the same call may succeed later.
    pub transient: bool,
    /// True if a new order with a new id may take the place of one that got this. Where it is
    /// false, the order may be in the books, or may still come there: ask `recharge_order` first.
    #[serde(default)]
    pub new_id_is_safe: bool,
    /// After how many milliseconds to try again, if the node can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorData {
    /// The data of an error that a client got, if it has any.
    pub fn of(error: &ErrorObject<'_>) -> Option<Self> {
        serde_json::from_str(error.data()?.get()).ok()
    }

    /// The data of the interface's own error, without a detail.
    pub(crate) fn of_api(error: ApiError) -> Self {
        Self {
            name: error.name().to_owned(),
            cause: error.cause().to_owned(),
            remedy: error.remedy().to_owned(),
            detail: String::new(),
            transient: error.is_transient(),
            // What the interface refuses says nothing of the chain.
            new_id_is_safe: false,
            retry_after_ms: None,
        }
    }

    /// The data of a rejection, without a detail.
    pub(crate) fn of_rejection(rejection: Rejection) -> Self {
        Self {
            name: rejection.name().to_owned(),
            cause: rejection.cause().to_owned(),
            remedy: rejection.remedy().to_owned(),
            detail: String::new(),
            transient: rejection.is_transient(),
            new_id_is_safe: rejection.new_id_is_safe(),
            retry_after_ms: None,
        }
    }

    /// The data of a call whose parameters are wrong; `name` is as [`parameter_error`] says.
    pub(crate) fn of_parameters(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            cause: PARAMETERS_CAUSE.to_owned(),
            remedy: PARAMETERS_REMEDY.to_owned(),
            detail: String::new(),
            transient: false,
            new_id_is_safe: false,
            retry_after_ms: None,
        }
    }

    /// The code's message: the name, the cause and the detail.
    pub(crate) fn message(&self) -> String {
        let mut message = format!("{}: {}", self.name, self.cause);
        if !self.detail.is_empty() {
            message.push(' ');
            message.push_str(&self.detail);
        }
        message
    }

    fn into_error(self, code: i32) -> ErrorObjectOwned {
        ErrorObject::owned(code, self.message(), Some(self))
    }
}

/// The interface's own error with the values that were wrong.
pub fn api_error(error: ApiError, detail: impl Into<String>) -> ErrorObjectOwned {
    api_error_after(error, detail, None)
}

/// The interface's own error, with when to try again.
pub fn api_error_after(
    error: ApiError,
    detail: impl Into<String>,
    retry_after_ms: Option<u64>,
) -> ErrorObjectOwned {
    let data = ErrorData { detail: detail.into(), retry_after_ms, ..ErrorData::of_api(error) };
    data.into_error(error.code())
}

/// A batch's rejection; `retry_after_ms` for those that pass. A rejection of a passing kind without
/// a time is one that will not pass for these bytes.
pub fn rejection_error(error: &BatchError, retry_after_ms: Option<u64>) -> ErrorObjectOwned {
    let rejection = error.rejection;
    let data = ErrorData {
        detail: error.detail.clone(),
        transient: rejection.is_transient() && retry_after_ms.is_some(),
        retry_after_ms,
        ..ErrorData::of_rejection(rejection)
    };
    data.into_error(i32::from(rejection.code()))
}

/// A JSON-RPC error -32602 that says which parameter was wrong and how: `name` is one of
/// `parameter-unknown`, `parameter-repeated`, `parameter-missing` and `parameter-malformed`.
pub(crate) fn parameter_error(name: &str, detail: &str) -> ErrorObjectOwned {
    let data = ErrorData { detail: detail.to_owned(), ..ErrorData::of_parameters(name) };
    data.into_error(INVALID_PARAMS_CODE)
}

/// A client's text as an error shows it: at most `letters_max` letters, quoted as in JSON.
pub fn quoted(text: &str, letters_max: usize) -> String {
    let shown: String = text.chars().take(letters_max).collect();
    serde_json::Value::String(shown).to_string()
}
