//! Nobody decides about what its own legal entity has (117).

use std::collections::BTreeSet;

use chain_types::{Change, MerchantId, ParticipantId, Rejection};

use crate::books::{Account, Kind};
use crate::orders::{Order, refuse_if};
use crate::registry::Registry;

impl Registry {
    /// Returns true if two parties are one, or of one legal entity that has a name.
    pub(crate) fn are_one(&self, party: ParticipantId, other: ParticipantId) -> bool {
        party == other || self.entity_of(other).is_some_and(|entity| self.is_of(party, entity))
    }

    /// The house with which a party counts where votes are counted: all who name its legal entity,
    /// or, where it names none, only itself.
    fn house(&self, party: ParticipantId) -> (&str, Option<ParticipantId>) {
        let entity = self.entity_of(party).unwrap_or_default();
        (entity, entity.is_empty().then_some(party))
    }

    /// The houses of some parties.
    pub(crate) fn houses<'a>(
        &self,
        parties: impl IntoIterator<Item = &'a ParticipantId>,
    ) -> BTreeSet<(&str, Option<ParticipantId>)> {
        parties.into_iter().map(|party| self.house(*party)).collect()
    }

    fn entity_of(&self, party: ParticipantId) -> Option<&str> {
        self.participant(party).map(|found| found.legal_entity.as_str())
    }

    /// Returns true if a party is of a legal entity.
    fn is_of(&self, party: ParticipantId, entity: &str) -> bool {
        !entity.is_empty() && self.entity_of(party) == Some(entity)
    }

    /// Returns true if a merchant is of a party's legal entity.
    fn has_merchant(&self, party: ParticipantId, merchant: MerchantId) -> bool {
        self.merchant(merchant).is_some_and(|found| self.is_of(party, &found.legal_entity))
    }

    /// 117 of an account.
    pub(crate) fn check_foreign_account(
        &self,
        party: ParticipantId,
        account: Account,
    ) -> Result<(), Rejection> {
        let is_own = if account.kind == Kind::CashbackPool {
            self.has_merchant(party, MerchantId::new(account.owner))
        } else {
            u32::try_from(account.owner)
                .is_ok_and(|owner| self.are_one(party, ParticipantId::new(owner)))
        };
        refuse_if(is_own, Rejection::OwnEntity)
    }

    /// 117 of a held order.
    pub(crate) fn check_foreign_order(
        &self,
        desk: ParticipantId,
        order: &Order,
    ) -> Result<(), Rejection> {
        let gateway = ParticipantId::new(order.gateway());
        let is_own = self.are_one(desk, order.submitter)
            || self.are_one(desk, gateway)
            || self.has_merchant(desk, order.item.merchant());
        refuse_if(is_own, Rejection::OwnEntity)
    }

    /// 117 of an agent's word about what two gateways and a merchant have to do with.
    pub(crate) fn check_foreign_payment(
        &self,
        agent: ParticipantId,
        gateways: [ParticipantId; 2],
        merchant: MerchantId,
    ) -> Result<(), Rejection> {
        let is_own = gateways.into_iter().any(|gateway| self.are_one(agent, gateway))
            || self.has_merchant(agent, merchant);
        refuse_if(is_own, Rejection::OwnEntity)
    }

    /// 117 of a policy about a gateway, or about a merchant.
    pub(crate) fn check_foreign_subject(
        &self,
        desk: ParticipantId,
        gateway: Option<ParticipantId>,
        merchant: Option<MerchantId>,
    ) -> Result<(), Rejection> {
        let is_own = gateway.is_some_and(|gateway| self.are_one(desk, gateway))
            || merchant.is_some_and(|merchant| self.has_merchant(desk, merchant));
        refuse_if(is_own, Rejection::OwnEntity)
    }

    /// Returns true if a change is about a party or merchant of an operator's legal entity.
    pub(crate) fn is_about_own(&self, operator: ParticipantId, change: &Change) -> bool {
        match change {
            Change::Participant(new) => {
                self.are_one(operator, new.id) || self.is_of(operator, &new.legal_entity)
            }
            Change::Key { participant, .. } => {
                operator != *participant && self.are_one(operator, *participant)
            }
            Change::ParticipantSuspended { participant, .. } => {
                self.are_one(operator, *participant)
            }
            Change::Merchant(new) => {
                self.has_merchant(operator, new.id)
                    || self.is_of(operator, &new.legal_entity)
                    || self.are_one(operator, new.payout_gateway)
            }
            Change::MerchantSuspended { merchant, .. } => self.has_merchant(operator, *merchant),
            Change::Registrar { participant, limits } => {
                self.are_one(operator, *participant) || self.are_one(operator, limits.gateway)
            }
            Change::Programme(programme) => self.has_merchant(operator, programme.merchant),
            _ => false,
        }
    }
}
