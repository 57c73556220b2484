//! Who may do what, looked up fast. Fixed by genesis until governance changes it.

use std::collections::HashMap;

use ahash::RandomState;
use chain_types::{
    ChainGenesis, ChainId, Currency, Merchant, MerchantId, Parameters, Participant, ParticipantId,
    ValidatorSet,
};

use crate::order_window::hashing;

#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) chain_id: ChainId,
    pub(crate) parameters: Parameters,
    pub(crate) validators: ValidatorSet,
    pub(crate) currencies: Vec<Currency>,
    pub(crate) participants: Vec<Participant>,
    pub(crate) merchants: Vec<Merchant>,
    participant_at: HashMap<ParticipantId, usize, RandomState>,
    merchant_at: HashMap<MerchantId, usize, RandomState>,
}

impl Registry {
    pub(crate) fn new(genesis: &ChainGenesis) -> Self {
        let mut participant_at = HashMap::with_hasher(hashing(genesis.chain_id));
        for (at, participant) in genesis.participants.iter().enumerate() {
            participant_at.insert(participant.id, at);
        }
        let mut merchant_at = HashMap::with_hasher(hashing(genesis.chain_id));
        for (at, merchant) in genesis.merchants.iter().enumerate() {
            merchant_at.insert(merchant.id, at);
        }
        let mut currencies = genesis.currencies.clone();
        currencies.sort_unstable();
        Self {
            chain_id: genesis.chain_id,
            parameters: genesis.parameters.clone(),
            validators: genesis.validators(),
            currencies,
            participants: genesis.participants.clone(),
            merchants: genesis.merchants.clone(),
            participant_at,
            merchant_at,
        }
    }

    pub(crate) fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.participants.get(*self.participant_at.get(&id)?)
    }

    pub(crate) fn merchant(&self, id: MerchantId) -> Option<&Merchant> {
        self.merchants.get(*self.merchant_at.get(&id)?)
    }
}
