//! Settlement: the banks have moved a closed window's nets, and the books say so.
//!
//! Operations: [`propose`], by a settlement agent; [`decide`], by another settlement agent or a
//! settlement operator; [`expire`], by block time alone; [`forget`], with the close of a window.
//!
//! Rules of a proposal, in order: spare bytes are zero (201); the window is closed (410); it is
//! not settled (411, or repeated); no other settlement of it waits (431, or repeated); not too many
//! wait (436); the block may read another report (434); the digest is the report's (430). Of a
//! decision: 201; the decision has a meaning (310); 410; 411 or repeated; a settlement waits
//! (432); it names the same digest and reference (508); it is not refused (433, or repeated); the
//! submitter is not its maker or another of its legal entity (503); of an approval also: the
//! settled windows stand in few runs (435); 434; sums fit (216).
//!
//! Records: the settlement, and an entry of every account that it changes.
//!
//! Always: banks pay the nets of gateways and providers outside, so their positions of the window
//! are posted against the scheme's settlement account and are gone; the scheme's bank pays the
//! nets of all others out of what they deposited, so their settled balances change. Then, per
//! currency, what the scheme holds outside is the sum of all settled balances.

use chain_state::{
    AccountKey, AccountKind, EntryCause, History, Location, Movement, Overlay, Position,
    ProposedSettlement, Record, WindowRecord, WindowSettlement,
};
use chain_types::{
    Decision, Outcome, Participant, Rejection, SettleWindowItem, SettlementDecisionItem, WindowId,
};

use crate::booking::parts;
use crate::separation;

/// How many windows back a settlement is remembered, so that its repetition is recognised.
const SETTLED_KEPT_WINDOWS: u64 = 1_000;
/// A block that has read as many positions of reports reads no further report.
const POSITIONS_READ_MAX: u64 = 65_536;
/// How many settlements may wait for their checkers when a block begins.
const PROPOSED_MAX: usize = 1_000;
/// In how many runs the settled windows may stand when a block begins.
const RUNS_MAX: usize = 1_000;

