use super::*;

/// Four validators of equal power at height 8; this node is the first and votes, the others said
/// so a moment ago.
fn well() -> Situation {
    let validator = |index: u32| KnownValidator {
        name: format!("node-{index}"),
        power: 10,
        is_own: index == 0,
        word: (index > 0).then_some(Word { height: Height::new(8), age_ms: 300 }),
    };
    Situation {
        has_failed: false,
        silent: None,
        is_registered: true,
        is_withdrawn: false,
        peers_connected: 3,
        validators: (0..4).map(validator).collect(),
        votes: true,
        height: Height::new(8),
        block_age_ms: 400,
        heartbeat_ms: 1_000,
        lacks: "nothing is proposed".to_owned(),
    }
}

fn word(height: u64, age_ms: u64) -> Option<Word> {
    Some(Word { height: Height::new(height), age_ms })
}

/// The same, but for what was heard of these validators, by their places.
fn heard(of: &[(usize, Option<Word>)]) -> Situation {
    let mut situation = well();
    for (validator, word) in of {
        situation.validators[*validator].word = *word;
    }
    situation
}

fn without_words() -> Situation {
    heard(&[(1, None), (2, None), (3, None)])
}

/// Of four validators, none is this node.
fn edge_node(mut situation: Situation) -> Situation {
    situation.validators[0].is_own = false;
    Situation { votes: false, ..situation }
}

/// A chain with a heartbeat of ten seconds, two of whose validators spoke `age_ms` ago.
fn slow_chain(age_ms: u64, block_age_ms: u64) -> Situation {
    let situation = heard(&[(2, word(8, age_ms)), (3, word(8, age_ms))]);
    Situation { heartbeat_ms: 10_000, block_age_ms, ..situation }
}

fn alone() -> Situation {
    let mut situation = well();
    situation.validators.truncate(1);
    Situation { peers_connected: 0, ..situation }
}

/// A situation with its name, and why a node is not ready in it.
type Row = (&'static str, Situation, Option<&'static str>);

fn each_has_its_reason(rows: Vec<Row>) {
    for (what, situation, expected) in rows {
        assert_eq!(reason(&situation.causes()).as_deref(), expected, "{what}");
    }
}

const NOT_LET_IN: &str =
    "no peer lets this node in: check its network key and the keys and addresses of its peers";
const UNREGISTERED: &str = "not registered, and no peer lets this node in: ask the operators to \
                            register its network key";
const ONLY_TWO: &str = "no quorum: heard node-1, node-2 of 4 validators within 5 s, with power 20 \
                        of 40 (27 needed)";

#[test]
fn a_node_is_ready_by_a_quorums_word() {
    each_has_its_reason(vec![
        ("all well", well(), None),
        ("one of four is away", heard(&[(3, word(6, 60_000))]), None),
        (
            "three copies of a home at height 8 with nobody else: one key, which hears itself",
            {
                let mut situation = without_words();
                situation.validators[0].word = word(8, 10);
                Situation { peers_connected: 2, ..situation }
            },
            Some(
                "no quorum: heard node-0 (this node) of 4 validators within 5 s, with power 10 of \
                 40 (27 needed)",
            ),
        ),
        (
            "two of four stopped: their words grow old",
            Situation {
                peers_connected: 1,
                block_age_ms: 12_345,
                lacks: "precommits of node-2, node-3 are missing".to_owned(),
                ..heard(&[(2, word(8, 12_000)), (3, word(8, 12_000))])
            },
            Some(
                "no quorum: heard node-0 (this node), node-1 of 4 validators within 5 s, with \
                 power 20 of 40 (27 needed); no block for 12 s: precommits of node-2, node-3 are \
                 missing",
            ),
        ),
        (
            "a validator that does not vote does not count itself",
            Situation { votes: false, ..heard(&[(3, None)]) },
            Some(ONLY_TWO),
        ),
        ("a chain of one validator", alone(), None),
        ("the bounds follow a long heartbeat", slow_chain(29_000, 99_999), None),
        (
            "and are bounds all the same",
            slow_chain(30_001, 100_000),
            Some(
                "no quorum: heard node-0 (this node), node-1 of 4 validators within 30 s, with \
                 power 20 of 40 (27 needed); no block for 100 s: nothing is proposed",
            ),
        ),
    ]);
}

