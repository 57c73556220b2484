//! The outlooks that a client has heard and believed, of each node the last.
//!
//! An outlook counts only if the node that was asked signed it, with the key that genesis or
//! registry has for that node. A forged, old or foreign one is an error and changes nothing.

use chain_types::{ChainGenesis, ChainId, ParticipantId, PublicKey, TimeMs, ValidatorId};
use consensus_scheduler::OutlookError;
use consensus_scheduler::outlook::{OutlookHead, OutlookLine};
use rpc_api::{NodeReport, OutlookReport};

use crate::outlook::{OutlookFault, check_outlook};

/// The key that signs each node's outlooks, by the node's place in the registry.
#[derive(Debug, Clone)]
pub struct OutlookKeys(Vec<Option<PublicKey>>);

impl OutlookKeys {
    /// The keys that the genesis file has.
    pub fn of_genesis(genesis: &ChainGenesis) -> Self {
        let keys = genesis.nodes.iter().map(|node| Some(node.validator_key));
        Self(keys.map(|key| key.filter(PublicKey::is_usable)).collect())
    }

    /// The keys of a registry's nodes, in its order, as a node tells them.
    pub fn of_nodes(nodes: &[NodeReport]) -> Self {
        let key = |text: &String| PublicKey::from_hex(text).filter(PublicKey::is_usable);
        Self(nodes.iter().map(|node| key(&node.validator_key)).collect())
    }

    fn get(&self, place: ValidatorId) -> Option<PublicKey> {
        self.0.get(usize::try_from(place.get()).ok()?).copied().flatten()
    }
}

/// An outlook that was believed.
#[derive(Debug, Clone)]
pub struct HeardOutlook {
    /// The answer of the node, with the bytes that it signed.
    pub report: OutlookReport,
    /// The head of those bytes.
    pub head: OutlookHead,
    /// The submitter's line of those bytes, if it has one.
    pub line: Option<OutlookLine>,
    /// When it was heard, in microseconds of the client's clock.
    pub heard_us: u64,
}

impl HeardOutlook {
    /// Returns the submitter's share, in items a second. Without a line it is that of others, at
    /// the standard weight.
    pub fn share_items_per_s(&self) -> u64 {
        self.line.map_or(self.head.share_of_others, |line| line.share_items_per_s)
    }
}

/// The last outlook of each node that a client talks to.
#[derive(Debug)]
pub struct HeardOutlooks {
    chain_id: ChainId,
    submitter: ParticipantId,
    keys: OutlookKeys,
    nodes: Vec<NodeWord>,
}

#[derive(Debug, Clone, Default)]
struct NodeWord {
    /// The node's place in the registry; that of its first outlook if nobody knew it before.
    place: Option<ValidatorId>,
    last: Option<HeardOutlook>,
}

impl HeardOutlooks {
    /// Nothing heard yet of `nodes` nodes about one submitter.
    pub fn new(
        chain_id: ChainId,
        submitter: ParticipantId,
        keys: OutlookKeys,
        nodes: usize,
    ) -> Self {
        Self { chain_id, submitter, keys, nodes: vec![NodeWord::default(); nodes] }
    }

    /// Hears an answer of the node of this index among those that the client talks to.
    ///
    /// # Errors
    /// [`OutlookFault`] for an outlook that is malformed, forged, old, of another chain, node or
    /// submitter, or made before one that was heard of this node.
    pub fn hear(
        &mut self,
        node: usize,
        report: OutlookReport,
        now_us: u64,
    ) -> Result<&HeardOutlook, OutlookFault> {
        let claimed = ValidatorId::new(report.node);
        let foreign = OutlookFault::Refuted(OutlookError::Node(claimed));
        let is_others = self.nodes.iter().any(|other| other.place == Some(claimed));
        let place = match self.nodes.get(node).map(|word| word.place) {
            Some(Some(place)) => place,
            Some(None) if !is_others => claimed,
            _ => return Err(foreign),
        };
        let Some(key) = self.keys.get(place) else { return Err(foreign) };
        let (now, submitter) = (TimeMs::new(now_us / 1_000), Some(self.submitter));
        let (head, line) = check_outlook(&report, self.chain_id, (place, &key), submitter, now)?;
        let word = &mut self.nodes[node];
        if word.last.as_ref().is_some_and(|last| last.head.made_at > head.made_at) {
            return Err(OutlookError::Old(head.valid_until).into());
        }
        word.place = Some(place);
        Ok(word.last.insert(HeardOutlook { report, head, line, heard_us: now_us }))
    }

    /// Returns the last outlook of a node.
    pub fn last(&self, node: usize) -> Option<&HeardOutlook> {
        self.nodes.get(node)?.last.as_ref()
    }

    /// Returns the outlook that was heard last of any node.
    pub fn newest(&self) -> Option<&HeardOutlook> {
        let heard = self.nodes.iter().filter_map(|word| word.last.as_ref());
        heard.max_by_key(|outlook| outlook.heard_us)
    }
}
