//! The effect of a governance change on the registry, and when it holds: what the genesis file
//! could not say, governance cannot either.
//!
//! Rules: what is named exists, and names, roles and bounds are as in a genesis file (807);
//! operators and settlement agents are neither gateways nor FX providers (811); a key
//! is nobody's, and was nobody's as far as withdrawn keys are remembered (808); at least four
//! validators are left (805), none of which alone can stop the chain, and operators of enough legal
//! entities to approve anything (806); the spans of order ids and of quotes' holds are fixed (809).
//!
//! A node's keys change both at once, and a node is removed for good: it keeps its place, which is
//! its id, and its name, and has neither keys nor power.

use std::collections::BTreeSet;
use std::sync::Arc;

use chain_state::{
    KeyOwner, MerchantRecord, Overlay, ProgrammeRecord, RegistrarRecord, RegistryContent,
};
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::registry::{RegistryBounds, is_legal_entity, is_name, is_node_name};
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{
    Change, Height, Merchant, MerchantId, Node, Parameters, Participant, ParticipantId, Programme,
    PublicKey, RegistrarLimits, Rejection, Roles, ValidatorSet,
};

/// The fewest validators that a change may leave: one of them may fail.
const VALIDATORS_MIN: usize = 4;
/// The largest voting power of a node.
const POWER_MAX: u64 = 1_000_000_000;
/// Parameters that never change. The memory of recent orders rests on them: a node that starts
/// works out from them alone which of these have ended.
const FIXED: [&str; 4] = ["order_skew_ms", "order_validity_ms", "quote_hold_ms", "reservation_ms"];

/// The effect of a change on the next block.
pub(crate) enum After {
    /// The registry as it is after the change.
    Registry(Box<RegistryContent>),
    /// A merchant, new or changed.
    Merchant(MerchantRecord),
    /// A cashback programme's next version.
    Programme(Programme),
    /// The limits of a merchant registrar.
    Registrar(ParticipantId, RegistrarLimits),
}

/// Applies a change to the registry, merchants and programmes so far, when it takes effect for
/// the block of `height`.
pub(crate) fn check(
    overlay: &Overlay<'_>,
    change: &Change,
    height: Height,
) -> Result<After, Rejection> {
    let (before, bounds) = (overlay.next_registry(), overlay.state().bounds());
    check_room(overlay, change, bounds)?;
    let mut content = match change {
        Change::Merchant(merchant) => {
            return put_merchant(overlay, merchant, height).map(After::Merchant);
        }
        Change::MerchantSuspended { merchant, suspended } => {
            let known = overlay.next_merchant(*merchant).ok_or(Rejection::ChangeInvalid)?;
            let merchant = Merchant { suspended: *suspended, ..known.merchant.clone() };
            return Ok(After::Merchant(MerchantRecord { merchant, ..*known }));
        }
        Change::Programme(programme) => return check_programme(overlay, programme),
        Change::Registrar { participant, limits } => {
            return check_limits(overlay, *participant, *limits);
        }
        // No list holds a list: see [`crate::lists`].
        Change::List { .. } => return Err(Rejection::ChangeInvalid),
        _ => before.clone(),
    };
    match change {
        Change::Participant(participant) => put_participant(overlay, &mut content, participant)?,
        Change::Key { participant, public_key, overlap_heights } => {
            rotate(&mut content, *participant, *public_key, *overlap_heights, height)?;
        }
        Change::ParticipantSuspended { participant, suspended } => {
            find(&mut content, *participant)?.suspended = *suspended;
        }
        Change::Parameter { index, value } => {
            content.parameters = parameter(&content.parameters, *index, *value)?;
        }
        Change::Node(node) => add_node(&mut content, node)?,
        Change::Power { node, power } => set_power(&mut content, *node, *power)?,
        Change::Currency(currency) => {
            let is_known = content.currencies.contains(currency);
            if is_known || currency.exponent().is_none() {
                return Err(Rejection::ChangeInvalid);
            }
            let currencies = Arc::make_mut(&mut content.currencies);
            currencies.push(*currency);
            currencies.sort_unstable();
        }
        Change::ProtocolVersion(version) => {
            if *version <= content.protocol_version || *version > PROTOCOL_VERSION {
                return Err(Rejection::ChangeInvalid);
            }
            content.protocol_version = *version;
        }
        Change::NodeKeys { node, network_key, validator_key } => {
            rotate_node(&mut content, *node, *network_key, *validator_key, height)?;
        }
        Change::NodeRemoved { node } => remove_node(&mut content, *node, height)?,
        // Above.
        Change::Merchant(_)
        | Change::MerchantSuspended { .. }
        | Change::Programme(_)
        | Change::Registrar { .. }
        | Change::List { .. } => {}
    }
    content.forget_keys(bounds.withdrawn_keys);
    check_validators(before, &content)?;
    check_operators(before, &content)?;
    Ok(After::Registry(Box::new(content)))
}

