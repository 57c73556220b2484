//! `batch_*`: submissions into the driver's queue, and what became of them.

use std::time::Duration;

use bytes::Bytes;
use chain_store::ChainStore as _;
use chain_types::{BatchError, BatchId, Height, Rejection, SignedBatch};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use node_replica::{ShareQuestion, SubmitRefusal};
use rpc_api::error::api_error_after;
use rpc_api::{
    ApiError, Base64Bytes, BatchReport, BatchRpcServer, BatchState, ErrorData, Outcomes, Wait,
    api_error,
};
use rpc_server::Cost;

use super::Api;
use super::fault::{AnswerFault, Read};
use super::parameters::id_of;
use super::served::ServedNode;
use crate::driver::wall_clock;
use crate::hub::{Ended, FinalBatch};

const WAIT_MS_DEFAULT: u64 = 10_000;

/// The report of a batch, and its block and place there.
type PlacedReport = (BatchReport, (Height, u32));

#[async_trait]
impl BatchRpcServer for Api {
    async fn submit(
        &self,
        bytes_base64: Base64Bytes,
        wait: Option<Wait>,
        timeout_ms: Option<u64>,
        with_codes: Option<bool>,
    ) -> RpcResult<BatchReport> {
        let most = self.node.wait_ms_max;
        let timeout_ms = timeout_ms.unwrap_or(WAIT_MS_DEFAULT.min(most));
        if !(1..=most).contains(&timeout_ms) {
            let detail = format!("({timeout_ms}; 1 to {most})");
            return Err(api_error(ApiError::TimeoutOutOfBounds, detail));
        }
        let bytes =
            bytes_base64.into_bytes().ok_or_else(|| api_error(ApiError::InvalidBase64, ""))?;
        let (wait, with_codes) = (wait.unwrap_or_default(), with_codes.unwrap_or_default());
        let submitting = self.submit_batch(bytes.clone(), wait, with_codes);
        match tokio::time::timeout(Duration::from_millis(timeout_ms), submitting).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(api_error(ApiError::WaitTimeout, batch_named(bytes, timeout_ms))),
        }
    }

    async fn status(&self, batch_id: String, with_codes: Option<bool>) -> RpcResult<BatchReport> {
        let id = id_of(&batch_id)?;
        let with_codes = with_codes.unwrap_or_default();
        let report = self.read(Cost::QUESTION, move |node| node.batch(id, with_codes)).await?;
        if report.state != BatchState::Unknown {
            return Ok(report);
        }
        self.cannot_know(&format!("batch {id}")).map_or(Ok(report), Err)
    }
}

/// The answer when a refused batch could not be looked up for want of a turn: it may be in the
/// chain, and the refusal alone would say that it is not.
fn put_off(told: ErrorObjectOwned, id: BatchId, refusal: &BatchError) -> ErrorObjectOwned {
    if told.code() != ApiError::NodeBusy.code() {
        return told;
    }
    let rejection = refusal.rejection;
    let detail = format!(
        "(batch {id} may have been taken before; it was not looked up, for too many questions \
         wait; unless it was taken it is refused: {} {})",
        rejection.code(),
        rejection.name(),
    );
    let retry_after_ms = ErrorData::of(&told).and_then(|data| data.retry_after_ms);
    api_error_after(ApiError::NodeBusy, detail, retry_after_ms)
}

/// Says which batch was waited for, so that the client can ask for it.
fn batch_named(bytes: Bytes, timeout_ms: u64) -> String {
    match SignedBatch::decode(bytes) {
        Ok(batch) => format!("(batch {} within {timeout_ms} ms)", batch.header().id()),
        Err(_) => format!("(within {timeout_ms} ms)"),
    }
}

