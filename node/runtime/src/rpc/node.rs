//! `node_*`.

use std::sync::atomic::Ordering;

use chain_state::EvidenceRecord;
use chain_store::ChainStore as _;
use chain_types::evidence::EVIDENCE_PENALTY_HEIGHTS;
use chain_types::registry::validator_of_keys;
use chain_types::{ParticipantId, RecordCursor, codec};
use consensus_scheduler::{OutlookProof, SignedOutlook};
use jsonrpsee::core::{RpcResult, async_trait};
use node_replica::read_state;
use rpc_api::{
    CaughtReport, HealthReport, NodeRpcServer, OutlookLineReport, OutlookReport, StandingReport,
    StatusReport, encode_base64,
};
use rpc_server::Cost;

use super::Api;
use super::fault::Read;
use super::served::ServedNode;
use crate::vitals::milliseconds;

/// Pieces of evidence that `node_status` lists.
const CAUGHT_MAX: usize = 64;

#[async_trait]
impl NodeRpcServer for Api {
    async fn status(&self) -> RpcResult<StatusReport> {
        self.read(Cost::CHEAP, ServedNode::status).await
    }

    async fn health(&self) -> RpcResult<HealthReport> {
        Ok(self.node.health())
    }

    async fn outlook(&self, submitter: Option<u32>) -> RpcResult<OutlookReport> {
        let what = || "an outlook: the registry does not name this node".to_owned();
        self.find(what, move |node| Ok(node.outlook(submitter))).await
    }
}

/// An outlook in JSON, with a submitter's line.
fn outlook_report(signed: &SignedOutlook, proof: Option<&OutlookProof>) -> OutlookReport {
    let head = &signed.head;
    let line = proof.map(|proof| OutlookLineReport {
        submitter: proof.line.submitter.get(),
        weight: proof.line.weight,
        share_items_per_s: proof.line.share_items_per_s,
        reason: proof.line.reason,
        retry_at_ms: proof.line.retry_at.get(),
        proof_base64: encode_base64(&codec::encode(proof)),
    });
    OutlookReport {
        chain_id: head.chain_id.to_string(),
        node: head.node.get(),
        height: head.height.get(),
        block_time_ms: head.block_time.get(),
        made_at_ms: head.made_at.get(),
        valid_until_ms: head.valid_until.get(),
        capacity_items_per_s: head.capacity_items_per_s,
        queue_ms: head.queue_ms,
        load_ppm: head.load_ppm,
        share_of_others_items_per_s: head.share_of_others,
        line_count: head.lines,
        signed_base64: encode_base64(&codec::encode(signed)),
        line,
    }
}

impl ServedNode {
    fn outlook(&self, submitter: Option<u32>) -> Option<OutlookReport> {
        let made = self.outlooks.get()?;
        let proof = submitter.and_then(|id| made.outlook.prove(ParticipantId::new(id)));
        Some(outlook_report(&made.signed, proof.as_ref()))
    }

    fn status(&self) -> Read<StatusReport> {
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
            validator: validator.map(|id| id.get()),
            height: state.height().get(),
            block_hash: state.block_hash().to_string(),
            block_time_ms: state.time().get(),
            state_digest: state.digest().to_string(),
            is_catching_up: situation.is_behind(),
            highest_known_height: situation.known_height().get().max(state.height().get()),
            is_ready: standing.reason.is_none(),
            standing,
            peers,
            pool_batch_count: self.vitals.pool_batches.load(Ordering::Relaxed),
            pool_item_count: self.vitals.pool_items.load(Ordering::Relaxed),
            uptime_ms: milliseconds(self.started.elapsed()),
        })
    }

    /// Validators that blocks hold evidence against, the newest first: some of those whose turns
    /// come last for it.
    fn caught(&self) -> Read<Vec<CaughtReport>> {
        let (head, _) = self.orders.state.head();
        let height = head.minus(EVIDENCE_PENALTY_HEIGHTS);
        let cursor = RecordCursor::first_of(height);
        let found = self.store().evidence(Some(cursor), CAUGHT_MAX);
        let nodes = &self.orders.state.rules().registry.nodes;
        let report = |record: &EvidenceRecord| CaughtReport {
            validator: record.validator.get(),
            name: nodes
                .get(record.validator.get() as usize)
                .map(|node| node.name.clone())
                .unwrap_or_default(),
            height: record.offence_height.get(),
            round: record.offence_round.get(),
            what: format!("two {}", record.kind.name()),
        };
        Ok(found?.iter().rev().map(report).collect())
    }
}
