//! What the RPC server serves: submissions into the driver's queue, reads from state and store.
//!
//! The state moves a moment before the store does. A read takes the state's height first and waits
//! until the store has come as far, so that nothing falls between the two.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_state::{EvidenceRecord, OrderRecord, State, WindowRecord};
use chain_store::{
    BreachCursor, ChainStore as _, EntryCursor, EvidenceCursor, InstructionFilter, Store,
};
use chain_types::evidence::EVIDENCE_PENALTY_HEIGHTS;
use chain_types::registry::validator_of_keys;
use chain_types::{
    BatchError, BatchId, Block, ChainGenesis, Handover, Handovers, Height, InstructionId, OrderId,
    PROOF_BYTES_MAX, Parameters, ParticipantId, ProofTooLarge, PublicKey, Rejection, SignedBatch,
    WindowId, codec,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use node_home::archive::ReadFault;
use node_home::orders::Orders;
use node_home::reports;
use node_replica::{Input, read_state};
use rpc_api::{
    AccountName, AccountReport, BatchReport, BatchState, BlockReport, BlockSummary, BreachReport,
    CaughtReport, EntryReport, EvidenceReport, HandoverReport, HealthReport, InstructionReport,
    OrderReport, Outcomes, ReceiptReport, StandingReport, StatusReport, TrialBalance, Wait,
    WindowReport, encode_base64,
};
use rpc_server::{Backend, BackendError, BlockName, InstructionsOf, Place};
use tokio::sync::watch;

use super::hub::{Ended, FinalBatch, Hub};
use super::inbox::{InputSender, Source};
use super::observer::Observer;
use super::submissions::Submissions;
use super::vitals::{Vitals, milliseconds};

/// When a client should try again after a full queue or pool.
const RETRY_AFTER_MS: u64 = 250;
/// Pieces of evidence that `node_status` lists.
const CAUGHT_MAX: usize = 64;
/// How long a read waits for the store to come as far as the state.
const STORE_LAG_MAX: Duration = Duration::from_secs(10);

/// A node as its RPC server sees it.
pub struct NodeBackend {
    /// The node's name.
    pub name: String,
    /// The public halves of its keys of connections and of votes; `None` without one for votes.
    pub keys: Option<(PublicKey, PublicKey)>,
    /// The chain.
    pub genesis: Arc<ChainGenesis>,
    /// State and store.
    pub orders: Orders,
    /// Who waits for what.
    pub hub: Arc<Hub>,
    /// Where the driver stands.
    pub vitals: Arc<Vitals>,
    /// How the node stands.
    pub observer: Arc<Observer>,
    /// To the driver.
    pub inputs: InputSender,
    /// To the driver, for clients' batches.
    pub submissions: Submissions,
    /// When the process started.
    pub started: Instant,
}

/// The report of a batch, and its block and place there.
type PlacedReport = (BatchReport, (Height, u32));

impl NodeBackend {
    pub(super) fn store(&self) -> &Store {
        &self.orders.store
    }

    /// Reads the state, then waits until the store has come as far.
    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T, BackendError> {
        let (value, height) = {
            let state = read_state(&self.orders.state);
            (read(&state), state.height())
        };
        self.wait_for_store(height)?;
        Ok(value)
    }

    /// An order's record. The store is far enough to read the rest of it: for an order that no
    /// block has changed since, that needs no wait, and a node's block after the present one may be
    /// executed before the present one is in the store.
    pub(super) fn order_record(&self, id: &OrderId) -> Result<Option<OrderRecord>, BackendError> {
        let (record, height) = self.orders.record(id).map_err(BackendError::fault)?;
        self.wait_for_store(height)?;
        // It may have arrived there meanwhile.
        let archived = || self.store().archived_order(id).map_err(BackendError::fault);
        record.map_or_else(archived, |record| Ok(Some(record)))
    }

    fn wait_for_store(&self, height: Height) -> Result<(), BackendError> {
        let mut head = self.hub.head();
        let deadline = Instant::now() + STORE_LAG_MAX;
        while *head.borrow_and_update() < height {
            if self.vitals.failed.load(Ordering::Relaxed) || Instant::now() > deadline {
                return Err(BackendError::fault("the store does not follow the state"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    async fn submit_batch(
        &self,
        bytes: Bytes,
        wait: Wait,
        with_codes: bool,
    ) -> Result<BatchReport, BackendError> {
        let batch = SignedBatch::decode(bytes.clone())?;
        let id = batch.header().id();
        if let Some(reason) = self.observer.reason_not_ready() {
            let error = BatchError::new(Rejection::NotReady, format!("({reason})"));
            return self.refused(error, id, bytes, with_codes).await;
        }
        // Both are forgotten when this future is dropped, as it is when the client's patience ends.
        let ending = self.hub.wait_for(id);
        let admission = self.hub.submission();
        self.submissions.send(batch, admission.token()).await;
        let admitted = admission.answer().await;
        let admitted = admitted.ok_or_else(|| BackendError::fault("the driver ended"))?;
        if let Err(error) = admitted {
            return self.refused(error, id, bytes, with_codes).await;
        }
        match wait {
            Wait::Admitted => Ok(BatchReport::pending(id, BatchState::Admitted)),
            Wait::Final => match ending.answer().await {
                Some(Ended::Final(done)) => {
                    self.with_standings(final_report(id, &done, with_codes), bytes).await
                }
                Some(Ended::Dropped) => Err(BackendError::Dropped(id)),
                None => Err(BackendError::fault("the driver ended")),
            },
        }
    }

    /// The answer to a batch that is not taken: its outcomes, if it is in the chain already,
    /// however late it comes; otherwise why not.
    async fn refused(
        &self,
        error: BatchError,
        id: BatchId,
        bytes: Bytes,
        with_codes: bool,
    ) -> Result<BatchReport, BackendError> {
        // A full pool says nothing of the chain; admission has looked into it before that. What
        // broke another rule may have been in the chain before it did.
        let is_verified = match error.rejection {
            Rejection::SubmitterSuspended
            | Rejection::RoleMissing
            | Rejection::BatchExpired
            | Rejection::BatchValidTooLong
            | Rejection::BatchRepeated => Some(true),
            Rejection::SignatureInvalid => Some(false),
            // Such a node may wait for ever for what it lacks.
            Rejection::NotReady => {
                let found = self.store().batch_location(&id).map_err(BackendError::fault)?;
                found.map(|_| false)
            }
            _ => None,
        };
        if let Some(is_verified) = is_verified {
            let height = read_state(&self.orders.state).height();
            let mut head = self.hub.head();
            let reached = head.wait_for(|head| *head >= height);
            reached.await.map_err(BackendError::fault)?;
            // A batch's id says nothing of its signature and, before it is verified, of its items.
            let found = self.find_batch(id, with_codes)?;
            let is_same = |place| self.orders.holds(place, &bytes).map_err(BackendError::fault);
            if let Some((report, place)) = found
                && (is_verified || is_same(place)?)
            {
                return self.with_standings(report, bytes).await;
            }
        }
        Err(if error.rejection.is_transient() { retry_later(error) } else { error.into() })
    }

    /// The report with what the chain knew of the orders that its batch, these bytes, named again.
    async fn with_standings(
        &self,
        mut report: BatchReport,
        bytes: Bytes,
    ) -> Result<BatchReport, BackendError> {
        if report.outcomes.as_ref().is_none_or(|outcomes| outcomes.not_applied.is_empty()) {
            return Ok(report);
        }
        let orders = self.orders.clone();
        let add = move || orders.add_standings(&mut report, &bytes).map(|()| report);
        let added = tokio::task::spawn_blocking(add).await.map_err(BackendError::fault)?;
        added.map_err(BackendError::fault)
    }

    /// The report of a batch that is in the chain, without standings, and its place.
    fn find_batch(
        &self,
        id: BatchId,
        with_codes: bool,
    ) -> Result<Option<PlacedReport>, BackendError> {
        let recent = self.read(|state| state.batch_location(&id))?;
        let stored = || self.store().batch_location(&id).map_err(BackendError::fault);
        let Some((height, index)) = recent.map_or_else(stored, |found| Ok(Some(found)))? else {
            return Ok(None);
        };
        let committed = self.store().block(height).map_err(BackendError::fault)?;
        let outcomes = self.store().outcomes(height).map_err(BackendError::fault)?;
        let (Some(committed), Some(outcomes)) = (committed, outcomes) else {
            return Err(BackendError::fault(format!("block {height} is not in the store")));
        };
        let header = &committed.block.header;
        let outcomes = outcomes.into_iter().nth(index as usize).unwrap_or_default();
        let done = FinalBatch { height, block: header.hash(), index, time: header.time, outcomes };
        Ok(Some((final_report(id, &done, with_codes), (height, index))))
    }

    /// Whether the pool holds a batch.
    fn is_held(&self, id: &BatchId) -> bool {
        let answer = self.hub.request();
        let input = Input::BatchesWanted { ids: vec![*id], token: answer.token() };
        self.inputs.send_blocking(Source::Questions, input).is_ok()
            && answer.blocking_answer().is_some_and(|(found, _)| !found.is_empty())
    }

    fn block_report(&self, height: Height) -> Result<Option<BlockReport>, BackendError> {
        if height == Height(0) {
            return Ok(Some(BlockReport::new(&self.block_zero(), None)));
        }
        let committed = self.store().block(height).map_err(BackendError::fault)?;
        Ok(committed.map(|found| BlockReport::new(&found.block, Some(&found.certificate))))
    }

    fn window_report(&self, record: &WindowRecord) -> Result<WindowReport, BackendError> {
        let settlement = self.store().window_settlement(record.id).map_err(BackendError::fault)?;
        let known = |state: &State| state.tables().proposed_settlements.get(&record.id).copied();
        let proposed = self.read(known)?;
        Ok(reports::window(record, proposed.as_ref(), settlement.as_ref()))
    }

    fn block_zero(&self) -> Block {
        State::genesis_block(&self.genesis)
    }
}

fn retry_later(error: BatchError) -> BackendError {
    BackendError::Rejected { error, retry_after_ms: Some(RETRY_AFTER_MS) }
}

fn final_report(batch_id: BatchId, done: &FinalBatch, with_codes: bool) -> BatchReport {
    BatchReport {
        batch_id,
        state: BatchState::Final,
        height: Some(done.height.0),
        batch_index: Some(done.index),
        block_hash: Some(done.block),
        block_time_ms: Some(done.time.0),
        outcomes: Some(Outcomes::new(&done.outcomes, with_codes)),
    }
}

impl NodeBackend {
    /// Validators that blocks hold evidence against, the newest first: some of those whose turns
    /// come last for it.
    fn caught(&self) -> Result<Vec<CaughtReport>, BackendError> {
        let (head, _) = self.orders.state.head();
        let height = Height(head.0.saturating_sub(EVIDENCE_PENALTY_HEIGHTS));
        let cursor = EvidenceCursor { height, sequence: 0 };
        let found = self.store().evidence(Some(cursor), CAUGHT_MAX);
        let nodes = &self.orders.state.rules().registry.nodes;
        let report = |record: &EvidenceRecord| CaughtReport {
            validator: record.validator.0,
            name: nodes
                .get(record.validator.0 as usize)
                .map(|node| node.name.clone())
                .unwrap_or_default(),
            height: record.offence_height.0,
            round: record.offence_round.0,
            what: format!("two {}", record.kind.name()),
        };
        Ok(found.map_err(BackendError::fault)?.iter().rev().map(report).collect())
    }
}

impl Backend for NodeBackend {
    fn genesis(&self) -> &ChainGenesis {
        &self.genesis
    }

    fn doorbell(&self) -> watch::Receiver<Height> {
        self.hub.head()
    }

    fn health(&self) -> HealthReport {
        let reason = self.observer.reason_not_ready();
        HealthReport { is_ready: reason.is_none(), reason }
    }

    fn submit(
        &self,
        bytes: Bytes,
        wait: Wait,
        with_codes: bool,
    ) -> BoxFuture<'_, Result<BatchReport, BackendError>> {
        self.submit_batch(bytes, wait, with_codes).boxed()
    }

    fn batch(&self, id: &BatchId, with_codes: bool) -> Result<BatchReport, BackendError> {
        // The pool is asked first: a batch leaves it only for the chain.
        let held = self.is_held(id);
        if let Some((mut report, (height, index))) = self.find_batch(*id, with_codes)? {
            let outcomes = report.outcomes.as_ref();
            if outcomes.is_some_and(|outcomes| !outcomes.not_applied.is_empty()) {
                let bytes = self.store().batch_bytes(height, index).map_err(BackendError::fault)?;
                let bytes = bytes.unwrap_or_default();
                self.orders.add_standings(&mut report, &bytes).map_err(BackendError::fault)?;
            }
            return Ok(report);
        }
        let state = if held { BatchState::Admitted } else { BatchState::Unknown };
        Ok(BatchReport::pending(*id, state))
    }

    fn order(&self, id: &OrderId) -> Result<OrderReport, BackendError> {
        let searched = self.orders.searched(*id).map_err(BackendError::fault)?;
        let record = self.order_record(id)?;
        self.orders.report(*id, record, searched).map_err(BackendError::fault)
    }

    fn order_at_once(&self, id: &OrderId) -> Result<Option<OrderReport>, BackendError> {
        let (Some(record), height) = self.orders.state.recent_order(id) else { return Ok(None) };
        // A later step is read with the whole of its batch and its block's outcomes.
        if record.status_location != record.location || height > *self.hub.head().borrow() {
            return Ok(None);
        }
        let searched = self.orders.searched(*id).map_err(BackendError::fault)?;
        let report = self.orders.report(*id, Some(record), searched);
        report.map(Some).map_err(BackendError::fault)
    }

    fn receipt(
        &self,
        id: &OrderId,
        lineage_apart: bool,
    ) -> Result<Option<ReceiptReport>, BackendError> {
        let Some(record) = self.order_record(id)? else { return Ok(None) };
        let too_large = |error| self::too_large(&format!("order {id}"), error);
        let receipt = match self.orders.receipt(*id, record, lineage_apart) {
            Ok(receipt) => receipt,
            Err(ReadFault::TooLarge(error)) => return Err(too_large(error)),
            Err(fault) => return Err(BackendError::fault(fault)),
        };
        let bytes = receipt.encode().map_err(too_large)?;
        Ok(Some(ReceiptReport {
            order_id: *id,
            receipt_base64: encode_base64(&bytes),
            proves_collection: receipt.collection.is_some(),
            proves_arrival: receipt.arrival.is_some(),
            return_count: u32::try_from(receipt.returns.len()).unwrap_or(u32::MAX),
        }))
    }

    fn windows(
        &self,
        before: Option<WindowId>,
        limit: u32,
    ) -> Result<Vec<WindowReport>, BackendError> {
        let open = self.read(State::open_window)?;
        let from = before.map_or(open.id, |before| before.min(open.id));
        let stored = self.store().windows(Some(from), limit as usize);
        let stored = stored.map_err(BackendError::fault)?;
        let newest = before.is_none_or(|before| open.id < before).then_some(open);
        let windows = newest.iter().chain(&stored).take(limit as usize);
        windows.map(|record| self.window_report(record)).collect()
    }

    fn window(&self, id: WindowId) -> Result<Option<WindowReport>, BackendError> {
        let open = self.read(State::open_window)?;
        if open.id == id {
            return Ok(Some(reports::window(&open, None, None)));
        }
        let window = self.store().window(id).map_err(BackendError::fault)?;
        window.map(|record| self.window_report(&record)).transpose()
    }

    fn instructions(
        &self,
        of: InstructionsOf,
        after: Option<InstructionId>,
        limit: u32,
    ) -> Result<Vec<InstructionReport>, BackendError> {
        self.read(|_| ())?;
        let filter = match of {
            InstructionsOf::Window(window) => InstructionFilter::Window(window),
            InstructionsOf::Gateway(gateway) => InstructionFilter::Gateway(gateway),
        };
        let found = self.store().instructions(filter, after, limit as usize);
        Ok(found.map_err(BackendError::fault)?.iter().map(reports::instruction).collect())
    }

    fn last_instruction(
        &self,
        gateway: ParticipantId,
    ) -> Result<Option<InstructionId>, BackendError> {
        self.read(|_| ())?;
        self.store().last_instruction(gateway).map_err(BackendError::fault)
    }

    fn instruction(&self, id: &InstructionId) -> Result<Option<InstructionReport>, BackendError> {
        self.read(|_| ())?;
        let found = self.store().instruction(id).map_err(BackendError::fault)?;
        Ok(found.as_ref().map(reports::instruction))
    }

    fn breaches(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<BreachReport>, BackendError> {
        self.read(|_| ())?;
        let cursor =
            after.map(|place| BreachCursor { height: place.height, sequence: place.sequence });
        let found = self.store().breaches(cursor, limit as usize).map_err(BackendError::fault)?;
        Ok(found.iter().map(reports::breach).collect())
    }

    fn evidence(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<EvidenceReport>, BackendError> {
        self.read(|_| ())?;
        let cursor =
            after.map(|place| EvidenceCursor { height: place.height, sequence: place.sequence });
        let found = self.store().evidence(cursor, limit as usize).map_err(BackendError::fault)?;
        let rules = self.orders.state.rules();
        Ok(found.iter().map(|one| reports::evidence(one, &rules.registry.nodes)).collect())
    }

    fn accounts(
        &self,
        after: Option<AccountName>,
        limit: u32,
    ) -> Result<Vec<AccountReport>, BackendError> {
        let after = after.as_ref().and_then(reports::account_key);
        // Copied under the lock and told outside it: a block must not wait for texts.
        let accounts: Vec<_> = {
            let state = read_state(&self.orders.state);
            let all = state.accounts(after.as_ref());
            let rest = all.filter(|(key, _)| Some(*key) != after.as_ref());
            rest.take(limit as usize).map(|(key, account)| (*key, *account)).collect()
        };
        Ok(accounts.iter().filter_map(|(key, account)| reports::account(key, account)).collect())
    }

    fn account(&self, name: &AccountName) -> Result<Option<AccountReport>, BackendError> {
        let state = read_state(&self.orders.state);
        Ok(reports::account_key(name).and_then(|key| reports::account(&key, state.account(&key)?)))
    }

    fn entries(
        &self,
        account: &AccountName,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<EntryReport>, BackendError> {
        self.read(|_| ())?;
        let Some(key) = reports::account_key(account) else { return Ok(Vec::new()) };
        let cursor =
            after.map(|place| EntryCursor { height: place.height, sequence: place.sequence });
        let found = self.store().account_entries(&key, cursor, limit as usize);
        Ok(found.map_err(BackendError::fault)?.iter().map(reports::entry).collect())
    }

    fn trial_balance(&self) -> Result<TrialBalance, BackendError> {
        Ok(reports::trial_balance(&read_state(&self.orders.state)))
    }

    fn parameters(&self) -> Result<Parameters, BackendError> {
        Ok(read_state(&self.orders.state).parameters().clone())
    }

    fn block(&self, name: BlockName) -> Result<Option<BlockReport>, BackendError> {
        let height = match name {
            BlockName::Height(height) => height,
            BlockName::Hash(hash) if hash == self.block_zero().hash() => Height(0),
            BlockName::Hash(hash) => {
                match self.store().block_height(&hash).map_err(BackendError::fault)? {
                    Some(height) => height,
                    None => return Ok(None),
                }
            }
        };
        self.block_report(height)
    }

    fn blocks(&self, first: Height, count: u32) -> Result<Vec<BlockSummary>, BackendError> {
        let mut blocks = Vec::new();
        for height in (first.0..first.0.saturating_add(u64::from(count))).map(Height) {
            let block = if height == Height(0) {
                Some(self.block_zero())
            } else {
                let found = self.store().block(height).map_err(BackendError::fault)?;
                found.map(|committed| committed.block)
            };
            match block {
                Some(block) => blocks.push(BlockSummary::new(&block)),
                None => break,
            }
        }
        Ok(blocks)
    }

    fn lineage(
        &self,
        after: Option<Height>,
        limit: u32,
    ) -> Result<(Vec<HandoverReport>, bool), BackendError> {
        let head = self.read(State::height)?;
        let from = match after {
            None => Height(0),
            // A client may name any height, and after the last one there is none.
            Some(after) if after >= head => return Ok((Vec::new(), false)),
            Some(after) => after.next(),
        };
        let page =
            |handovers: &Handovers| handovers.page(from, head, limit as usize, PROOF_BYTES_MAX);
        let Orders { genesis, store, lineages, .. } = &self.orders;
        let page = lineages.read(store, genesis, head, page).map_err(BackendError::fault)?;
        let (handovers, goes_on) = page;
        let report = |handover: &Handover| HandoverReport {
            height: handover.header.height.0,
            handover_base64: encode_base64(&codec::encode(handover)),
        };
        Ok((handovers.iter().map(report).collect(), goes_on))
    }

    fn status(&self) -> Result<StatusReport, BackendError> {
        let situation = self.observer.situation();
        let standing = StandingReport { caught: self.caught()?, ..self.observer.standing() };
        let peers = self.observer.peers();
        let state = read_state(&self.orders.state);
        let validator = self.keys.and_then(|(network, vote)| {
            let id = validator_of_keys(state.nodes(), network, vote)?;
            state.validators().get(id).map(|validator| validator.id)
        });
        Ok(StatusReport {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            chain_id: self.genesis.chain_id.to_string(),
            validator: validator.map(|id| id.0),
            height: state.height().0,
            block_hash: state.block_hash().to_string(),
            block_time_ms: state.time().0,
            state_digest: state.digest().to_string(),
            is_catching_up: situation.is_behind(),
            highest_known_height: situation.known_height().0.max(state.height().0),
            is_ready: standing.reason.is_none(),
            standing,
            peers,
            pool_batch_count: self.vitals.pool_batches.load(Ordering::Relaxed),
            pool_item_count: self.vitals.pool_items.load(Ordering::Relaxed),
            uptime_ms: milliseconds(self.started.elapsed()),
        })
    }
}

/// What a client is told of a receipt or proof of `what` that nobody would read.
pub(super) fn too_large(what: &str, error: ProofTooLarge) -> BackendError {
    BackendError::ProofTooLarge(format!("{what}: {error}"))
}
