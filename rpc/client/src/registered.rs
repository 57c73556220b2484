//! Finds the key that the chain has registered for a party: the registry at the head, not the
//! genesis file.
//!
//! A node's word is enough here, for nothing rests on it: a signature is bound to the chain id of
//! the party's own genesis file and covers items that were made here, and the chain judges the key
//! once more. A node that lies can only be in the way, so every node is asked before a key is
//! refused. What a node says of its chain id is compared with the file's.

use std::path::Path;
use std::time::Duration;

use chain_types::{ChainGenesis, Participant, ParticipantId, ProposalStatus, PublicKey};
use futures::FutureExt as _;
use rpc_api::{
    ChainRpcClient as _, ChangeReport, GovernanceRpcClient as _, ProposalReport,
    RegisteredParticipant, RegistryReport,
};

use super::client::{CallError, Client};
use super::party::Party;

/// How long one node may take to answer, in milliseconds.
const ASK_MS: u64 = 10_000;
/// How many proposals a page asks for.
const PAGE_ITEMS: u32 = 1_000;
/// How many pages of proposals are looked through for what the chain said of a key.
const PAGES_MAX: usize = 10;

/// The standing that a registry gives to a key that signs for a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStanding {
    /// It is the participant's key.
    Current,
    /// It was replaced by another key, and batches with it are accepted up to a height.
    Replaced {
        /// The key that replaced it.
        by: PublicKey,
        /// The last height whose block accepts it.
        until_height: u64,
    },
    /// The participant has another key.
    Other(PublicKey),
    /// There is no participant of this id.
    Unknown,
    /// The answer names no key that signatures can be checked with.
    Malformed,
}

impl KeyStanding {
    /// Returns the standing of `key` as the key of `participant` in `registry`.
    pub fn of(registry: &RegistryReport, participant: ParticipantId, key: PublicKey) -> Self {
        let Some(registered) = find(registry, participant) else { return Self::Unknown };
        let current = PublicKey::from_hex(&registered.participant.public_key);
        let Some(current) = current.filter(PublicKey::is_usable) else { return Self::Malformed };
        if current == key {
            return Self::Current;
        }
        let previous = registered.previous_key.as_ref();
        match previous.filter(|previous| previous.public_key == key.to_string()) {
            Some(previous) => Self::Replaced { by: current, until_height: previous.until_height },
            None => Self::Other(current),
        }
    }

    /// Returns true if a batch signed with the key applies in the next block.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Current | Self::Replaced { .. })
    }
}

/// The participant of an id.
pub fn find(registry: &RegistryReport, id: ParticipantId) -> Option<&RegisteredParticipant> {
    registry.participants.iter().find(|known| known.participant.participant == id.get())
}

/// A node's answer about a party's key.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The URL of the node that answered.
    pub url: String,
    /// The registry of the node's head.
    pub registry: RegistryReport,
    /// The standing of the party's key in that registry.
    pub standing: KeyStanding,
}

/// Why a party's key is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// Every node that answers is of another chain.
    #[error(
        "{url} serves chain {actual}, and the genesis file is of chain {expected}; use the genesis \
         file and the nodes of the same network"
    )]
    Chain {
        /// The URL of the node that answered.
        url: String,
        /// The chain id of the node.
        actual: String,
        /// The chain id of the genesis file.
        expected: String,
    },
    /// The registry has no such participant.
    #[error(
        "the registry has no participant {participant} at height {height}; settlement operators \
         add it: `sluice submit --kind proposal --set change=participant ...` with the public key \
         {key}"
    )]
    Unknown {
        /// The participant whose key was checked.
        participant: ParticipantId,
        /// The height of the node's head.
        height: u64,
        /// The key in the participant's key file.
        key: PublicKey,
    },
    /// The registry has another key.
    #[error(
        "the key {key} does not sign for participant {participant}: {registered} is registered \
         {since} (registry at height {height}); {remedy}"
    )]
    Other {
        /// The participant whose key was checked.
        participant: ParticipantId,
        /// The key in the participant's key file.
        key: PublicKey,
        /// The key that signs.
        registered: PublicKey,
        /// Since when, in words.
        since: Box<str>,
        /// The height of the node's head.
        height: u64,
        /// The remedy in one sentence.
        remedy: Box<str>,
    },
    /// An answer that is not a registry.
    #[error("{url} names no usable key for participant {participant}; ask another node with --rpc")]
    Malformed {
        /// The URL of the node that answered.
        url: String,
        /// The participant whose key was checked.
        participant: ParticipantId,
    },
}

/// Asks what the chain says of a party's key, node after node until one accepts it. `None` when no
/// node answers: then the chain will judge the key.
///
/// # Errors
/// When every node that answers refuses the key; the word of the node with the greatest height
/// counts.
pub async fn check(
    party: &Party,
    genesis: &ChainGenesis,
    config: &Path,
) -> Result<Option<Asked>, KeyRefused> {
    match newest(party).await? {
        Some(asked) if !asked.standing.is_accepted() => {
            Err(refusal(party, genesis, config, asked).await)
        }
        asked => Ok(asked),
    }
}

