//! Merchant registrars: parties that add and change merchants of one gateway without a vote, within
//! limits that governance sets.
//!
//! Operation: [`register`], by a merchant registrar. Its limits are a change of
//! [`crate::governance`].
//!
//! Rules, in order: spare bytes are zero (201); the bytes are a merchant (803); the registrar has
//! limits, and the gateway of these is an unsuspended gateway (816); the merchant is paid by this
//! gateway, and was before, if it is known (817); it is not of the registrar's own legal entity, as
//! it is or as it shall be (117); what is registered already is repeated; it is as a genesis file
//! may have it, and neither its legal entity nor its suspension changes (807); the registrar has
//! added, or changed, fewer merchants of the day than its limits let it (818).
//!
//! Always: a registrar moves no merchant from one gateway to another, and nobody's word about a
//! merchant becomes another's: whose it is stays what governance, or its first entry, says. What
//! it says holds from the next block on.

use chain_state::{MerchantRecord, Overlay, RegistrarRecord};
use chain_types::{MerchantItem, Outcome, Participant, ParticipantId, Rejection, Roles};

use crate::calendar::day_of;
use crate::changes;

/// A registrar adds a merchant, or changes one of its gateway's.
pub(crate) fn register(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &MerchantItem,
) -> Outcome {
    match check(overlay, submitter, item) {
        Ok((merchant, record)) => {
            overlay.put_merchant(merchant);
            overlay.tables().registrars().put(submitter.id, record);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

/// The merchant for the next block, and the registrar after it.
fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &MerchantItem,
) -> Result<(MerchantRecord, RegistrarRecord), Outcome> {
    if item.spare != [0; 5] {
        return Err(Rejection::SpareNotZero.into());
    }
    let merchant = item.merchant().ok_or(Rejection::ChangeMalformed)?;
    let known = overlay.tables().registrars().get(&submitter.id).copied();
    let record = known.filter(|known| is_at_work(overlay, known.limits.gateway));
    let mut record = record.ok_or(Rejection::RegistrarUnlimited)?;
    let gateway = record.limits.gateway;
    let before = overlay.next_merchant(merchant.id).map(|known| &known.merchant);
    if merchant.payout_gateway != gateway
        || before.is_some_and(|before| before.payout_gateway != gateway)
    {
        return Err(Rejection::MerchantOfAnother.into());
    }
    let was_own = before.is_some_and(|before| submitter.is_of(&before.legal_entity));
    if was_own || submitter.is_of(&merchant.legal_entity) {
        return Err(Rejection::OwnEntity.into());
    }
    if before == Some(&merchant) {
        return Err(Outcome::REPEATED);
    }
    if before.is_some_and(|before| before.legal_entity != merchant.legal_entity) {
        return Err(Rejection::ChangeInvalid.into());
    }
    let is_new = before.is_none();
    // Whether it holds comes before how many there were.
    let after = changes::check_merchant(overlay, &merchant, overlay.height().next())?;
    let parameters = overlay.state().parameters();
    let day = day_of(overlay.time(), i64::from(parameters.day_offset_min));
    if record.day != day {
        record = RegistrarRecord { day, added: 0, changed: 0, ..record };
    }
    let (count, most) = match is_new {
        true => (&mut record.added, record.limits.added_max),
        false => (&mut record.changed, record.limits.changed_max),
    };
    if *count >= most {
        return Err(Rejection::RegistrarDayExceeded.into());
    }
    *count += 1;
    Ok((after, record))
}

fn is_at_work(overlay: &Overlay<'_>, gateway: ParticipantId) -> bool {
    let found = overlay.state().participant(gateway);
    found.is_some_and(|found| !found.suspended && found.roles.any_of(Roles::GATEWAY))
}
