//! A proposal of governance: four operators, of whom three carry a change.

use chain_state::ProposalRecord;
use chain_types::{Change, Decision, Height, Parameters, ParticipantId, ProposalId, ProposalItem};

use super::explore::{Look, Machine, NOTHING, Run, Wait, act};
use crate::kit::*;

const ABOUT: &str = "\
Here three of four operators carry a change. Its maker's word is the first approval; every
operator may change its word until the change is in effect. *Time* past the height of a scheduled
one puts it into effect, or lets it fail. A closed one is forgotten when no word about it can be
sent again.";

/// Heights between a change's last approval and its effect.
const NOTICE: u64 = 3;
/// Leaves room for another change before its own height.
const ACTIVATION: u64 = 14;

pub fn machine() -> Machine {
    Machine::new("Proposal", ABOUT, vec![run(true), run(false)])
}

/// With every operator, or with one who is suspended on the way.
fn run(is_whole: bool) -> Run {
    let mut genesis = genesis();
    genesis.parameters.governance_notice_heights = NOTICE;
    genesis.parameters.governance_approvals = 3;
    let chain = Chain::of(genesis);
    let id = ProposalId::from_bytes(order_id(1, 0).bytes());
    let index = Parameters::NAMES.iter().position(|name| *name == "window_ms");
    let index = u16::try_from(index.unwrap()).unwrap();
    let change = Change::Parameter { index, value: 31_000 };
    let item = proposal(id, Height::new(ACTIVATION), &change);
    let role = |_: &Chain, by| if by < SERVICE { "settlement operator" } else { "gateway" };
    let parameters = chain.state.parameters().clone();
    let voices = if is_whole { vec![1, 2, 3, 4, BANK_A] } else { vec![1, 2, 3] };
    Run {
        chain,
        look: Box::new(move |chain| look(chain, id)),
        acts: vec![
            act("", move |chain: &Chain| in_time(chain).then_some(item)),
            act("approve", move |_| Some(vote(&item, Decision::Approve))),
            act("refuse", move |_| Some(vote(&item, Decision::Refuse))),
        ],
        waits: vec![
            Wait { name: "its height", time_ms: 1, blocks: ACTIVATION + 1 },
            Wait::past("proposal_validity_ms", parameters.proposal_validity_ms),
            Wait::past(
                "proposal_validity_ms + order_validity_ms",
                parameters.proposal_validity_ms + parameters.order_validity_ms,
            ),
        ],
        changes: if is_whole { Vec::new() } else { vec![Box::new(an_operator_is_suspended)] },
        voices,
        role: Box::new(role),
    }
}

fn in_time(chain: &Chain) -> bool {
    chain.state.height().get() + NOTICE < ACTIVATION
}

/// The others suspend operator 2; once is enough.
fn an_operator_is_suspended(chain: &mut Chain) {
    let participant = ParticipantId::new(2);
    let is_late = chain.state.height().get() + NOTICE + 2 >= ACTIVATION;
    if is_late || chain.state.participant(participant).unwrap().suspended {
        return;
    }
    let change = Change::ParticipantSuspended { participant, suspended: true };
    let (next, now) = (chain.state.height().next(), chain.context(1).time);
    let item: ProposalItem =
        proposal(ProposalId::new(now, entropy(next.get())), next.plus(NOTICE), &change);
    let approve = vote(&item, Decision::Approve);
    let batches = [chain.batch(3, &[item]), chain.batch(4, &[approve]), chain.batch(1, &[approve])];
    assert!(chain.block(1, &batches).concat().iter().all(|outcome| outcome.is_applied()));
    (0..=NOTICE).for_each(|_| {
        chain.block(1, &[]);
    });
}

fn look(chain: &Chain, id: ProposalId) -> Look {
    let known: Option<&ProposalRecord> = chain.state.tables().proposals.get(&id);
    let is_suspended = chain.state.participant(ParticipantId::new(2)).unwrap().suspended;
    let Some(record) = known else {
        let mut look = Look::new(NOTHING, []);
        look.detail = format!("{is_suspended} {}", in_time(chain));
        return look;
    };
    let counts = |voices: &[ParticipantId]| {
        voices.iter().filter(|voice| !is_suspended || voice.get() != 2).count()
    };
    let (approvals, refusals) = (counts(&record.approvals), counts(&record.refusals));
    let operators = if is_suspended { 3 } else { 4 };
    let is_open = matches!(record.status.name(), "proposed" | "scheduled");
    let mut look = Look::new(
        record.status.name(),
        [
            ("an operator suspended", is_suspended),
            ("nobody refused", is_open && refusals == 0),
            ("enough approve", is_open && approvals >= 3),
            ("one approval is missing", is_open && approvals == 2),
            ("one more refusal leaves too few", is_open && operators - refusals <= 3),
        ],
    );
    let sorted = |voices: &[ParticipantId]| {
        let mut voices: Vec<u32> = voices.iter().map(|voice| voice.get()).collect();
        voices.sort_unstable();
        voices
    };
    look.detail = format!("{:?} {:?}", sorted(&record.approvals), sorted(&record.refusals));
    look
}
