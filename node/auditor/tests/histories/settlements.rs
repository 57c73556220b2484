//! Many windows and their settlements, out of order and at every bound, of which the random
//! histories see too few: the contracts and the auditor must say the same.

use chain_types::{Decision, SettleWindowItem, SettlementDecisionItem, WindowId};

use crate::item::Item;
use crate::network::*;
use crate::story::Story;

impl Story {
    /// Returns a maker's word about a window.
    fn word(&self, window: u64) -> SettleWindowItem {
        let report = self.chain.windows.get(&WindowId::new(window));
        let digest = report.map_or([0; 32], |report| report.digest().bytes());
        SettleWindowItem { window: window.into(), digest, reference: [1; 32], spare: [0; 24] }
    }

    fn proposals(&self, windows: impl Iterator<Item = u64>) -> Vec<Item> {
        windows.map(|window| self.word(window).into()).collect()
    }

    fn decisions(&self, windows: impl Iterator<Item = u64>) -> Vec<Item> {
        let decision = |window| {
            let SettleWindowItem { window, digest, reference, .. } = self.word(window);
            let decision = Decision::Approve.number().into();
            SettlementDecisionItem { window, decision, digest, reference, spare: [0; 22] }.into()
        };
        windows.map(decision).collect()
    }

    /// One settles, another approves; both without a refusal.
    fn settle(&mut self, windows: impl Iterator<Item = u64> + Clone) {
        let proposed = self.proposals(windows.clone());
        let codes = self.block(1, &[(AGENTS[0], proposed)]);
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
        let decided = self.decisions(windows);
        let codes = self.block(1, &[(AGENTS[1], decided)]);
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
    }
}

/// A settlement is known until a thousand windows have opened since; that the window is settled is
/// known for ever.
#[test]
fn a_settlement_is_remembered_for_a_thousand_windows() {
    let mut story = Story::new();
    story.window(700);
    story.settle(0..1);
    let again = |story: &mut Story| {
        let said = [(AGENTS[0], story.proposals(0..1)), (AGENTS[1], story.decisions(0..1))];
        story.block(1, &said)
    };
    let open = story.chain.state.window().get();
    while story.chain.state.window().get() < open + 995 {
        story.window(0);
    }
    // A window that is as old is settled only now, and so is remembered from now on.
    story.settle(1..2);
    while story.chain.state.window().get() < open + 999 {
        story.window(0);
    }
    assert_eq!(again(&mut story), [1, 1]);
    story.window(0);
    assert_eq!(again(&mut story), [411, 411]);
    let said = [(AGENTS[0], story.proposals(1..2)), (AGENTS[1], story.decisions(1..2))];
    assert_eq!(story.block(1, &said), [1, 1]);
    let tables = story.chain.state.tables();
    assert_eq!((tables.settled.len(), tables.settled_in.len()), (1, 1));
    assert_eq!(tables.settled_runs.len(), 1, "windows 0 and 1 are one run");
}

/// Windows that nobody settled for long are settled whenever somebody does; what they cost in
/// memory is nothing, and what settled ones cost is a run for each gap.
#[test]
fn old_windows_are_settled_and_gaps_are_bounded() {
    let mut story = Story::new();
    for window in 0..2_010_u64 {
        story.window(u64::from(window % 500 == 0));
    }
    // Every second one: a thousand runs, and no more.
    for first in (0..2_000).step_by(500) {
        story.settle((first..first + 500).step_by(2));
    }
    assert_eq!(story.chain.state.tables().settled_runs.len(), 1_000);
    let proposed = story.proposals([2_005, 2_001, 1_999].into_iter());
    assert_eq!(story.block(1, &[(AGENTS[0], proposed)]), [0, 0, 0]);
    let decided = story.decisions([2_005, 2_001, 1_999, 2_001].into_iter());
    assert_eq!(story.block(1, &[(AGENTS[1], decided)]), [435, 435, 0, 435]);
    story.settle([1].into_iter());
    assert_eq!(story.chain.state.tables().settled_runs.len(), 999);
    let decided = story.decisions([2_005, 2_001].into_iter());
    assert_eq!(story.block(1, &[(AGENTS[1], decided)]), [0, 0], "as the block found it");
    for first in (3..2_000).step_by(500) {
        story.settle((first..(first + 500).min(1_999)).step_by(2));
    }
    let tables = story.chain.state.tables();
    let runs: Vec<(u64, u64)> =
        tables.settled_runs.iter().map(|(first, last)| (first.get(), last.get())).collect();
    assert_eq!(runs, [(0, 1_999), (2_001, 2_001), (2_005, 2_005)]);
}

/// A block reads only so many reports, and only so many settlements wait.
#[test]
fn a_block_reads_so_many_reports() {
    let mut story = Story::new();
    story.window(700);
    // Each report counts as 64 positions at least: 1,024 of them fill a block.
    let wrong = SettleWindowItem { digest: [9; 32], ..story.word(0) };
    let many = |count: usize| -> Vec<Item> { vec![Item::from(wrong); count] };
    let right = story.proposals(0..1);
    let said = [(AGENTS[0], many(1_000)), (AGENTS[1], many(24)), (AGENTS[0], right.clone())];
    let codes = story.block(1, &said);
    let (read, unread) = codes.split_at(1_024);
    assert!(read.iter().all(|code| *code == 430), "{read:?}");
    assert_eq!(unread, [434]);
    assert_eq!(story.block(1, &[(AGENTS[1], many(1_023)), (AGENTS[0], right)]).last(), Some(&0));

    let open = story.chain.state.window().get();
    while story.chain.state.window().get() < open + 1_002 {
        story.window(0);
    }
    let proposed = story.proposals(1..1_000);
    assert!(story.block(1, &[(AGENTS[0], proposed)]).iter().all(|code| *code == 0));
    assert_eq!(story.chain.state.tables().proposed_settlements.len(), 1_000);
    let proposed = story.proposals(1_000..1_001);
    assert_eq!(story.block(1, &[(AGENTS[0], proposed.clone())]), [436]);
    let decided = story.decisions(0..1);
    assert_eq!(story.block(1, &[(AGENTS[1], decided)]), [0]);
    assert_eq!(story.block(1, &[(AGENTS[0], proposed)]), [0]);
}