/// A maker says that the banks have settled a closed window.
pub(crate) fn propose(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &SettleWindowItem,
    history: &dyn History,
) -> Outcome {
    match check(overlay, submitter, item, history) {
        Ok(proposed) => {
            overlay.tables().proposed_settlements().put(item.window(), proposed);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &SettleWindowItem,
    history: &dyn History,
) -> Result<ProposedSettlement, Outcome> {
    if item.spare != [0; 24] {
        return Err(Rejection::SpareNotZero.into());
    }
    let (window, maker) = (item.window(), submitter.id);
    check_unsettled(overlay, window, |settled| {
        (settled.agent, settled.digest.bytes(), settled.reference)
            == (maker, item.digest, item.reference)
    })?;
    let waiting = overlay.tables().proposed_settlements().get(&window).copied();
    if let Some(known) = waiting.filter(|known| known.refused_by.is_none()) {
        let said = (known.maker, known.digest.bytes(), known.reference);
        let is_same = said == (maker, item.digest, item.reference);
        return Err(if is_same { Outcome::REPEATED } else { Rejection::SettlementOpen.into() });
    }
    if overlay.state().tables().proposed_settlements.len() >= PROPOSED_MAX {
        return Err(Rejection::SettlementsTooMany.into());
    }
    let digest = read_report(overlay, window, history)?.digest();
    if digest.bytes() != item.digest {
        return Err(Rejection::ReportMismatch.into());
    }
    let (reference, proposed) = (item.reference, overlay.time());
    Ok(ProposedSettlement { maker, digest, reference, proposed, refused_by: None })
}

/// The window is closed and not settled; `is_same` tells a repetition from another word.
fn check_unsettled(
    overlay: &mut Overlay<'_>,
    window: WindowId,
    is_same: impl Fn(&WindowSettlement) -> bool,
) -> Result<(), Outcome> {
    if window >= overlay.window().id {
        return Err(Rejection::WindowNotClosed.into());
    }
    if run_of(overlay, window).is_none() {
        return Ok(());
    }
    let is_repeated = overlay.tables().settled().get(&window).is_some_and(is_same);
    Err(if is_repeated { Outcome::REPEATED } else { Rejection::WindowSettled.into() })
}

/// The run of settled windows that holds this one.
fn run_of(overlay: &mut Overlay<'_>, window: WindowId) -> Option<(WindowId, WindowId)> {
    let runs = overlay.tables().settled_runs();
    let run = runs.last(..=window).map(|(first, last)| (*first, *last));
    run.filter(|(_, last)| *last >= window)
}

/// A closed window's report, as far as the block may still read one.
fn read_report(
    overlay: &mut Overlay<'_>,
    window: WindowId,
    history: &dyn History,
) -> Result<WindowRecord, Outcome> {
    if overlay.positions_read() >= POSITIONS_READ_MAX {
        return Err(Rejection::ReportsTooMany.into());
    }
    let report = overlay.closed_here(window).cloned().or_else(|| history.window(window));
    let report = report.ok_or(Rejection::WindowNotClosed)?;
    overlay.count_report(&report);
    Ok(report)
}

/// A checker approves or refuses a settlement.
pub(crate) fn decide(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &SettlementDecisionItem,
    location: Location,
    history: &dyn History,
) -> Outcome {
    let (proposed, decision) = match check_decision(overlay, submitter, item) {
        Ok(checked) => checked,
        Err(outcome) => return outcome,
    };
    let window = item.window();
    if decision == Decision::Refuse {
        let refused = ProposedSettlement { refused_by: Some(submitter.id), ..proposed };
        overlay.tables().proposed_settlements().put(window, refused);
        return Outcome::APPLIED;
    }
    if let Err(outcome) = post(overlay, window, history) {
        return outcome;
    }
    let settlement = WindowSettlement {
        window,
        agent: proposed.maker,
        reference: proposed.reference,
        time: overlay.time(),
        location,
        checker: submitter.id,
        digest: proposed.digest,
    };
    let open = overlay.window().id;
    add_to_runs(overlay, window);
    overlay.tables().proposed_settlements().remove(&window);
    overlay.tables().settled().put(window, settlement);
    overlay.tables().settled_in().put((open, window), ());
    overlay.record(Record::WindowSettlement(settlement));
    Outcome::APPLIED
}

fn check_decision(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &SettlementDecisionItem,
) -> Result<(ProposedSettlement, Decision), Outcome> {
    if item.spare != [0; 22] {
        return Err(Rejection::SpareNotZero.into());
    }
    let decision = Decision::from_number(item.decision.get()).ok_or(Rejection::DecisionUnknown)?;
    let (window, checker) = (item.window(), submitter.id);
    let names = |digest, reference| (digest, reference) == (item.digest, item.reference);
    check_unsettled(overlay, window, |settled| {
        let is_approval = decision == Decision::Approve && settled.checker == checker;
        is_approval && names(settled.digest.bytes(), settled.reference)
    })?;
    let proposed = overlay.tables().proposed_settlements().get(&window).copied();
    let proposed = proposed.ok_or(Rejection::SettlementUnknown)?;
    if !names(proposed.digest.bytes(), proposed.reference) {
        return Err(Rejection::DecisionMismatch.into());
    }
    if let Some(by) = proposed.refused_by {
        let is_same = decision == Decision::Refuse && by == checker;
        return Err(if is_same { Outcome::REPEATED } else { Rejection::SettlementRefused.into() });
    }
    if separation::is_own_party(overlay.state(), submitter, proposed.maker) {
        return Err(Rejection::MakerIsChecker.into());
    }
    Ok((proposed, decision))
}

/// Posts every net of the window's report, or none.
fn post(overlay: &mut Overlay<'_>, window: WindowId, history: &dyn History) -> Result<(), Outcome> {
    let (before, after) = neighbours(overlay, window);
    let is_apart = before.is_none() && after.is_none();
    if is_apart && overlay.state().tables().settled_runs.len() >= RUNS_MAX {
        return Err(Rejection::SettlementGaps.into());
    }
    let report = read_report(overlay, window, history)?;
    overlay.begin(EntryCause::Settlement(window));
    let (mut movements, mut settled) = (Vec::new(), Vec::new());
    for position in report.positions.iter().filter(|position| position.net() != 0) {
        let (party, net) = (position.party, position.net());
        let key = AccountKey { kind: party.kind, owner: party.owner, currency: party.currency };
        if is_paid_outside(position) {
            push_movements(overlay, key, net, &mut movements);
        } else {
            settled.push((overlay.open(key), net));
        }
    }
    let overflow = |_| Rejection::AccountOverflow;
    overlay.transfer_settled(&movements).map_err(overflow)?;
    for (slot, net) in settled {
        // A net is the difference of two counters, and so is what was settled before.
        let booked = overlay.settle(slot, net);
        assert!(booked.is_ok(), "window {window}: a settled balance is out of its range");
    }
    Ok(())
}

/// Returns true if a bank moves the party's net outside, and not the scheme's own bank.
fn is_paid_outside(position: &Position) -> bool {
    matches!(position.party.kind, AccountKind::GatewayLiquidity | AccountKind::FxPosition)
}

/// Adds the movements of a settled position. Money that the account's owner was owed leaves the
/// books, for it was paid outside; money that the owner owed comes in.
fn push_movements(
    overlay: &mut Overlay<'_>,
    key: AccountKey,
    net: i128,
    movements: &mut Vec<Movement>,
) {
    let own = overlay.open(key);
    let outside = overlay.open(AccountKey::scheme_settlement(key.currency));
    let (debit, credit) = if net > 0 { (own, outside) } else { (outside, own) };
    let amounts = parts(net.unsigned_abs());
    let movement = |amount| Movement { debit, credit, amount, order_count: 0 };
    movements.extend(amounts.into_iter().map(movement));
}

/// The runs of settled windows that end right before a window and begin right after it.
type Run = Option<(WindowId, WindowId)>;

fn neighbours(overlay: &mut Overlay<'_>, window: WindowId) -> (Run, Run) {
    let before = window.get().checked_sub(1).and_then(|id| run_of(overlay, WindowId::new(id)));
    let next = window.next();
    let after = overlay.tables().settled_runs().get(&next).map(|last| (next, *last));
    (before, after)
}

fn add_to_runs(overlay: &mut Overlay<'_>, window: WindowId) {
    let (before, after) = neighbours(overlay, window);
    let mut runs = overlay.tables().settled_runs();
    if let Some((first, _)) = after {
        runs.remove(&first);
    }
    let first = before.map_or(window, |(first, _)| first);
    runs.put(first, after.map_or(window, |(_, last)| last));
}

/// Ends settlements that nobody decided in time, and forgets refused ones.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let waits_ms = overlay.state().parameters().transfer_validity_ms;
    let time = overlay.time();
    let proposed = overlay.state().tables().proposed_settlements.iter();
    for (window, _) in proposed.filter(|(_, known)| known.proposed.plus(waits_ms) < time) {
        overlay.tables().proposed_settlements().remove(window);
    }
}

/// Forgets settlements that were posted a thousand windows before the one that opens.
pub(crate) fn forget(overlay: &mut Overlay<'_>, opens: WindowId) {
    let Some(last) = opens.get().checked_sub(SETTLED_KEPT_WINDOWS) else { return };
    let over = (WindowId::new(last), WindowId::new(u64::MAX));
    let old = overlay.state().tables().settled_in.range(..=over);
    for (key, ()) in old {
        overlay.tables().settled_in().remove(key);
        overlay.tables().settled().remove(&key.1);
    }
}