impl Api {
    /// Checks a batch and hands it to the pool; with [`Wait::Final`] also waits, without bound,
    /// until a block with it is durable. A batch that is already held or final is no error: the
    /// answer is as if it were sent for the first time. Dropping the future ends the wait and
    /// nothing else.
    async fn submit_batch(&self, bytes: Bytes, wait: Wait, with_codes: bool) -> Read<BatchReport> {
        let node = &self.node;
        let batch = SignedBatch::decode(bytes.clone())?;
        let id = batch.header().id();
        if let Some(reason) = node.observer.reason_not_ready() {
            let error = BatchError::new(Rejection::NotReady, format!("({reason})"));
            return self.refused(error.into(), id, bytes, with_codes).await;
        }
        if let Some(SubmitRefusal { error, retry_after_ms }) = node.refuse_by_header(&batch, id) {
            return Err(AnswerFault::rejected(&error, retry_after_ms));
        }
        // Both are forgotten when this future is dropped, as it is when the client's patience ends.
        let ending = node.hub.wait_for(id);
        let admission = node.hub.submission();
        node.submissions.send(batch, admission.token()).await;
        let admitted = admission.answer().await.ok_or(AnswerFault::DriverEnded)?;
        if let Err(refusal) = admitted {
            return self.refused(refusal, id, bytes, with_codes).await;
        }
        match wait {
            Wait::Admitted => Ok(BatchReport::pending(id, BatchState::Admitted)),
            Wait::Final => match ending.answer().await {
                Some(Ended::Final(done)) => {
                    self.with_standings(final_report(id, &done, with_codes), bytes).await
                }
                Some(Ended::Dropped) => Err(AnswerFault::dropped(id)),
                None => Err(AnswerFault::DriverEnded),
            },
        }
    }

    /// The answer to a batch that is not taken: its outcomes, if it is in the chain already,
    /// however late it comes; otherwise why not.
    async fn refused(
        &self,
        refusal: SubmitRefusal,
        id: BatchId,
        bytes: Bytes,
        with_codes: bool,
    ) -> Read<BatchReport> {
        let SubmitRefusal { error, retry_after_ms } = refusal;
        if let Some(lookup) = Lookup::after(error.rejection) {
            let read = move |node: &ServedNode| node.refused(id, &bytes, lookup, with_codes);
            let found = self.read(Cost::QUESTION, read).await;
            if let Some(report) = found.map_err(|told| put_off(told, id, &error))? {
                return Ok(report);
            }
        }
        Err(AnswerFault::rejected(&error, retry_after_ms))
    }

    /// The report with what the chain knew of the orders that its batch, these bytes, named again.
    async fn with_standings(&self, mut report: BatchReport, bytes: Bytes) -> Read<BatchReport> {
        if !has_not_applied(&report) {
            return Ok(report);
        }
        let node = self.node.clone();
        let add = move || node.add_standings(&mut report, &bytes).map(|()| report);
        tokio::task::spawn_blocking(add).await?
    }
}

/// The names that are looked up in the chain when a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lookup {
    /// A batch of its id: its signature held, and its items with it.
    Id,
    /// A batch of its bytes: an id says nothing of its signature and, before that is verified, of
    /// its items.
    Bytes,
    /// The same of a node that is not ready: it may wait for ever for what its store lacks.
    StoredBytes,
}

impl Lookup {
    /// A full pool says nothing of the chain; admission has looked into it before that. What broke
    /// another rule may have been in the chain before it did.
    fn after(rejection: Rejection) -> Option<Self> {
        match rejection {
            Rejection::SubmitterSuspended
            | Rejection::RoleMissing
            | Rejection::BatchExpired
            | Rejection::BatchValidTooLong
            | Rejection::BatchRepeated => Some(Self::Id),
            Rejection::SignatureInvalid => Some(Self::Bytes),
            Rejection::NotReady => Some(Self::StoredBytes),
            _ => None,
        }
    }
}