/// Checks that the registry has room for what a change would add.
fn check_room(
    overlay: &Overlay<'_>,
    change: &Change,
    bounds: &RegistryBounds,
) -> Result<(), Rejection> {
    let content = overlay.next_registry();
    let has_room = match change {
        Change::Participant(new) => {
            let is_known = content.participant(new.id).is_some();
            is_known || content.participants.len() < bounds.participants
        }
        Change::Merchant(new) => has_room_for(overlay, new.id, bounds),
        Change::Currency(_) => content.currencies.len() < bounds.currencies,
        Change::Node(_) => {
            let present = content.nodes.iter().filter(|known| !known.is_removed()).count();
            present < bounds.nodes && content.nodes.len() < bounds.node_places
        }
        _ => true,
    };
    if has_room { Ok(()) } else { Err(Rejection::ChangeInvalid) }
}

fn find(content: &mut RegistryContent, id: ParticipantId) -> Result<&mut Participant, Rejection> {
    let at = content.participants.binary_search_by_key(&id, |known| known.id);
    let at = at.map_err(|_| Rejection::ChangeInvalid)?;
    Arc::make_mut(&mut content.participants).get_mut(at).ok_or(Rejection::ChangeInvalid)
}

fn put_participant(
    overlay: &Overlay<'_>,
    content: &mut RegistryContent,
    new: &Participant,
) -> Result<(), Rejection> {
    let all = Roles::NAMES.iter().fold(Roles::default(), |all, (role, _)| all.and(*role));
    let has_known_roles = new.roles.0 != 0 && new.roles.0 & !all.0 == 0;
    let is_named = is_name(&new.name) && is_legal_entity(&new.legal_entity);
    if new.id.get() == 0 || !is_named || !has_known_roles {
        return Err(Rejection::ChangeInvalid);
    }
    if !new.roles.are_separate() {
        return Err(Rejection::RolesJoined);
    }
    match content.participants.binary_search_by_key(&new.id, |known| known.id) {
        Ok(at) => {
            let participants = Arc::make_mut(&mut content.participants);
            let known = participants.get_mut(at).ok_or(Rejection::ChangeInvalid)?;
            // A key changes by a rotation, and a suspension by its own change.
            if known.public_key != new.public_key || known.suspended != new.suspended {
                return Err(Rejection::ChangeInvalid);
            }
            *known = new.clone();
        }
        Err(at) => {
            check_key(content, new.public_key)?;
            Arc::make_mut(&mut content.participants).insert(at, new.clone());
        }
    }
    check_duties(overlay, content, new)
}

/// A participant that pays merchants stays a gateway; one that runs a node stays an operator.
fn check_duties(
    overlay: &Overlay<'_>,
    content: &RegistryContent,
    new: &Participant,
) -> Result<(), Rejection> {
    let pays = overlay.next_merchants_paid(new.id) > 0;
    let runs = || content.nodes.iter().any(|node| !node.is_removed() && node.operator == new.id);
    let is_gateway = new.roles.any_of(Roles::GATEWAY);
    let is_operator = new.roles.any_of(Roles::SETTLEMENT_OPERATOR);
    if (pays && !is_gateway) || (!is_operator && runs()) {
        return Err(Rejection::ChangeInvalid);
    }
    Ok(())
}

