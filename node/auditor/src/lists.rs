//! Section 13, lists: changes of merchants and programmes that one proposal makes together.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    BatchHeader, Change, Digest, ListedChangeItem, Outcome, ParticipantId, Rejection,
};

use crate::auditor::{Auditor, Verdict};
use crate::orders::refuse_if;
use crate::registry::Registry;

const LISTS_MAX: usize = 32;
const LISTS_OF_ONE_MAX: usize = 8;

/// A list that was given and is not done with.
#[derive(Debug, Clone)]
struct List {
    changes: Vec<Change>,
    /// The block time at which it was given.
    given: u64,
    is_proposed: bool,
    about: About,
}

/// The gateways and legal entities that a list is about.
#[derive(Debug, Clone, Default)]
struct About {
    gateways: BTreeSet<ParticipantId>,
    entities: BTreeSet<String>,
}

/// Every such list, by its maker and digest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    all: BTreeMap<(ParticipantId, Digest), List>,
}

impl Lists {
    /// The changes of a list that a proposal names.
    pub(crate) fn changes(&self, maker: ParticipantId, digest: Digest) -> &[Change] {
        self.all.get(&(maker, digest)).map_or(&[], |list| list.changes.as_slice())
    }

    /// A list's proposal is closed, or was refused.
    pub(crate) fn drop_list(&mut self, maker: ParticipantId, digest: Digest) {
        self.all.remove(&(maker, digest));
    }

    /// Works out whom a list is about by a registry.
    pub(crate) fn look(&mut self, maker: ParticipantId, digest: Digest, registry: &Registry) {
        if let Some(list) = self.all.get_mut(&(maker, digest)) {
            list.about = About::of(&list.changes, registry);
        }
    }

    /// Returns true if a list is about an operator or its legal entity.
    pub(crate) fn is_about(
        &self,
        (maker, digest): (ParticipantId, Digest),
        operator: ParticipantId,
        registry: &Registry,
    ) -> bool {
        let entity = registry.participant(operator).map(|found| found.legal_entity.as_str());
        self.all.get(&(maker, digest)).is_some_and(|list| {
            let of_entity = |entity: &str| list.about.entities.contains(entity);
            list.about.gateways.contains(&operator) || entity.is_some_and(of_entity)
        })
    }
}

impl About {
    fn of(changes: &[Change], registry: &Registry) -> Self {
        let mut about = Self::default();
        for change in changes {
            let merchant = match change {
                Change::Merchant(new) => {
                    about.gateways.insert(new.payout_gateway);
                    about.entities.insert(new.legal_entity.clone());
                    new.id
                }
                Change::MerchantSuspended { merchant, .. } => *merchant,
                Change::Programme(programme) => programme.merchant,
                other => unreachable!("a list holds {other:?}"),
            };
            about.entities.extend(registry.merchant(merchant).map(|was| was.legal_entity.clone()));
        }
        for gateway in &about.gateways {
            let found = registry.participant(*gateway);
            about.entities.extend(found.map(|found| found.legal_entity.clone()));
        }
        // Nothing is no entity.
        about.entities.remove("");
        about
    }
}

impl Auditor {
    /// A batch of changes: what becomes of each. The batch's root is the digest of the list.
    pub(crate) fn give_list(
        &mut self,
        items: &[ListedChangeItem],
        header: &BatchHeader,
    ) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = items.iter().map(check_listed).collect();
        if verdicts.iter().any(Result::is_err) {
            for verdict in &mut verdicts {
                *verdict = verdict.and(Err(Rejection::ListIncomplete));
            }
            return verdicts;
        }
        let (maker, digest) = (header.submitter, header.items_root);
        let lists = &mut self.lists.all;
        let own = lists.keys().filter(|(of, _)| *of == maker).count();
        let verdict = if lists.contains_key(&(maker, digest)) {
            Ok(Outcome::REPEATED)
        } else if own == LISTS_OF_ONE_MAX || lists.len() == LISTS_MAX {
            Err(Rejection::ListsFull)
        } else {
            let changes = items.iter().filter_map(ListedChangeItem::change).collect();
            let (is_proposed, about) = (false, About::default());
            lists.insert((maker, digest), List { changes, given: self.time, is_proposed, about });
            Ok(Outcome::APPLIED)
        };
        vec![verdict; items.len()]
    }

    /// 815, 117 and 807 of a proposal that names a list, which is then its own; after 117 and 807
    /// there is no such list any more.
    pub(crate) fn propose_list(
        &mut self,
        maker: ParticipantId,
        digest: Digest,
        count: u32,
        first_height: u64,
    ) -> Result<(), Rejection> {
        let list = self.lists.all.get_mut(&(maker, digest)).ok_or(Rejection::ListUnknown)?;
        let is_whole = usize::try_from(count).is_ok_and(|count| count == list.changes.len());
        refuse_if(list.is_proposed || !is_whole, Rejection::ListUnknown)?;
        list.is_proposed = true;
        let registry = self.next_registry().into_owned();
        self.lists.look(maker, digest, &registry);
        let is_own = self.lists.is_about((maker, digest), maker, &registry);
        let changes = self.lists.changes(maker, digest);
        let judged = refuse_if(is_own, Rejection::OwnEntity)
            .and_then(|()| registry.changed_by(changes, first_height).map(|_| ()));
        if judged.is_err() {
            self.lists.drop_list(maker, digest);
        }
        judged
    }

    /// Lists that nobody proposed in time, at the start of a block.
    pub(crate) fn expire_lists(&mut self) {
        let (time, validity_ms) = (self.time, self.registry.parameters.proposal_validity_ms);
        self.lists
            .all
            .retain(|_, list| list.is_proposed || time <= list.given.saturating_add(validity_ms));
    }
}

fn check_listed(item: &ListedChangeItem) -> Verdict {
    refuse_if(item.spare.iter().any(|byte| *byte != 0), Rejection::SpareNotZero)?;
    // What is about a merchant or a programme, and nothing else.
    match item.change() {
        Some(Change::Merchant(_) | Change::MerchantSuspended { .. } | Change::Programme(_)) => {
            Ok(Outcome::APPLIED)
        }
        _ => Err(Rejection::ChangeMalformed),
    }
}
