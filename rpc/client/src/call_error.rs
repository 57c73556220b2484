//! The ways in which a call does not succeed, and what follows from each: docs/client-recovery.md,
//! *For programs*.

use std::time::Duration;

use chain_types::Rejection;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_http_client::transport::Error as TransportError;
use rpc_api::error::api_error_after;
use rpc_api::{ApiError, ErrorData, api_error};

/// How long to pause before a node that refused for now, or all that were out of reach, are
/// tried again, unless a node says otherwise.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that a node may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Errors that say nothing of what was asked: nobody who knows could be reached, or it may be done
/// all the same. The last two are JSON-RPC's, of a server that failed and of too large an answer.
const FATE_OPEN: [i32; 15] = [
    ApiError::WaitTimeout.code(),
    ApiError::NodeStarting.code(),
    ApiError::InternalFault.code(),
    ApiError::BudgetExceeded.code(),
    ApiError::BodyTimeout.code(),
    ApiError::NodeBusy.code(),
    ApiError::CallTimeout.code(),
    ApiError::NodeBehind.code(),
    ApiError::TokenMissing.code(),
    ApiError::TokenRefused.code(),
    ApiError::TokenExpired.code(),
    ApiError::TokenRevoked.code(),
    ApiError::ScopeLacking.code(),
    -32603,
    -32008,
];
/// When to try again after a refusal by status, whose answer the client does not show.
const STATUS_RETRY_MS: u64 = 1_000;
/// The problem of an answer that is not of the interface's form.
const NOT_UNDERSTOOD: &str = "what came is not an answer of a node of this version; check the URL \
                              and the node's version";

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The node, or the chain through it, refused.
    #[error("{message} (code {code}){remedy}")]
    Refused {
        /// A rejection's or the interface's own code.
        code: i32,
        /// The stable name of the code; empty if the node sent none.
        name: String,
        /// The cause, as the node states it.
        message: String,
        /// The remedy, after a colon; empty when none is known.
        remedy: String,
        /// True if the same call may succeed later.
        transient: bool,
        /// When to try again, if the node can tell.
        retry_after_ms: Option<u64>,
    },
    /// The node could not be reached, or its answer not be read.
    #[error("{url} does not answer: {problem}")]
    Unreachable {
        /// The URL of the node.
        url: String,
        /// The failure of the connection or the answer.
        problem: String,
    },
    /// The time was over; what became of the call is not known.
    #[error("no final answer within {waited_ms} ms; last: {last}")]
    Timeout {
        /// How long it was tried.
        waited_ms: u64,
        /// The problem of the last attempt.
        last: String,
    },
}

impl CallError {
    /// The node or the chain said no, and nothing was done. Of every other error nobody knows yet
    /// what became of the call.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if !FATE_OPEN.contains(code))
    }

    /// The error of a call to the node at `url`.
    pub fn new(url: &str, error: ClientError) -> Self {
        match refusal_by_status(error) {
            ClientError::Call(object) => {
                let data = ErrorData::of(&object);
                let transient = data.as_ref().is_some_and(|data| data.transient);
                Self::Refused {
                    code: object.code(),
                    name: data.as_ref().map_or_else(String::new, |data| data.name.clone()),
                    message: object.message().to_owned(),
                    remedy: data
                        .as_ref()
                        .map_or_else(String::new, |data| format!(": {}", data.remedy)),
                    transient,
                    retry_after_ms: data.and_then(|data| data.retry_after_ms),
                }
            }
            ClientError::ParseError(error) => {
                tracing::debug!(url, %error, "answer not understood");
                Self::Unreachable { url: url.to_owned(), problem: NOT_UNDERSTOOD.to_owned() }
            }
            other => Self::Unreachable { url: url.to_owned(), problem: in_one_line(&other) },
        }
    }

    /// Decides how a submission goes on after this error.
    pub(crate) fn next(&self) -> Next {
        match self {
            Self::Unreachable { .. } => Next::OtherNode { after: PAUSE },
            Self::Refused { code, .. } if *code == ApiError::WaitTimeout.code() => {
                Next::SameNode { after: Duration::ZERO }
            }
            // All nodes enforce one share: another would say the same, and have the work of it.
            Self::Refused { code, transient: true, retry_after_ms, .. }
                if *code == i32::from(Rejection::PoolFull.code()) =>
            {
                Next::SameNode { after: pause(*retry_after_ms) }
            }
            Self::Refused { transient: true, retry_after_ms, .. } => {
                Next::OtherNode { after: pause(*retry_after_ms) }
            }
            Self::Refused { .. } | Self::Timeout { .. } => Next::Stop,
        }
    }
}

/// The pause that a node asks for, within bounds.
fn pause(retry_after_ms: Option<u64>) -> Duration {
    retry_after_ms.map_or(PAUSE, Duration::from_millis).min(PAUSE_MAX)
}

