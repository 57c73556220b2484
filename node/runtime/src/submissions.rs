//! Clients' batches on their way to the driver: decoded where they arrive and verified on workers.
//! Small ones, whose cost is their signature, are verified with those that arrive meanwhile.

use std::sync::Arc;

use chain_types::{BatchError, ChainId, Rejection, SignedBatch, VerifiedBatch};
use node_replica::{Input, SharedState, read_state};
use tokio::sync::{Semaphore, mpsc};

use super::hub::Hub;
use super::inbox::{InputSender, Refused, Source};

/// A batch of at most so many bytes (some thirty orders) costs less than to wake a worker for it
/// alone would.
pub const SMALL_BYTES: usize = 4_096;
/// The most small batches that are verified together, in some 0.7 ms.
pub const TOGETHER_MAX: usize = 64;
/// How many fewer are, after one that was wrong.
const WRONG_DIVISOR: usize = 8;
/// Small batches that wait to be verified; more are refused.
const SMALL_WAITING_MAX: usize = 1_024;
/// Large batches that are verified at once; more wait.
const VERIFYING_MAX: usize = 4;

/// A batch whose form is right, and the token under which the hub hears what becomes of it.
type Submission = (SignedBatch, u64);

/// The way to the driver.
#[derive(Clone)]
pub struct Submissions {
    small: mpsc::Sender<Submission>,
    verifying: Arc<Semaphore>,
    desk: Arc<Desk>,
}

/// The handles that verifying needs.
pub struct Desk {
    /// The id of the chain.
    pub chain_id: ChainId,
    /// For keys of submitters.
    pub state: SharedState,
    /// Hears of what does not reach the driver.
    pub hub: Arc<Hub>,
    /// The inbox of the driver.
    pub inputs: InputSender,
}

impl Submissions {
    /// Starts the worker for small batches, which ends when the last of the senders is dropped.
    pub fn start(desk: Desk) -> Self {
        let desk = Arc::new(desk);
        let (small, waiting) = mpsc::channel(SMALL_WAITING_MAX);
        tokio::spawn(desk.clone().verify_small(waiting));
        Self { small, verifying: Arc::new(Semaphore::new(VERIFYING_MAX)), desk }
    }

    /// Sends a batch on its way. What becomes of it is told to the hub under `token`, whatever it
    /// is: that it is admitted, or why not.
    pub async fn send(&self, batch: SignedBatch, token: u64) {
        if batch.bytes().len() <= SMALL_BYTES {
            if let Err(refused) = self.small.try_send((batch, token)) {
                let error = match refused {
                    mpsc::error::TrySendError::Full(_) => full("to be verified"),
                    mpsc::error::TrySendError::Closed(_) => stopping(),
                };
                self.desk.hub.submitted(token, Err(error.into()));
            }
            return;
        }
        let Ok(permit) = self.verifying.clone().acquire_owned().await else { return };
        let desk = self.desk.clone();
        let verify = move || {
            let keys_of = |id| read_state(&desk.state).ready_keys(id);
            let verified = batch.verify(desk.chain_id, keys_of);
            desk.hand_over(verified, token);
            drop(permit);
        };
        // The hub hears of it all the same when the client does not wait.
        drop(tokio::task::spawn_blocking(verify));
    }
}

impl Desk {
    async fn verify_small(self: Arc<Self>, mut waiting: mpsc::Receiver<Submission>) {
        let mut submissions = Vec::with_capacity(TOGETHER_MAX);
        let mut company = TOGETHER_MAX;
        while waiting.recv_many(&mut submissions, company).await > 0 {
            let (batches, tokens): (Vec<_>, Vec<_>) = submissions.drain(..).unzip();
            let keys_of = |id| read_state(&self.state).ready_keys(id);
            let verified = SignedBatch::verify_all(batches, self.chain_id, keys_of);
            company = next_company(company, &verified);
            for (verified, token) in verified.into_iter().zip(tokens) {
                self.hand_over(verified, token);
            }
            // Others of this thread have their turn between two groups.
            tokio::task::yield_now().await;
        }
    }

    fn hand_over(&self, verified: Result<VerifiedBatch, BatchError>, token: u64) {
        let sent = verified.and_then(|batch| {
            let input = Input::Submit { batch, token };
            self.inputs.try_send(Source::Submissions, input).map_err(|refused| match refused {
                Refused::Full => full("for the driver"),
                Refused::Closed => stopping(),
            })
        });
        if let Err(error) = sent {
            self.hub.submitted(token, Err(error.into()));
        }
    }
}

/// How many are verified together next. A wrong one costs those beside it: who sends many of them
/// finds the others verified alone.
pub fn next_company(company: usize, verified: &[Result<VerifiedBatch, BatchError>]) -> usize {
    let is_wrong = |result: &Result<VerifiedBatch, BatchError>| {
        result.as_ref().is_err_and(|error| error.rejection == Rejection::SignatureInvalid)
    };
    if verified.iter().any(is_wrong) {
        (company / WRONG_DIVISOR).max(1)
    } else {
        (company * 2).min(TOGETHER_MAX)
    }
}

fn full(what: &str) -> BatchError {
    BatchError::new(Rejection::PoolFull, format!("(too many batches wait {what})"))
}

fn stopping() -> BatchError {
    BatchError::new(Rejection::NotReady, "(stopping)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_signatures_are_left_alone_for_a_while() {
        let error = |rejection| vec![Err(BatchError::new(rejection, ""))];
        let wrong = error(Rejection::SignatureInvalid);
        assert_eq!(next_company(64, &wrong), 8);
        assert_eq!(next_company(8, &wrong), 1);
        assert_eq!(next_company(1, &wrong), 1);
        assert_eq!(next_company(1, &[]), 2);
        assert_eq!(next_company(64, &[]), TOGETHER_MAX);
        assert_eq!(next_company(4, &error(Rejection::WrongChain)), 8, "not a matter of signatures");
    }
}
