//! Why a call is not answered: what its client is told with a code, and faults of the node's own,
//! which keep their source.

use std::error::Error;

use chain_store::StoreFault;
use chain_types::{BatchError, BatchId, Height, ProofTooLarge, WindowId};
use jsonrpsee::types::ErrorObjectOwned;
use node_home::archive::ReadFault;
use rpc_api::{ApiError, api_error, rejection_error};
use rpc_server::Seldom;
use tokio::task::JoinError;

/// The result of a read.
pub type Read<T> = Result<T, AnswerFault>;

/// Why a call is not answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerFault {
    /// An error for the client: it asked for what there is not, or what cannot be had now.
    #[error("{}", .0.message())]
    Told(ErrorObjectOwned),
    /// The store could not be read.
    #[error("the store could not be read")]
    Store(#[from] StoreFault),
    /// Something that an index names could not be read.
    #[error("the chain could not be read")]
    Read(#[source] ReadFault),
    /// The state has moved and the store has not, for longer than a block takes.
    #[error("the store has not come to height {0} with the state")]
    StoreBehind(Height),
    /// A block that the index names is not there.
    #[error("block {0} is not in the store")]
    NoBlock(Height),
    /// The driver is gone, and answers no more.
    #[error("the driver has ended")]
    DriverEnded,
    /// A task ended before its result.
    #[error("a task ended early")]
    Task(#[from] JoinError),
}

impl AnswerFault {
    /// The interface's own error with the values that were wrong.
    pub fn told(error: ApiError, detail: impl Into<String>) -> Self {
        Self::Told(api_error(error, detail))
    }

    /// A batch that is refused, and when to send it again if that may help.
    pub fn rejected(error: &BatchError, retry_after_ms: Option<u64>) -> Self {
        Self::Told(rejection_error(error, retry_after_ms))
    }

    /// A batch that left the pool before a block took it.
    pub fn dropped(id: BatchId) -> Self {
        Self::told(ApiError::BatchDropped, format!("(batch {id})"))
    }

    /// A window that is still open.
    pub fn window_open(id: WindowId) -> Self {
        Self::told(ApiError::WindowOpen, format!("(window {id})"))
    }

    /// A receipt or proof of `what` that nobody would read for its size.
    pub fn too_large(what: &str, error: &ProofTooLarge) -> Self {
        Self::told(ApiError::ProofTooLarge, format!("({what}: {error})"))
    }
}

/// Keeps an error that a read's turn or its closure has made already.
impl From<ErrorObjectOwned> for AnswerFault {
    fn from(error: ErrorObjectOwned) -> Self {
        Self::Told(error)
    }
}

impl From<BatchError> for AnswerFault {
    fn from(error: BatchError) -> Self {
        Self::rejected(&error, None)
    }
}

/// Tells the client that an index of an earlier version keeps no such record; all else is a fault.
impl From<ReadFault> for AnswerFault {
    fn from(fault: ReadFault) -> Self {
        let not_kept = |what: String| Self::told(ApiError::ProofNotKept, format!("({what})"));
        match fault {
            ReadFault::ProofNotKept(id) => not_kept(format!("window {id}")),
            ReadFault::AccountProofNotKept(height) => {
                not_kept(format!("accounts at height {height}"))
            }
            fault => Self::Read(fault),
        }
    }
}

/// A fault is logged here with its causes; its client hears no more than that there was one.
impl From<AnswerFault> for ErrorObjectOwned {
    fn from(error: AnswerFault) -> Self {
        match error {
            AnswerFault::Told(error) => error,
            fault => {
                // Clients can ask again and again for what fails.
                static LINES: Seldom = Seldom::new();
                if let Some(count) = LINES.count() {
                    tracing::error!(reason = causes(&fault), count, "calls could not be answered");
                }
                api_error(ApiError::InternalFault, "")
            }
        }
    }
}

/// An error and what caused it, the deepest cause last.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some say their cause themselves.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_log_has_every_cause_of_a_fault_and_the_client_none() {
        let source = io::Error::other("input/output error");
        let path = "/srv/home/index/000012.sst".into();
        let fault = StoreFault::Io { action: "read", path, source };
        let fault = AnswerFault::from(ReadFault::from(fault));
        let reason = causes(&fault);
        assert!(reason.starts_with("the chain could not be read: "), "{reason}");
        for word in ["cannot read", "000012.sst", "input/output error"] {
            assert_eq!(reason.matches(word).count(), 1, "{word} in {reason}");
        }
        let told = ErrorObjectOwned::from(fault);
        assert_eq!(told.code(), ApiError::InternalFault.code());
        assert!(!format!("{told:?}").contains("home"), "{told:?}");
    }

    #[test]
    fn what_is_not_kept_is_told_by_its_name() {
        let told = |fault| ErrorObjectOwned::from(AnswerFault::from(fault));
        for (fault, name) in [
            (ReadFault::ProofNotKept(WindowId::new(7)), "(window 7)"),
            (ReadFault::AccountProofNotKept(Height::new(8)), "(accounts at height 8)"),
        ] {
            let error = told(fault);
            assert_eq!(error.code(), ApiError::ProofNotKept.code());
            assert!(error.message().ends_with(name), "{error:?}");
        }
    }
}