impl ServedNode {
    /// Returns the refusal of a batch that its submitter's share does not allow now, before its
    /// signature and items are verified. Whatever the chain or the pool may have an answer to is
    /// left to the whole way: a batch that is known, or whose time is over.
    fn refuse_by_header(&self, batch: &SignedBatch, id: BatchId) -> Option<SubmitRefusal> {
        let (header, now) = (batch.header(), wall_clock());
        let is_news = self.now(|state| {
            // Nobody makes up submitters, whose number would make the shares of all smaller.
            state.party_keys(header.submitter).is_some()
                && state.batch_location(&id).is_none()
                && header.valid_until >= state.time().max(now)
        });
        if !is_news || header.chain_id != self.genesis.chain_id || self.waiting.contains(&id) {
            return None;
        }
        let question = ShareQuestion::new(header, batch.kind());
        self.shares.refuse_by_header(&question, now)
    }

    /// Returns the report of a batch; one that is not known is no error.
    fn batch(&self, id: BatchId, with_codes: bool) -> Read<BatchReport> {
        // This comes first: a batch that waits leaves only for the chain.
        let waits = self.waiting.contains(&id);
        if let Some((mut report, (height, index))) = self.find_batch(id, with_codes)? {
            if has_not_applied(&report) {
                let bytes = self.store().batch_bytes(height, index)?.unwrap_or_default();
                self.add_standings(&mut report, &bytes)?;
            }
            return Ok(report);
        }
        let state = if waits { BatchState::Admitted } else { BatchState::Unknown };
        Ok(BatchReport::pending(id, state))
    }

    /// The report of a refused batch that is in the chain.
    fn refused(
        &self,
        id: BatchId,
        bytes: &Bytes,
        lookup: Lookup,
        with_codes: bool,
    ) -> Read<Option<BatchReport>> {
        if lookup == Lookup::StoredBytes && self.store().batch_location(&id)?.is_none() {
            return Ok(None);
        }
        let Some((mut report, place)) = self.find_batch(id, with_codes)? else { return Ok(None) };
        if lookup != Lookup::Id && !self.orders.holds(place, bytes)? {
            return Ok(None);
        }
        if has_not_applied(&report) {
            self.add_standings(&mut report, bytes)?;
        }
        Ok(Some(report))
    }

    /// The report of a batch that is in the chain, without standings, and its place.
    fn find_batch(&self, id: BatchId, with_codes: bool) -> Read<Option<PlacedReport>> {
        let recent = self.settled(|state| state.batch_location(&id))?;
        let found = match recent {
            Some(found) => Some(found),
            None => self.store().batch_location(&id)?,
        };
        let Some((height, index)) = found else { return Ok(None) };
        let (committed, outcomes) = (self.store().block(height)?, self.store().outcomes(height)?);
        let (Some(committed), Some(outcomes)) = (committed, outcomes) else {
            return Err(AnswerFault::NoBlock(height));
        };
        let header = &committed.block.header;
        let outcomes = outcomes.into_iter().nth(index as usize).unwrap_or_default();
        let done = FinalBatch { height, block: header.hash(), index, time: header.time, outcomes };
        Ok(Some((final_report(id, &done, with_codes), (height, index))))
    }

    fn add_standings(&self, report: &mut BatchReport, bytes: &[u8]) -> Read<()> {
        let reach = |height| self.wait_for_store(height).is_ok();
        Ok(self.orders.add_standings(report, bytes, reach)?)
    }
}

/// Returns true if some orders were not applied: these are told with their standings.
fn has_not_applied(report: &BatchReport) -> bool {
    report.outcomes.as_ref().is_some_and(|outcomes| !outcomes.not_applied.is_empty())
}

fn final_report(batch_id: BatchId, done: &FinalBatch, with_codes: bool) -> BatchReport {
    BatchReport {
        batch_id,
        state: BatchState::Final,
        height: Some(done.height.get()),
        batch_index: Some(done.index),
        block_hash: Some(done.block),
        block_time_ms: Some(done.time.get()),
        outcomes: Some(Outcomes::new(&done.outcomes, with_codes)),
    }
}