fn rotate(
    content: &mut RegistryContent,
    id: ParticipantId,
    new: PublicKey,
    overlap_heights: u64,
    height: Height,
) -> Result<(), Rejection> {
    find(content, id)?;
    let end = height.get().checked_add(overlap_heights).ok_or(Rejection::ChangeInvalid)?;
    check_key(content, new)?;
    let known = find(content, id)?;
    let before = std::mem::replace(&mut known.public_key, new);
    // A height before the first is none.
    let last = Height::new(end.saturating_sub(1));
    content.withdraw(before, KeyOwner::Participant(id), last);
    if overlap_heights == 0 {
        Arc::make_mut(&mut content.previous_keys).remove(&id);
    } else {
        Arc::make_mut(&mut content.previous_keys).insert(id, (before, last));
    }
    Ok(())
}

/// A key is usable, and neither is nor was somebody's.
fn check_key(content: &RegistryContent, key: PublicKey) -> Result<(), Rejection> {
    if !key.is_usable() {
        return Err(Rejection::ChangeInvalid);
    }
    let of_participants = content.participants.iter().map(|known| known.public_key);
    let previous = content.previous_keys.values().map(|(key, _)| *key);
    let of_nodes = content.nodes.iter().flat_map(|node| [node.network_key, node.validator_key]);
    let withdrawn = content.withdrawn_keys.iter().map(|one| one.key);
    let mut used = of_participants.chain(previous).chain(of_nodes).chain(withdrawn);
    if used.any(|used| used == key) {
        return Err(Rejection::KeyInUse);
    }
    Ok(())
}

/// A merchant that is new or changed from the block of `height` on, if there is room for it.
pub(crate) fn check_merchant(
    overlay: &Overlay<'_>,
    new: &Merchant,
    height: Height,
) -> Result<MerchantRecord, Rejection> {
    if !has_room_for(overlay, new.id, overlay.state().bounds()) {
        return Err(Rejection::ChangeInvalid);
    }
    put_merchant(overlay, new, height)
}

fn has_room_for(overlay: &Overlay<'_>, merchant: MerchantId, bounds: &RegistryBounds) -> bool {
    let is_known = overlay.next_merchant(merchant).is_some();
    is_known || overlay.next_merchant_count() < bounds.merchants
}

fn put_merchant(
    overlay: &Overlay<'_>,
    new: &Merchant,
    height: Height,
) -> Result<MerchantRecord, Rejection> {
    let is_named = is_name(&new.name) && is_legal_entity(&new.legal_entity);
    if new.id.get() == 0 || i64::try_from(new.id.get()).is_err() || !is_named {
        return Err(Rejection::ChangeInvalid);
    }
    let known = overlay.next_merchant(new.id);
    // A suspension has its own change.
    if known.is_some_and(|known| known.merchant.suspended != new.suspended) {
        return Err(Rejection::ChangeInvalid);
    }
    let payer = overlay.next_registry().participant(new.payout_gateway);
    if !payer.is_some_and(|payer| payer.roles.any_of(Roles::GATEWAY)) {
        return Err(Rejection::ChangeInvalid);
    }
    Ok(MerchantRecord { merchant: new.clone(), changed: Some(height) })
}

fn parameter(parameters: &Parameters, index: u16, value: u64) -> Result<Parameters, Rejection> {
    let name = Parameters::NAMES.get(usize::from(index)).ok_or(Rejection::ChangeInvalid)?;
    if FIXED.contains(name) {
        return Err(Rejection::ParameterFixed);
    }
    parameters.with(index, value).map_err(|_| Rejection::ChangeInvalid)
}

