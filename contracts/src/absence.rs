//! The absence of a gateway, and the words of agents about it.

use chain_state::Overlay;
use chain_types::{InstructionId, ParticipantId, Roles, TimeMs};

/// Returns true if a gateway is suspended, or is one no longer.
pub(crate) fn is_absent(overlay: &Overlay<'_>, gateway: ParticipantId) -> bool {
    let found = overlay.state().participant(gateway).filter(|found| !found.suspended);
    !found.is_some_and(|found| found.roles.any_of(Roles::GATEWAY))
}

/// Returns true if nobody did anything for so long since `since` that others may.
pub(crate) fn is_left_alone(overlay: &Overlay<'_>, since: TimeMs) -> bool {
    overlay.time() > since.plus(overlay.state().parameters().step_in_ms)
}

/// Every agent's word about an instruction.
pub(crate) fn words_of(
    id: &InstructionId,
) -> std::ops::RangeInclusive<(InstructionId, ParticipantId)> {
    (*id, ParticipantId::new(0))..=(*id, ParticipantId::new(u32::MAX))
}

/// Forgets what agents said of an attempt that has ended.
pub(crate) fn forget(overlay: &mut Overlay<'_>, id: &InstructionId) {
    let mut words = overlay.tables().step_ins();
    let said: Vec<_> = words.range(words_of(id)).map(|(key, _)| *key).collect();
    said.iter().for_each(|key| words.remove(key));
}
