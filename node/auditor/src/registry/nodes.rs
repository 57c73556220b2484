//! Nodes: their places, keys and powers.

use chain_types::{Node, PublicKey, Rejection, Roles};

use super::{FindingPlace, Gone, POWER_MAX, Registry, is_name, valid};

impl Registry {
    pub(super) fn add_node(&mut self, node: &Node) -> Result<(), Rejection> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        valid(is_name(&node.name) && node.name.bytes().all(is_plain))?;
        valid(self.places.iter().all(|other| other.node.name != node.name))?;
        valid(node.power <= POWER_MAX && self.places.len() < self.bounds.node_places)?;
        valid(self.nodes().count() < self.bounds.nodes)?;
        valid(self.has_role(node.operator, Roles::SETTLEMENT_OPERATOR))?;
        let has_one_key = node.validator_key == node.network_key;
        valid(has_one_key == (node.power == 0) && node.validator_key.is_usable())?;
        self.check_fresh(node.network_key)?;
        self.check_fresh(node.validator_key)?;
        self.places.push(FindingPlace::of(node.clone()));
        Ok(())
    }

    /// The nodes that are not removed.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.places.iter().filter(|place| !place.is_removed).map(|place| &place.node)
    }

    fn node_mut(&mut self, index: u32) -> Result<&mut Node, Rejection> {
        let place = usize::try_from(index).ok().and_then(|at| self.places.get_mut(at));
        let place = place.ok_or(Rejection::ChangeInvalid)?;
        valid(!place.is_removed)?;
        Ok(&mut place.node)
    }

    /// The network key and the vote key; one key stays one, and two stay two.
    pub(super) fn set_node_keys(
        &mut self,
        index: u32,
        keys: [PublicKey; 2],
        first_height: u64,
    ) -> Result<(), Rejection> {
        let [network, votes] = keys;
        let before = self.node_mut(index)?.clone();
        let had_one = before.network_key == before.validator_key;
        valid(had_one == (network == votes))?;
        valid(network.is_usable() && votes.is_usable())?;
        self.check_fresh(network)?;
        self.check_fresh(votes)?;
        self.let_keys_go(index, &before, first_height);
        let node = self.node_mut(index)?;
        (node.network_key, node.validator_key) = (network, votes);
        Ok(())
    }

    pub(super) fn remove_node(&mut self, index: u32, first_height: u64) -> Result<(), Rejection> {
        let node = self.node_mut(index)?;
        node.power = 0;
        let before = node.clone();
        self.let_keys_go(index, &before, first_height);
        let place = usize::try_from(index).ok().and_then(|at| self.places.get_mut(at));
        place.ok_or(Rejection::ChangeInvalid)?.is_removed = true;
        Ok(())
    }

    /// A node's keys held up to the block before `first_height`.
    fn let_keys_go(&mut self, index: u32, node: &Node, first_height: u64) {
        self.let_go(Gone { key: node.network_key, votes: None });
        if node.validator_key != node.network_key {
            let last = first_height.saturating_sub(1);
            self.let_go(Gone { key: node.validator_key, votes: Some((index, last)) });
        }
    }

    pub(super) fn let_go(&mut self, key: Gone) {
        self.gone.push_back(key);
        if self.gone.len() > self.bounds.withdrawn_keys {
            self.gone.pop_front();
        }
    }

    /// An edge node has no key of its own for votes, so its power never changes.
    pub(super) fn set_power(&mut self, index: u32, power: u64) -> Result<(), Rejection> {
        let node = self.node_mut(index)?;
        let may_vote = node.validator_key != node.network_key;
        valid(power <= POWER_MAX && may_vote)?;
        node.power = power;
        Ok(())
    }
}