fn add_node(content: &mut RegistryContent, node: &Node) -> Result<(), Rejection> {
    let operator = find(content, node.operator)?;
    let is_run_by_operator = operator.roles.any_of(Roles::SETTLEMENT_OPERATOR);
    let is_free = content.nodes.iter().all(|known| known.name != node.name);
    let is_within = is_node_name(&node.name) && node.power <= POWER_MAX;
    if !is_run_by_operator || !is_free || !is_within {
        return Err(Rejection::ChangeInvalid);
    }
    // A voter's two keys differ; an edge node has one.
    if node.has_vote_key() == (node.power == 0) || !node.validator_key.is_usable() {
        return Err(Rejection::ChangeInvalid);
    }
    check_key(content, node.network_key)?;
    check_key(content, node.validator_key)?;
    Arc::make_mut(&mut content.nodes).push(node.clone());
    Ok(())
}

/// A node that is not removed.
fn present(content: &mut RegistryContent, node: u32) -> Result<&mut Node, Rejection> {
    let nodes = Arc::make_mut(&mut content.nodes);
    let found = usize::try_from(node).ok().and_then(|at| nodes.get_mut(at));
    found.filter(|node| !node.is_removed()).ok_or(Rejection::ChangeInvalid)
}

fn set_power(content: &mut RegistryContent, node: u32, power: u64) -> Result<(), Rejection> {
    let found = present(content, node)?;
    if power > POWER_MAX || !found.has_vote_key() {
        return Err(Rejection::ChangeInvalid);
    }
    found.power = power;
    Ok(())
}

/// Both keys of a node, from the block of `height` on. A node with one key gets one again, a node
/// with two gets two: what it may become stays with the change that added it.
fn rotate_node(
    content: &mut RegistryContent,
    node: u32,
    network_key: PublicKey,
    validator_key: PublicKey,
    height: Height,
) -> Result<(), Rejection> {
    let has_vote_key = present(content, node)?.has_vote_key();
    let keeps_its_form = has_vote_key == (network_key != validator_key);
    if !keeps_its_form || !network_key.is_usable() || !validator_key.is_usable() {
        return Err(Rejection::ChangeInvalid);
    }
    check_key(content, network_key)?;
    check_key(content, validator_key)?;
    withdraw_keys(content, node, height)?;
    let found = present(content, node)?;
    found.network_key = network_key;
    found.validator_key = validator_key;
    Ok(())
}

fn remove_node(content: &mut RegistryContent, node: u32, height: Height) -> Result<(), Rejection> {
    withdraw_keys(content, node, height)?;
    present(content, node)?.remove();
    Ok(())
}

/// Remembers the present keys of a node as those that held up to the block before `height`.
fn withdraw_keys(
    content: &mut RegistryContent,
    node: u32,
    height: Height,
) -> Result<(), Rejection> {
    let found = present(content, node)?;
    let (network_key, vote_key) = (found.network_key, found.validator_key);
    let last = height.minus(1);
    content.withdraw(network_key, KeyOwner::Network(node), last);
    if vote_key != network_key {
        content.withdraw(vote_key, KeyOwner::Votes(node), last);
    }
    Ok(())
}

/// A quorum stays reachable when any one validator fails. Looked at when a change touches the
/// powers: a network that began smaller changes everything else.
fn check_validators(before: &RegistryContent, content: &RegistryContent) -> Result<(), Rejection> {
    if Arc::ptr_eq(&before.nodes, &content.nodes) {
        return Ok(());
    }
    let powers = |content: &RegistryContent| -> Vec<u64> {
        content.nodes.iter().map(|node| node.power).filter(|power| *power > 0).collect()
    };
    if powers(before) == powers(content) {
        return Ok(());
    }
    let validators = ValidatorSet::of_nodes(&content.nodes);
    let count = validators.as_slice().len();
    if count < VALIDATORS_MIN {
        return Err(Rejection::ValidatorsTooFew);
    }
    if count > VALIDATORS_MAX {
        return Err(Rejection::ChangeInvalid);
    }
    let total = validators.total_power();
    let is_heavy = |power: u64| u128::from(power) * 3 >= total;
    if validators.as_slice().iter().any(|validator| is_heavy(validator.power)) {
        return Err(Rejection::QuorumUnreachable);
    }
    Ok(())
}

