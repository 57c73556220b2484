//! Section 13.

use chain_types::*;

use crate::kit::*;

const SUSPEND_MERCHANT: Change =
    Change::MerchantSuspended { merchant: MerchantId::new(MERCHANT), suspended: true };

#[test]
fn a_change_takes_effect_at_its_height_and_not_before() {
    let mut scene = Scene::default();
    let item = scene.proposal(&SUSPEND_MERCHANT, 6);
    scene.say(1, item, 0);
    scene.say(1, item, 1);
    scene.say(1, approval(&item, Decision::Approve), 1);
    let wrong = ApprovalItem { digest: [0; 32], ..approval(&item, Decision::Approve) };
    let words = scene.batch(2, &[wrong, approval(&item, Decision::Approve)]);
    scene.block(&[(words, &[508, 0])]);
    let (before, after) = (scene.order(1), scene.order(1));
    scene.say(SERVICE, before, 0);
    assert_eq!(scene.height, 5);
    scene.say(SERVICE, after, 211);
}

#[test]
fn a_change_that_is_approved_late_takes_effect_after_that_block() {
    let mut scene = Scene::default();
    let item = scene.proposal(&SUSPEND_MERCHANT, 2);
    scene.say(1, item, 0);
    scene.pass(1_000);
    scene.pass(1_000);
    let words = scene.batch(2, &[approval(&item, Decision::Approve)]);
    let (now, next) = (scene.order(1), scene.order(1));
    let orders = scene.batch(SERVICE, &[now]);
    scene.block(&[(words, &[0]), (orders, &[0])]);
    scene.say(SERVICE, next, 211);
    scene.say(3, approval(&item, Decision::Approve), 802);
}

#[test]
fn a_key_holds_on_for_its_overlap() {
    let mut scene = Scene::default();
    let (id, key) = (ParticipantId::new(SERVICE), secret(500));
    let public_key = key.public_key();
    scene.change(&Change::Key { participant: id, public_key, overlap_heights: 4 });
    for is_accepted in [true, true, false] {
        let until = TimeMs::new(scene.time + 9_000);
        let (first, second) = (scene.order(1), scene.order(1));
        let by_old = signed(SERVICE, &secret(SERVICE), until, &[first]);
        let by_new = signed(SERVICE, &key, until, &[second]);
        scene.block(&[(by_new, &[0])]);
        // The overlap counts heights, and this is the second one of each pass.
        let judged = scene.judge(&[(by_old, &[0])]);
        assert_eq!(judged.is_ok(), is_accepted, "{judged:?}");
    }
}

#[test]
fn refusals_close_a_proposal_once_approval_is_impossible() {
    let mut genesis = genesis();
    genesis.parameters.governance_approvals = 3;
    let mut scene = Scene::of(&genesis);
    let item = scene.proposal(&SUSPEND_MERCHANT, 9);
    scene.say(1, item, 0);
    scene.say(2, approval(&item, Decision::Refuse), 0);
    scene.say(2, approval(&item, Decision::Refuse), 1);
    scene.say(3, approval(&item, Decision::Refuse), 0);
    scene.say(4, approval(&item, Decision::Approve), 802);
}

#[test]
fn operators_of_one_legal_entity_have_one_word() {
    let mut genesis = genesis();
    for operator in &mut genesis.participants {
        if [1, 2].contains(&operator.id.get()) {
            operator.legal_entity = "HOUSE".to_owned();
        }
    }
    let mut scene = Scene::of(&genesis);
    let of_four = Change::Parameter { index: 24, value: 4 };
    let item = scene.proposal(&of_four, 9);
    scene.say(3, item, 806);
    let item = scene.proposal(&SUSPEND_MERCHANT, 2);
    scene.say(1, item, 0);
    scene.say(2, approval(&item, Decision::Approve), 0);
    scene.pass(1_000);
    let order = scene.order(1);
    scene.say(SERVICE, order, 0);
    // One refusal of the house, and all that others need are left.
    scene.say(2, approval(&item, Decision::Refuse), 0);
    scene.say(1, approval(&item, Decision::Refuse), 0);
    scene.say(3, approval(&item, Decision::Approve), 0);
    scene.say(4, approval(&item, Decision::Approve), 0);
    scene.pass(1_000);
    let order = scene.order(1);
    scene.say(SERVICE, order, 211);
}

#[test]
fn a_proposal_expires() {
    let mut genesis = genesis();
    genesis.parameters.proposal_validity_ms = 60_000;
    let mut scene = Scene::of(&genesis);
    let item = scene.proposal(&SUSPEND_MERCHANT, 9);
    scene.say(1, item, 0);
    scene.window += 1;
    scene.pass(60_001);
    scene.say(2, approval(&item, Decision::Approve), 802);
}