/// An error and its causes. Some repeat their source in their own words; it is said once.
fn in_one_line(error: &ClientError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Makes an error like any other of a refusal by HTTP's status alone, such as a proxy's.
fn refusal_by_status(error: ClientError) -> ClientError {
    let refusal = match rejected_status(&error) {
        Some(429) => ApiError::BudgetExceeded,
        Some(503) => ApiError::NodeBusy,
        Some(401) => return ClientError::Call(api_error(ApiError::TokenRefused, "")),
        Some(403) => return ClientError::Call(api_error(ApiError::ScopeLacking, "")),
        _ => return error,
    };
    ClientError::Call(api_error_after(refusal, "", Some(STATUS_RETRY_MS)))
}

fn rejected_status(error: &ClientError) -> Option<u16> {
    let ClientError::Transport(inner) = error else { return None };
    if let Some(nested) = inner.downcast_ref::<ClientError>() {
        return rejected_status(nested);
    }
    match inner.downcast_ref::<TransportError>()? {
        TransportError::Rejected { status_code } => Some(*status_code),
        _ => None,
    }
}

/// The next step of a submission that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the same node on: at once when it waits and has not said anything yet, after a pause
    /// when it takes the batch later.
    SameNode { after: Duration },
    /// Try another; once all were tried, after a pause.
    OtherNode { after: Duration },
    /// Stop: the answer stands.
    Stop,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chain_types::BatchError;
    use rpc_api::BatchReport;

    use super::*;

    fn refused(rejection: Rejection, retry_after_ms: Option<u64>) -> CallError {
        let error = BatchError::new(rejection, "(detail)");
        CallError::new(
            "http://a",
            ClientError::Call(rpc_api::rejection_error(&error, retry_after_ms)),
        )
    }

    #[test]
    fn an_answer_of_another_form_is_said_in_words_of_the_interface() {
        let error = serde_json::from_str::<BatchReport>("5").unwrap_err();
        let error = CallError::new("http://a", ClientError::ParseError(error)).to_string();
        let start = "http://a does not answer: what came is not an answer of a node";
        assert!(error.starts_with(start) && !error.contains("struct"), "{error}");
    }

    #[test]
    fn what_follows_from_an_error() {
        let other = |milliseconds| Next::OtherNode { after: Duration::from_millis(milliseconds) };
        assert_eq!(refused(Rejection::SignatureInvalid, None).next(), Next::Stop);
        assert_eq!(refused(Rejection::NotReady, Some(700)).next(), other(700));
        // A node does not make its clients sleep for ever.
        assert_eq!(refused(Rejection::NotReady, Some(86_400_000)).next(), other(5_000));
        let error = ClientError::Call(rpc_api::api_error(ApiError::WaitTimeout, ""));
        let at_once = Next::SameNode { after: Duration::ZERO };
        assert_eq!(CallError::new("http://a", error).next(), at_once);
        // A share is the same at every node.
        let later = Next::SameNode { after: Duration::from_millis(700) };
        assert_eq!(refused(Rejection::PoolFull, Some(700)).next(), later);
        // Without a time these bytes are never taken.
        assert_eq!(refused(Rejection::PoolFull, None).next(), Next::Stop);
        assert_eq!(CallError::new("http://a", ClientError::RequestTimeout).next(), other(200));
        let behind = ClientError::Call(rpc_api::api_error(ApiError::NodeBehind, ""));
        assert_eq!(CallError::new("http://a", behind).next(), other(200));
    }

    #[test]
    fn refusals_are_told_from_silence() {
        assert!(refused(Rejection::SignatureInvalid, None).is_refusal());
        let behind = ClientError::Call(rpc_api::api_error(ApiError::NodeBehind, ""));
        for silence in [ClientError::RequestTimeout, behind] {
            assert!(!CallError::new("http://a", silence).is_refusal());
        }
        // What was asked may be done all the same: it is not refused.
        for code in [-32603, -32008] {
            let error = jsonrpsee::types::ErrorObjectOwned::owned::<()>(code, "failed", None);
            assert!(!CallError::new("http://a", ClientError::Call(error)).is_refusal(), "{code}");
        }
    }

    #[test]
    fn a_refusal_says_code_cause_and_remedy() {
        let text = refused(Rejection::SignatureInvalid, None).to_string();
        let code = format!("(code {})", Rejection::SignatureInvalid.code());
        assert!(text.contains(&code), "{text}");
        assert!(text.contains(Rejection::SignatureInvalid.cause()), "{text}");
        assert!(text.contains(Rejection::SignatureInvalid.remedy()), "{text}");
        assert!(text.contains("(detail)"), "{text}");
    }
}