/// Operators of enough legal entities are left to approve the next change; a chain that never had
/// enough may only gain some.
fn check_operators(before: &RegistryContent, after: &RegistryContent) -> Result<(), Rejection> {
    let has_same_parties = Arc::ptr_eq(&before.participants, &after.participants);
    if has_same_parties && before.parameters == after.parameters {
        return Ok(());
    }
    let count = |content: &RegistryContent| {
        let operators = content.participants.iter().filter(|known| is_operator(known));
        operators.map(Participant::house).collect::<BTreeSet<_>>().len()
    };
    let needed = after.parameters.governance_approvals as usize;
    let is_lessened = count(after) < count(before)
        || after.parameters.governance_approvals > before.parameters.governance_approvals;
    if is_lessened && count(after) < needed {
        return Err(Rejection::QuorumUnreachable);
    }
    Ok(())
}

fn check_programme(overlay: &Overlay<'_>, programme: &Programme) -> Result<After, Rejection> {
    let registry = overlay.next_registry();
    let is_gateway = |id: &ParticipantId| {
        let found = registry.participant(*id);
        found.is_some_and(|found| found.roles.any_of(Roles::GATEWAY))
    };
    let is_known = overlay.next_merchant(programme.merchant).is_some()
        && programme.gateways.iter().all(is_gateway)
        && registry.currencies.binary_search(&programme.currency).is_ok();
    if is_known && programme.is_well_formed() {
        Ok(After::Programme(programme.clone()))
    } else {
        Err(Rejection::ChangeInvalid)
    }
}

/// Checks new limits of a registrar. The counts of the day so far stay.
fn check_limits(
    overlay: &Overlay<'_>,
    participant: ParticipantId,
    limits: RegistrarLimits,
) -> Result<After, Rejection> {
    let registry = overlay.next_registry();
    let has = |id, role| registry.participant(id).is_some_and(|found| found.roles.any_of(role));
    if has(participant, Roles::MERCHANT_REGISTRAR) && has(limits.gateway, Roles::GATEWAY) {
        Ok(After::Registrar(participant, limits))
    } else {
        Err(Rejection::ChangeInvalid)
    }
}

/// Puts limits into effect.
fn put_limits(overlay: &mut Overlay<'_>, participant: ParticipantId, limits: RegistrarLimits) {
    let known = overlay.tables().registrars().get(&participant).copied();
    let fresh = RegistrarRecord { limits, day: 0, added: 0, changed: 0 };
    let record = known.map_or(fresh, |known| RegistrarRecord { limits, ..known });
    overlay.tables().registrars().put(participant, record);
}

/// Puts what [`check`] gave into effect for blocks from `next` on.
pub(crate) fn put(overlay: &mut Overlay<'_>, change: &Change, after: After, next: Height) {
    match after {
        After::Registry(content) => overlay.replace_registry(*content, change.clone()),
        After::Merchant(record) => overlay.put_merchant(record),
        After::Registrar(participant, limits) => {
            put_limits(overlay, participant, limits);
        }
        After::Programme(programme) => {
            let key = (programme.merchant, programme.currency);
            let known = overlay.tables().programmes().get(&key).cloned();
            let mut record = known.unwrap_or_else(|| ProgrammeRecord {
                number: overlay.number_programme(),
                versions: Vec::new(),
            });
            record.versions.push((next, programme));
            overlay.tables().programmes().put(key, record);
        }
    }
}

/// Returns true if a participant may vote now.
pub(crate) fn is_operator(participant: &Participant) -> bool {
    !participant.suspended && participant.roles.any_of(Roles::SETTLEMENT_OPERATOR)
}