#[test]
fn a_closed_proposal_is_forgotten_after_its_validity_and_that_of_ids() {
    let mut genesis = genesis();
    genesis.parameters.proposal_validity_ms = 300_000;
    let mut scene = Scene::of(&genesis);
    let item = scene.proposal(&SUSPEND_MERCHANT, 5);
    scene.say(1, item, 0);
    scene.window += 1;
    scene.pass(200_000);
    scene.say(2, approval(&item, Decision::Approve), 0);
    scene.say(3, approval(&item, Decision::Approve), 0);
    let proposed = START_MS + 1_000;
    scene.window += 1;
    scene.pass(proposed + 479_000 - scene.time);
    scene.say(4, approval(&item, Decision::Approve), 802);
    scene.say(4, approval(&item, Decision::Approve), 812);
}

/// Proposes every change of the rows in one batch, from who is none of the parties.
fn each_is_checked(rows: &[(Change, u16)]) {
    let mut scene = Scene::default();
    let items: Vec<ProposalItem> =
        rows.iter().map(|(change, _)| scene.proposal(change, 2)).collect();
    let codes: Vec<u16> = rows.iter().map(|(_, code)| *code).collect();
    let batch = scene.batch(4, &items);
    scene.block(&[(batch, &codes)]);
}

#[test]
fn each_change_of_a_party_is_checked() {
    let party = |id: u32, roles: Roles, key: u32| {
        Participant::new(
            ParticipantId::new(id),
            "someone".to_owned(),
            roles,
            secret(key).public_key(),
        )
    };
    let key = |participant: u32, key: u32| Change::Key {
        participant: ParticipantId::new(participant),
        public_key: secret(key).public_key(),
        overlap_heights: 0,
    };
    let suspend = |participant: u32| Change::ParticipantSuspended {
        participant: ParticipantId::new(participant),
        suspended: true,
    };
    each_is_checked(&[
        (Change::Participant(party(60, Roles::GATEWAY, 60)), 0),
        (Change::Participant(party(60, Roles::GATEWAY, A)), 808),
        (Change::Participant(party(60, Roles(256), 60)), 807),
        (Change::Participant(party(60, Roles(0), 60)), 807),
        (Change::Participant(party(A, Roles::GATEWAY, 60)), 807),
        (Change::Participant(Participant { suspended: true, ..party(A, Roles::GATEWAY, A) }), 807),
        (Change::Merchant(Merchant { suspended: true, ..merchant(MERCHANT, B) }), 807),
        (Change::Participant(party(A, Roles::FX_PROVIDER, A)), 0),
        (Change::Participant(party(B, Roles::FX_PROVIDER, B)), 807), // a merchant's payout gateway
        (Change::Participant(party(1, Roles::GATEWAY, 1)), 807),     // it runs nodes
        (Change::Participant(party(2, Roles::GATEWAY, 2)), 0),
        (key(A, 501), 0),
        (key(A, B), 808),
        (key(A, 2_001), 808),
        (key(99, 501), 807),
        (suspend(A), 0),
        (suspend(99), 807),
        (Change::Merchant(merchant(9, C)), 0),
        (Change::Merchant(merchant(9, SERVICE)), 807),
        (Change::Merchant(merchant(0, C)), 807),
        (SUSPEND_MERCHANT, 0),
        (Change::MerchantSuspended { merchant: MerchantId::new(9), suspended: true }, 807),
    ]);
}

#[test]
fn each_change_of_the_chain_is_checked() {
    let parameter = |index: u16, value: u64| Change::Parameter { index, value };
    assert_eq!(Parameters::NAMES[24], "governance_approvals");
    each_is_checked(&[
        (parameter(0, 60_000), 809),
        (parameter(1, 999), 809),
        (parameter(2, 10_000), 0),
        (parameter(2, 1), 807),
        (parameter(99, 1), 807),
        (parameter(24, 5), 806), // governance_approvals, of four operators
        (parameter(24, 4), 0),
        (Change::Currency(Currency::new(978)), 0),
        (Change::Currency(Currency::new(CNY)), 807),
        (Change::Currency(Currency::new(1)), 807),
        (Change::ProtocolVersion(1), 807),
        (Change::ProtocolVersion(2), 807),
    ]);
}

#[test]
fn each_change_of_a_node_is_checked() {
    let own_key = |id: u32| secret(id).public_key();
    let edge = |name: &str, operator: u32, keys: (u32, u32), power: u64| {
        Change::Node(Node {
            name: name.to_owned(),
            operator: ParticipantId::new(operator),
            network_key: own_key(keys.0),
            validator_key: own_key(keys.1),
            power,
        })
    };
    let node_keys = |node: u32, network: u32, votes: u32| Change::NodeKeys {
        node,
        network_key: own_key(network),
        validator_key: own_key(votes),
    };
    each_is_checked(&[
        (edge("edge", 1, (601, 601), 0), 0),
        (edge("edge", 1, (601, 602), 0), 807),
        (edge("edge", 1, (601, 602), 1), 0),
        (edge("edge", 1, (601, 601), 1), 807),
        (edge("edge", 1, (601, 602), 2), 806), // two of six
        (edge("edge", A, (601, 601), 0), 807),
        (edge("node-0", 1, (601, 601), 0), 807),
        (edge("Edge", 1, (601, 601), 0), 807),
        (Change::Power { node: 0, power: 0 }, 805),
        (Change::Power { node: 0, power: 2 }, 806),
        (Change::Power { node: 4, power: 1 }, 807),
        (node_keys(0, 701, 702), 0),
        (node_keys(0, 701, 701), 807),
        (node_keys(0, A, 702), 808),
        (node_keys(0, 701, 2_001), 808),
        (node_keys(0, 1_000, 702), 808), // its own
        (node_keys(4, 701, 702), 807),
        (Change::NodeRemoved { node: 0 }, 805),
        (Change::NodeRemoved { node: 4 }, 807),
    ]);
}

