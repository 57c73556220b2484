//! Lists of changes: merchants and programmes that one proposal changes together, all or none.
//!
//! Operations: `give`, by a settlement operator, a batch at a time; `expire`, by block time;
//! and what `governance` asks of the list that a proposal names.
//!
//! Rules of a change of a list, in order: spare bytes are zero (201); the bytes are a change of a
//! merchant or programme (803). If one of a batch is refused, all others are (813). The same list
//! of the same maker is repeated; there is room for it (814).
//!
//! Rules of a proposal that names a list: its maker gave one of this digest and count, and no
//! proposal has named it (815); it is not about the maker's own legal entity (117); its changes
//! hold in their order (807). A list is looked at once: one that does not hold is forgotten.
//!
//! Whom a list is about is worked out when it is proposed, and once more when it takes effect. It
//! is not held against the registry in between: what a word costs does not grow with the list.
//!
//! Always: a block takes over all changes of a list, or none, and those of one list at most.

use chain_state::{BeforeList, ListConcern, ListKey, ListRecord, Overlay, ProposalRecord};
use chain_types::{
    Change, Digest, Height, ListedChangeItem, MerchantId, Outcome, Participant, ParticipantId,
    ProposalId, Rejection,
};

use crate::changes;

/// The most lists that wait for a proposal or for its end.
pub const LISTS_MAX: usize = 32;
/// The most of them that one operator gave.
pub const LISTS_OF_ONE_MAX: usize = 8;

/// An operator gives a list: the outcomes of its items. `digest` is the items root of its batch.
pub(crate) fn give(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    items: &[ListedChangeItem],
    digest: Digest,
) -> Vec<Outcome> {
    let read: Vec<Result<Change, Rejection>> = items.iter().map(read).collect();
    if read.iter().any(Result::is_err) {
        let refused = |one: &Result<Change, Rejection>| match one {
            Ok(_) => Outcome::from(Rejection::ListIncomplete),
            Err(rejection) => Outcome::from(*rejection),
        };
        return read.iter().map(refused).collect();
    }
    let key = (submitter.id, digest);
    let outcome = match check_room(overlay, &key) {
        Ok(()) => {
            let time = overlay.time();
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            let record = ListRecord { count, given: time, proposal: None };
            overlay.tables().lists().put(key, record);
            let mut listed = overlay.tables().listed_changes();
            for (place, change) in (0..).zip(read.into_iter().flatten()) {
                listed.put((key, place), change);
            }
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    };
    vec![outcome; items.len()]
}

fn read(item: &ListedChangeItem) -> Result<Change, Rejection> {
    if item.spare != [0; 5] {
        return Err(Rejection::SpareNotZero);
    }
    item.change().ok_or(Rejection::ChangeMalformed)
}

fn check_room(overlay: &mut Overlay<'_>, key: &ListKey) -> Result<(), Outcome> {
    let lists = overlay.tables().lists();
    if lists.get(key).is_some() {
        return Err(Outcome::REPEATED);
    }
    let makers = lists.range(..).map(|((maker, _), _)| *maker);
    let (count, own) =
        makers.fold((0, 0), |(count, own), maker| (count + 1, own + usize::from(maker == key.0)));
    if count >= LISTS_MAX || own >= LISTS_OF_ONE_MAX {
        return Err(Rejection::ListsFull.into());
    }
    Ok(())
}

/// Forgets lists that nobody proposed in time.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let (state, time) = (overlay.state(), overlay.time());
    let waits_ms = state.parameters().proposal_validity_ms;
    let is_late = |list: &ListRecord| list.proposal.is_none() && list.given.plus(waits_ms) < time;
    for (key, _) in state.tables().lists.iter().filter(|(_, list)| is_late(list)) {
        forget(overlay, key);
    }
}

/// The list that a change of this maker names.
fn key_of(maker: ParticipantId, change: &Change) -> Option<ListKey> {
    match change {
        Change::List { digest, .. } => Some((maker, *digest)),
        _ => None,
    }
}

/// Checks a proposal that names a list, and takes the list for it.
pub(crate) fn propose(
    overlay: &mut Overlay<'_>,
    maker: &Participant,
    id: ProposalId,
    (digest, count): (Digest, u32),
    activation: Height,
) -> Result<(), Rejection> {
    let key = (maker.id, digest);
    let known = overlay.tables().lists().get(&key).copied();
    let is_free = |list: &ListRecord| list.count == count && list.proposal.is_none();
    let list = known.filter(is_free).ok_or(Rejection::ListUnknown)?;
    let changes = changes_of(overlay, &key);
    note_concerns(overlay, &key, &changes);
    let holds = if is_about(overlay, &key, maker) {
        Err(Rejection::OwnEntity)
    } else {
        make_all(overlay, &changes, activation).map(|before| overlay.take_list_back(before))
    };
    match holds {
        Ok(()) => overlay.tables().lists().put(key, ListRecord { proposal: Some(id), ..list }),
        Err(_) => forget(overlay, &key),
    }
    holds
}

