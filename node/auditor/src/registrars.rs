//! Section 13, registrars: merchants that join or change without a vote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chain_types::{Merchant, MerchantId, MerchantItem, Outcome, ParticipantId, Rejection, Roles};

use crate::auditor::{Auditor, Verdict};
use crate::calendar::day;
use crate::orders::refuse_if;
use crate::registry::Registry;

/// The numbers of merchants that a registrar has added and changed on a day.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    day: i128,
    added: u32,
    changed: u32,
}

/// The counts of all registrars, and the merchants that they gave in the present block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registrations {
    days: BTreeMap<ParticipantId, Day>,
    /// Merchants as the next block finds them.
    said: BTreeMap<MerchantId, Merchant>,
    /// The number of these that are new.
    joining: usize,
}

impl Auditor {
    /// Rules of a merchant that a registrar names.
    pub(crate) fn register(&mut self, item: &MerchantItem, registrar: ParticipantId) -> Verdict {
        refuse_if(item.spare.iter().any(|byte| *byte != 0), Rejection::SpareNotZero)?;
        let new = item.merchant().ok_or(Rejection::ChangeMalformed)?;
        let limits = self.registry.registrar(registrar);
        let limits =
            limits.filter(|limits| self.registry.is_active(limits.gateway, Roles::GATEWAY));
        let limits = limits.ok_or(Rejection::RegistrarUnlimited)?;
        let said = self.registrations.said.get(&new.id);
        let known = said.or_else(|| self.registry.merchant(new.id)).cloned();
        let is_of_another = |merchant: &Merchant| merchant.payout_gateway != limits.gateway;
        let moves = is_of_another(&new) || known.as_ref().is_some_and(is_of_another);
        refuse_if(moves, Rejection::MerchantOfAnother)?;
        let entity = self.registry.participant(registrar).map(|found| found.legal_entity.clone());
        let entity = entity.filter(|entity| !entity.is_empty());
        let is_own = |merchant: &Merchant| entity.as_ref() == Some(&merchant.legal_entity);
        refuse_if(is_own(&new) || known.as_ref().is_some_and(is_own), Rejection::OwnEntity)?;
        if known.as_ref() == Some(&new) {
            return Ok(Outcome::REPEATED);
        }
        let is_kept =
            |was: &Merchant| was.legal_entity == new.legal_entity && was.suspended == new.suspended;
        refuse_if(!known.as_ref().is_none_or(is_kept), Rejection::ChangeInvalid)?;
        // One that joined in this block is counted among those who join.
        let joining = self.registrations.joining
            - usize::from(said.is_some_and(|_| self.registry.merchant(new.id).is_none()));
        self.registry.check_merchant(&new, joining)?;
        let today = day(self.time, i64::from(self.registry.parameters.day_offset_min));
        let done = self.registrations.days.entry(registrar).or_default();
        if done.day != today {
            *done = Day { day: today, ..Day::default() };
        }
        let (count, most) = if known.is_none() {
            (&mut done.added, limits.added_max)
        } else {
            (&mut done.changed, limits.changed_max)
        };
        refuse_if(*count >= most, Rejection::RegistrarDayExceeded)?;
        *count += 1;
        self.registrations.joining += usize::from(known.is_none());
        self.registrations.said.insert(new.id, new);
        Ok(Outcome::APPLIED)
    }

    /// The registry as the next block finds it, as far as registrars have said it: what governance
    /// builds on.
    pub(crate) fn next_registry(&self) -> Cow<'_, Registry> {
        if self.registrations.said.is_empty() {
            return Cow::Borrowed(&self.registry);
        }
        let mut next = self.registry.clone();
        for merchant in self.registrations.said.values() {
            next.put_merchant(merchant, self.height + 1);
        }
        Cow::Owned(next)
    }

    /// Puts the merchants of this block into the registry; they hold from the next block on.
    pub(crate) fn register_said(&mut self) {
        self.registrations.joining = 0;
        for merchant in std::mem::take(&mut self.registrations.said).into_values() {
            self.registry.put_merchant(&merchant, self.height + 1);
        }
    }
}