#[test]
fn each_change_of_a_programme_is_checked() {
    let tiers = |tiers: Vec<CashbackTier>| {
        let order_least = Programme::least_of(&tiers);
        Change::Programme(Programme { tiers, order_least, ..programme(0) })
    };
    let gateways = |ids: &[u32]| {
        let gateways = ids.iter().copied().map(ParticipantId::new).collect();
        Change::Programme(Programme { gateways, ..programme(0) })
    };
    let tier = |above: u16, basis_points: u16| CashbackTier { above, basis_points };
    each_is_checked(&[
        (Change::Programme(programme(3)), 0),
        (tiers(vec![]), 807),
        (tiers(vec![tier(1, 1), tier(1, 2)]), 807),
        (tiers(vec![tier(1, 10_000), tier(2, 0)]), 0),
        (tiers(vec![tier(1, 10_001)]), 807),
        (Change::Programme(Programme { offset_min: 841, ..programme(0) }), 807),
        (Change::Programme(Programme { order_least: Amount::new(12), ..programme(0) }), 807),
        (gateways(&[B, A]), 807),
        (gateways(&[A, SERVICE]), 807),
        (Change::Programme(Programme { offset_min: -720, ..programme(0) }), 0),
        (Change::Programme(Programme { currency: Currency::new(978), ..programme(0) }), 807),
    ]);
}

#[test]
fn an_edge_node_is_rotated_and_removed_for_good() {
    let mut scene = Scene::default();
    let edge = |key: u32, name: &str| {
        Change::Node(Node {
            name: name.to_owned(),
            operator: ParticipantId::new(1),
            network_key: secret(key).public_key(),
            validator_key: secret(key).public_key(),
            power: 0,
        })
    };
    let keys = |network: u32, votes: u32| Change::NodeKeys {
        node: 4,
        network_key: secret(network).public_key(),
        validator_key: secret(votes).public_key(),
    };
    scene.change(&edge(601, "edge"));
    scene.change(&keys(602, 602));
    let refused = |scene: &mut Scene, change: &Change, code: u16| {
        let item = scene.proposal(change, 2);
        scene.say(1, item, code);
    };
    for (change, code) in [
        (keys(603, 604), 807),
        (keys(601, 601), 808),
        (keys(602, 602), 808),
        (Change::Power { node: 4, power: 1 }, 807),
        (edge(601, "other"), 808),
    ] {
        refused(&mut scene, &change, code);
    }
    scene.change(&Change::NodeRemoved { node: 4 });
    for (change, code) in [
        (Change::NodeRemoved { node: 4 }, 807),
        (keys(603, 603), 807),
        (Change::Power { node: 4, power: 0 }, 807),
        (edge(603, "edge"), 807),
        (edge(602, "other"), 808),
    ] {
        refused(&mut scene, &change, code);
    }
    // Its place is not taken: the next node comes after it.
    scene.change(&edge(603, "other"));
    refused(&mut scene, &Change::NodeRemoved { node: 6 }, 807);
    scene.change(&Change::NodeRemoved { node: 5 });
}

#[test]
fn proposals_have_rules() {
    let mut scene = Scene::default();
    let good = scene.proposal(&SUSPEND_MERCHANT, 2);
    let rows = [
        (ProposalItem { proposal_id: [0; 16], ..good }, 200),
        (ProposalItem { spare: [1; 6], ..good }, 201),
        (ProposalItem { change_length: 3.into(), ..good }, 803),
        (ProposalItem { change_length: 481.into(), ..good }, 803),
        (ProposalItem { activation_height: 1.into(), ..good }, 804),
        (good, 0),
        (ProposalItem { activation_height: 3.into(), ..good }, 800),
    ];
    let codes = rows.map(|(_, code)| code);
    let batch = scene.batch(1, &rows.map(|(item, _)| item));
    scene.block(&[(batch, &codes)]);
    let unknown = scene.proposal(&SUSPEND_MERCHANT, 2);
    scene.say(2, approval(&unknown, Decision::Approve), 801);
    let neither = ApprovalItem { decision: 3.into(), ..approval(&good, Decision::Approve) };
    scene.say(2, neither, 310);
}

#[test]
fn a_suspended_participant_may_do_nothing_until_it_is_so_no_longer() {
    let mut scene = Scene::default();
    let suspended =
        |suspended| Change::ParticipantSuspended { participant: ParticipantId::new(A), suspended };
    scene.change(&suspended(true));
    let (others, order_id) = (scene.order(1), scene.order_id(A));
    let own = RechargeItem { order_id, ..others };
    scene.say(A, own, 110);
    scene.say(SERVICE, others, 213);
    scene.change(&suspended(false));
    scene.say(A, own, 0);
}
