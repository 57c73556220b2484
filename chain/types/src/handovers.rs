//! All changes of validators of a chain, and the shortest way over them that the signatures at hand
//! allow: what makes lineages.

use std::collections::BTreeSet;

use crate::block::{BlockHeader, Certificate};
use crate::lineage::{Handover, Lineage};
use crate::registry::ChainGenesis;
use crate::units::Height;
use crate::validators::{SetChange, Validator, ValidatorSet};

/// A change of validators as the chain made it.
#[derive(Debug, Clone)]
struct Change {
    /// The last block of those before; its deciders are the validators before it.
    header: BlockHeader,
    /// A quorum of them.
    certificate: Certificate,
    /// Those who decide from the next block on.
    validators: ValidatorSet,
}

/// The changes of validators of a chain, ascending. It grows by about a kilobyte a change in a
/// network of four validators, and by 15 KB at most.
#[derive(Debug, Clone)]
pub struct Handovers {
    genesis: ValidatorSet,
    changes: Vec<Change>,
}

impl Handovers {
    /// None yet, after a genesis file.
    pub fn new(genesis: &ChainGenesis) -> Self {
        Self { genesis: genesis.validators(), changes: Vec::new() }
    }

    /// The number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Returns true if the genesis file's validators still decide.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The validators after all of them.
    pub fn last(&self) -> &ValidatorSet {
        self.validators(self.changes.len())
    }

    /// Appends a change to `validators`, who decide from the block after `header` on. `false`, and
    /// nothing is kept, when it does not follow the one before or changes nobody; the certificate
    /// is not verified here.
    pub fn push(
        &mut self,
        header: BlockHeader,
        certificate: Certificate,
        validators: ValidatorSet,
    ) -> bool {
        let last = self.changes.last().map(|change| change.header.height);
        let before = self.last();
        let follows = last.is_none_or(|last| last < header.height)
            && header.validators_hash == before.digest()
            && header.next_validators_hash == validators.digest()
            && *before != validators;
        if follows {
            self.changes.push(Change { header, certificate, validators });
        }
        follows
    }

    /// The validators after the first `count` changes.
    fn validators(&self, count: usize) -> &ValidatorSet {
        let last = count.checked_sub(1).and_then(|at| self.changes.get(at));
        last.map_or(&self.genesis, |change| &change.validators)
    }

    /// The changes whose blocks lie below a height.
    fn count_below(&self, height: Height) -> usize {
        self.changes.partition_point(|change| change.header.height < height)
    }

    /// The lineage of the blocks of these heights.
    pub fn lineage(&self, heights: impl IntoIterator<Item = Height>) -> Lineage {
        let mut stops: Vec<usize> =
            heights.into_iter().map(|height| self.count_below(height)).collect();
        stops.sort_unstable();
        let mut steps = Vec::new();
        let mut at = 0;
        for stop in stops {
            while at < stop && self.validators(at) != self.validators(stop) {
                let over = self.farthest(at, stop);
                if self.validators(over + 1) != self.validators(at) {
                    steps.extend(self.step(at, over));
                }
                at = over + 1;
            }
            at = at.max(stop);
        }
        Lineage(steps)
    }

    /// The place of the change before `stop` to which the validators after `at` changes lead at
    /// once: the last one if they vouch for it, else one half as far, and so on, as light clients
    /// bisect. The next one they decided themselves.
    fn farthest(&self, at: usize, stop: usize) -> usize {
        let trusted = self.validators(at);
        let mut distance = stop - 1 - at;
        while distance > 0 && !self.is_vouched(trusted, at + distance) {
            distance /= 2;
        }
        at + distance
    }

    fn is_vouched(&self, trusted: &ValidatorSet, place: usize) -> bool {
        let deciders = self.validators(place);
        let signed = self.changes.get(place).map(|change| &change.certificate);
        signed.is_some_and(|signed| trusted.is_quorum(signed.power_of(deciders, trusted)))
    }

    /// The step from the validators after `at` changes over the change at `over`.
    fn step(&self, at: usize, over: usize) -> Option<Handover> {
        let (trusted, deciders) = (self.validators(at), self.validators(over));
        let Change { header, certificate, validators } = self.changes.get(over)?;
        Some(Handover {
            header: header.clone(),
            certificate: least(certificate, deciders, trusted),
            deciders: SetChange::between(trusted, deciders),
            next: SetChange::between(deciders, validators),
        })
    }

    /// Changes one by one, skipping none: at most `limit` of those from the block of `from` on and
    /// below that of `end`, and of the first as many as `bytes_max` holds, but at least one. Beside
    /// them, whether more follow.
    pub fn page(
        &self,
        from: Height,
        end: Height,
        limit: usize,
        bytes_max: usize,
    ) -> (Vec<Handover>, bool) {
        let (first, end) = (self.count_below(from), self.count_below(end));
        let mut bytes = 0;
        let mut page = Vec::new();
        for at in first..end {
            let Some(step) = self.step(at, at) else { break };
            bytes += crate::codec::encode(&step).len();
            if page.len() == limit || (bytes > bytes_max && !page.is_empty()) {
                return (page, true);
            }
            page.push(step);
        }
        (page, false)
    }
}

/// The certificate with no more signatures than a quorum of both sets takes: the lightest go first.
fn least(
    certificate: &Certificate,
    deciders: &ValidatorSet,
    trusted: &ValidatorSet,
) -> Certificate {
    let mut signers: Vec<&Validator> =
        certificate.signatures.iter().filter_map(|(id, _)| deciders.get(*id)).collect();
    signers.sort_by_key(|signer| signer.power);
    let mut decided = certificate.power_of(deciders, deciders);
    let mut vouched = certificate.power_of(deciders, trusted);
    let mut needless = BTreeSet::new();
    for signer in signers {
        let known = trusted.get(signer.id).filter(|known| known.public_key == signer.public_key);
        let without = decided.saturating_sub(u128::from(signer.power));
        let known_power = known.map_or(0, |known| u128::from(known.power));
        let vouched_without = vouched.saturating_sub(known_power);
        if deciders.is_quorum(without) && trusted.is_quorum(vouched_without) {
            (decided, vouched) = (without, vouched_without);
            needless.insert(signer.id);
        }
    }
    let mut least = certificate.clone();
    least.signatures.retain(|(id, _)| !needless.contains(id));
    least
}