/// Asks the nodes about a party's key. Returns the word of the first node that accepts it, else
/// that of the greatest height; `None` when no node answers.
///
/// # Errors
/// When every node that answers is of another chain.
pub async fn newest(party: &Party) -> Result<Option<Asked>, KeyRefused> {
    let mut newest: Option<Asked> = None;
    let mut stranger = None;
    for at in 0..party.client.node_count() {
        let node = party.first_node + at;
        let url = party.client.url(node).to_owned();
        let answer = tokio::time::timeout(Duration::from_millis(ASK_MS), ask(&party.client, node));
        let Ok(Ok((chain_id, registry))) = answer.await else { continue };
        let expected = party.chain_id.to_string();
        if chain_id != expected {
            stranger.get_or_insert(KeyRefused::Chain { url, actual: chain_id, expected });
            continue;
        }
        let standing = KeyStanding::of(&registry, party.id, party.key.public_key());
        let asked = Asked { url, registry, standing };
        if asked.standing.is_accepted() {
            return Ok(Some(asked));
        }
        if newest.as_ref().is_none_or(|other| other.registry.height < asked.registry.height) {
            newest = Some(asked);
        }
    }
    match (newest, stranger) {
        (None, Some(stranger)) => Err(stranger),
        (newest, _) => Ok(newest),
    }
}

async fn ask(client: &Client, node: usize) -> Result<(String, RegistryReport), CallError> {
    let chain_id = client.ask_node(node, |node| node.id().boxed()).await?;
    let registry = client.ask_node(node, |node| node.registry().boxed()).await?;
    Ok((chain_id, registry))
}

/// Why the key is not used, with what the chain's proposals tell of it.
async fn refusal(party: &Party, genesis: &ChainGenesis, config: &Path, asked: Asked) -> KeyRefused {
    let (participant, key, height) = (party.id, party.key.public_key(), asked.registry.height);
    let registered = match asked.standing {
        KeyStanding::Other(registered) => registered,
        KeyStanding::Unknown => return KeyRefused::Unknown { participant, height, key },
        _ => return KeyRefused::Malformed { url: asked.url, participant },
    };
    // Nothing but the words of the message rests on it.
    let proposals = proposals(&party.client, false).await.unwrap_or_default();
    let since = since_text(&proposals, genesis, participant, registered).into();
    let remedy = remedy_text(&proposals, participant, key, config).into();
    KeyRefused::Other { participant, key, registered, since, height, remedy }
}

/// The newest proposals, at most ten thousand of them.
///
/// # Errors
/// [`CallError`].
pub async fn proposals(client: &Client, open_only: bool) -> Result<Vec<ProposalReport>, CallError> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let from = cursor.take();
        let page = client
            .ask(|node| node.proposals(Some(open_only), from.clone(), Some(PAGE_ITEMS)).boxed());
        let page = page.await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Returns true if a proposal gives a participant this key.
pub fn registers(proposal: &ProposalReport, id: ParticipantId, key: PublicKey) -> bool {
    match &proposal.change {
        ChangeReport::Key { participant, public_key, .. } => {
            *participant == id.get() && *public_key == key.to_string()
        }
        ChangeReport::Participant(new) => {
            new.participant == id.get() && new.public_key == key.to_string()
        }
        _ => false,
    }
}

fn since_text(
    proposals: &[ProposalReport],
    genesis: &ChainGenesis,
    id: ParticipantId,
    key: PublicKey,
) -> String {
    let is_effective = |proposal: &&ProposalReport| proposal.status == ProposalStatus::Effective;
    let found = proposals.iter().filter(is_effective).find(|one| registers(one, id, key));
    let of_genesis = |known: &Participant| known.public_key == key;
    match found {
        // The block that put it into effect is the last one under the key before.
        Some(proposal) => format!("since block {}", proposal.status_height.saturating_add(1)),
        None if genesis.participant(id).is_some_and(of_genesis) => {
            "since block 0, in the genesis file".to_owned()
        }
        None => "since a block that this node does not tell".to_owned(),
    }
}

fn remedy_text(
    proposals: &[ProposalReport],
    id: ParticipantId,
    key: PublicKey,
    config: &Path,
) -> String {
    let found = proposals.iter().find(|one| registers(one, id, key));
    let config = config.display();
    match found.map(|proposal| (proposal.status, proposal)) {
        Some((ProposalStatus::Proposed, proposal)) => format!(
            "the proposal {} to register this one waits for approvals: sign with the registered \
             key until it is in effect",
            proposal.proposal_id
        ),
        Some((ProposalStatus::Scheduled, proposal)) => format!(
            "this one is registered from block {} on: sign with the registered key until then",
            proposal.due_height
        ),
        _ => format!(
            "let `key` in {config} name the file of the registered key; if that file is lost, \
             make one with `sluice key new`, and let settlement operators propose change=key"
        ),
    }
}

#[cfg(test)]
mod tests;