/// Returns true if the list of a proposal is about an operator, or its legal entity.
pub(crate) fn concerns(
    overlay: &Overlay<'_>,
    operator: &Participant,
    record: &ProposalRecord,
) -> bool {
    key_of(record.maker, &record.change).is_some_and(|key| is_about(overlay, &key, operator))
}

fn is_about(overlay: &Overlay<'_>, key: &ListKey, operator: &Participant) -> bool {
    let has = |concern| overlay.is_list_about(*key, concern);
    let entity = &operator.legal_entity;
    has(ListConcern::Party(operator.id))
        || (!entity.is_empty() && has(ListConcern::Entity(entity.clone())))
}

/// Works out whom the list of a proposal is about now, before it takes effect.
pub(crate) fn look_again(overlay: &mut Overlay<'_>, record: &ProposalRecord) {
    if let Some(key) = key_of(record.maker, &record.change) {
        forget_concerns(overlay, &key);
        let changes = changes_of(overlay, &key);
        note_concerns(overlay, &key, &changes);
    }
}

/// Puts the list of a proposal into effect for blocks from `next` on.
pub(crate) fn take_effect(
    overlay: &mut Overlay<'_>,
    record: &ProposalRecord,
    next: Height,
) -> Result<(), Rejection> {
    let key = key_of(record.maker, &record.change).ok_or(Rejection::ListUnknown)?;
    let changes = changes_of(overlay, &key);
    make_all(overlay, &changes, next).map(|_| ())
}

/// Forgets the list of a proposal that is closed.
pub(crate) fn close(overlay: &mut Overlay<'_>, record: &ProposalRecord) {
    if let Some(key) = key_of(record.maker, &record.change) {
        forget(overlay, &key);
    }
}

/// Makes all changes for blocks from `height` on, and gives what was before them; or makes none.
fn make_all(
    overlay: &mut Overlay<'_>,
    changes: &[Change],
    height: Height,
) -> Result<BeforeList, Rejection> {
    let before = overlay.before_list(changes);
    for change in changes {
        match changes::check(overlay, change, height) {
            Ok(after) => changes::put(overlay, change, after, height),
            Err(rejection) => {
                overlay.take_list_back(before);
                return Err(rejection);
            }
        }
    }
    Ok(before)
}

fn changes_of(overlay: &mut Overlay<'_>, key: &ListKey) -> Vec<Change> {
    let listed = overlay.tables().listed_changes();
    listed.range((*key, 0)..=(*key, u32::MAX)).map(|(_, change)| change.clone()).collect()
}

/// As [`crate::separation::concerns`] of each change, for whoever asks.
fn note_concerns(overlay: &mut Overlay<'_>, key: &ListKey, changes: &[Change]) {
    let mut concerns = Vec::new();
    let mut note_entity = |entity: &str| {
        if !entity.is_empty() {
            concerns.push(ListConcern::Entity(entity.to_owned()));
        }
    };
    let mut gateways = Vec::new();
    for change in changes {
        let merchant: MerchantId = match change {
            Change::Merchant(new) => {
                note_entity(&new.legal_entity);
                gateways.push(new.payout_gateway);
                new.id
            }
            Change::MerchantSuspended { merchant, .. } => *merchant,
            Change::Programme(programme) => programme.merchant,
            _ => continue,
        };
        if let Some(known) = overlay.next_merchant(merchant) {
            note_entity(&known.merchant.legal_entity);
        }
    }
    gateways.sort_unstable();
    gateways.dedup();
    for gateway in &gateways {
        if let Some(known) = overlay.next_registry().participant(*gateway) {
            note_entity(&known.legal_entity);
        }
    }
    concerns.extend(gateways.into_iter().map(ListConcern::Party));
    let mut noted = overlay.tables().list_concerns();
    for concern in concerns {
        noted.put((*key, concern), ());
    }
}

fn forget(overlay: &mut Overlay<'_>, key: &ListKey) {
    forget_concerns(overlay, key);
    let listed = overlay.tables().listed_changes();
    let range = (*key, 0)..=(*key, u32::MAX);
    let places: Vec<(ListKey, u32)> = listed.range(range).map(|(place, _)| *place).collect();
    let mut listed = overlay.tables().listed_changes();
    places.iter().for_each(|place| listed.remove(place));
    overlay.tables().lists().remove(key);
}

fn forget_concerns(overlay: &mut Overlay<'_>, key: &ListKey) {
    let mut noted = overlay.tables().list_concerns();
    let first = (*key, ListConcern::Party(ParticipantId::new(0)));
    let of_list = noted.range(first..).take_while(|((list, _), ())| list == key);
    let keys: Vec<(ListKey, ListConcern)> = of_list.map(|(concern, ())| concern.clone()).collect();
    keys.iter().for_each(|concern| noted.remove(concern));
}