#[test]
fn a_node_says_who_does_not_let_it_in() {
    each_has_its_reason(vec![
        (
            "wrong peers: nobody is connected, and the last block is old",
            Situation {
                peers_connected: 0,
                block_age_ms: 45_000,
                lacks: "proposal of node-1 is missing".to_owned(),
                ..without_words()
            },
            Some(
                "no peer lets this node in: check its network key and the keys and addresses of \
                 its peers; no block for 45 s: proposal of node-1 is missing",
            ),
        ),
        (
            "wrong peers: the same a moment after the start",
            Situation { peers_connected: 0, ..without_words() },
            Some(NOT_LET_IN),
        ),
        (
            "a node that nobody let in",
            Situation { peers_connected: 0, is_registered: false, ..edge_node(without_words()) },
            Some(UNREGISTERED),
        ),
        (
            "a node whose keys governance replaced",
            Situation { is_registered: false, is_withdrawn: true, votes: false, ..well() },
            Some(
                "governance gave this node other keys than these: put the registered key files \
                 beside the present ones, with .next at the end of their names, and start it again",
            ),
        ),
    ]);
}

#[test]
fn a_node_knows_where_the_chain_is() {
    each_has_its_reason(vec![
        ("an edge node that hears all", edge_node(heard(&[(0, word(8, 0))])), None),
        ("an edge node that hears two of four", edge_node(heard(&[(3, None)])), Some(ONLY_TWO)),
        (
            "six below the rest",
            heard(&[(1, word(14, 0)), (2, word(14, 0))]),
            Some(
                "behind: at height 8, while validators with more than a third of the power are at \
                 14",
            ),
        ),
        ("five below the rest", heard(&[(1, word(13, 0)), (2, word(13, 0))]), None),
        ("one liar says that the chain is far ahead", heard(&[(1, word(u64::MAX, 0))]), None),
        (
            "no block, though all are heard",
            Situation { block_age_ms: 10_000, lacks: "x is missing".to_owned(), ..well() },
            Some("no block for 10 s: x is missing"),
        ),
    ]);
}

#[test]
fn a_node_says_what_is_wrong_with_itself() {
    each_has_its_reason(vec![
        (
            "the disk refused a write",
            Situation { has_failed: true, ..well() },
            Some("a write to the store failed"),
        ),
        (
            "a mute validator",
            Situation { silent: Some("its key signs elsewhere".to_owned()), ..well() },
            Some("this validator signs nothing: its key signs elsewhere"),
        ),
    ]);
}

#[test]
fn power_decides_not_heads() {
    let mut situation = well();
    // One of the four has more than two thirds: with it, nobody else need be heard.
    situation.validators[1].power = 100;
    situation.validators[2].word = None;
    situation.validators[3].word = None;
    assert_eq!(situation.causes(), []);
    // And it alone tells where the chain is.
    situation.validators[1].word = word(20, 0);
    assert_eq!(situation.known_height(), Height::new(20));
    assert!(situation.is_behind());
}

#[test]
fn what_a_block_waits_for_is_said_in_words() {
    let name = |id: ValidatorId| format!("node-{}", id.get());
    let two = || vec![ValidatorId::new(2), ValidatorId::new(3)];
    let rows = [
        (WaitsFor::Work, "work", "nothing is proposed"),
        (
            WaitsFor::Proposal(ValidatorId::new(2)),
            "proposal of node-2",
            "proposal of node-2 is missing",
        ),
        (
            WaitsFor::Prevotes(two()),
            "prevotes of node-2, node-3",
            "prevotes of node-2, node-3 are missing",
        ),
        (
            WaitsFor::Precommits(two()),
            "precommits of node-2, node-3",
            "precommits of node-2, node-3 are missing",
        ),
        (WaitsFor::Precommits(Vec::new()), "precommits of none", "the precommits differ"),
        (WaitsFor::Blocks, "blocks of the validators", "no validator sends one"),
    ];
    for (waits_for, waits, lacks) in rows {
        assert_eq!(waits_for_text(&waits_for, name), waits);
        assert_eq!(lacks_text(&waits_for, name), lacks);
    }
}
