//! What blocks leave for readers: found by its key, and listed in pages, on the disk and in memory.

use chain_state::{
    PolicyKey, PolicyRecord, ProposalRecord, ProposalStatus, Record, TransferRecord, TransferStatus,
};
use chain_store::{ChainStore, InstructionFilter};
use chain_types::{Amount, Currency, Height, ParticipantId, PolicyScope, WindowId};

use crate::kit::*;

/// A store whose head is `head`, with what each of its blocks left.
fn commit_records(store: &dyn ChainStore, of: impl Fn(u64) -> Vec<Record>, head: u64) {
    for height in 1..=head {
        let staged = usual_block(height);
        store.stage(&staged).unwrap();
        store.commit(&certificate(&staged), only(of(height))).unwrap();
    }
}

#[test]
fn an_instruction_given_to_another_gateway_is_listed_there_only() {
    let of = |gateway| InstructionFilter::Gateway(ParticipantId::new(gateway));
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=4);
        let staged = usual_block(5);
        store.stage(&staged).unwrap();
        let moved = [1, 2].map(|window| instruction(instruction_id(window, 1001), 203, window));
        let records = moved.map(Record::Instruction).to_vec();
        store.commit(&certificate(&staged), only(records)).unwrap();
        let ids = |gateway, limit| -> Vec<u64> {
            let page = store.instructions(of(gateway), None, limit).unwrap();
            page.iter().map(|found| found.id.window.get()).collect()
        };
        let last = |gateway| store.last_instruction(ParticipantId::new(gateway)).unwrap();
        let window = |gateway| last(gateway).map(|id| id.window.get());
        assert_eq!((window(201), window(203), window(299)), (Some(4), Some(2), None), "{name}");
        assert_eq!(ids(201, 1), [3], "{name}: a page is full though rows were passed over");
        assert_eq!(ids(201, 9), [3, 4], "{name}");
        assert_eq!(ids(203, 9), [1, 2], "{name}");
    }
}

#[test]
fn an_account_is_found_as_a_block_left_it() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=3);
        let staged = block(4, 0, vec![]);
        store.stage(&staged).unwrap();
        store.commit(&certificate(&staged), only(vec![])).unwrap();
        let at = |owner, height| {
            let found = store.account_entry_at(&account(owner), Height::new(height)).unwrap();
            found.map(|entry| (entry.height.get(), entry.sequence, entry.after.credits_posted))
        };
        assert_eq!(at(1001, 0), None, "{name}: before its first entry");
        assert_eq!(at(1001, 1), Some((1, 2, 1)), "{name}: the last of two in a block");
        assert_eq!(at(1002, 2), Some((2, 1, 2)), "{name}");
        assert_eq!(at(1001, 4), Some((3, 2, 3)), "{name}: a block that did not touch it");
        assert_eq!(at(1002, u64::MAX), Some((3, 1, 3)), "{name}");
        assert_eq!(at(1003, 9), None, "{name}: the entries of its neighbour are not its own");
    }
}

#[test]
fn a_node_of_the_accounts_tree_is_found_as_a_block_left_it() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=4);
        let at = |level, index, height| {
            store.account_node_at(level, index, Height::new(height)).unwrap()
        };
        assert_eq!(at(4, 1, 0), None, "{name}: before its first version");
        assert_eq!(at(4, 1, 1), Some(writes(1)), "{name}");
        assert_eq!(at(4, 1, 2), Some(writes(1)), "{name}: a block that did not touch it");
        assert_eq!(at(4, 1, u64::MAX), Some(writes(3)), "{name}");
        assert_eq!(at(4, 0, 3), Some(writes(2)), "{name}");
        assert_eq!(at(4, 2, 9), None, "{name}: its neighbour's versions are not its own");
        assert_eq!(at(8, 0, 9), None, "{name}: nor are those of another level");
    }
}

#[test]
fn what_contracts_record_is_found_by_its_key() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=3);
        assert_eq!(
            store.window_settlement(WindowId::new(2)).unwrap(),
            Some(settlement(2)),
            "{name}"
        );
        assert_eq!(store.window_settlement(WindowId::new(4)).unwrap(), None, "{name}");
        assert_eq!(store.transfer(&transfer_id(2)).unwrap(), Some(transfer(2)), "{name}");
        assert_eq!(store.transfer(&transfer_id(4)).unwrap(), None, "{name}");
        assert_eq!(store.quote(quote_id(302, 2)).unwrap(), Some(quote(302, 2)), "{name}");
        assert_eq!(store.quote(quote_id(303, 2)).unwrap(), None, "{name}");
        assert_eq!(store.policy(&policy_key(3)).unwrap(), Some(policy(3)), "{name}");
        assert_eq!(store.policy(&policy_key(4)).unwrap(), None, "{name}");
        assert_eq!(store.proposal(&proposal_id(1)).unwrap(), Some(proposal(1)), "{name}");
        assert_eq!(store.proposal(&proposal_id(4)).unwrap(), None, "{name}");
        assert_eq!(store.writes_digest(Height::new(3)).unwrap(), Some(writes(3)), "{name}");
        assert_eq!(store.writes_digest(Height::new(4)).unwrap(), None, "{name}");
    }
}

fn policy_key(merchant: u64) -> PolicyKey {
    (PolicyScope::Merchant, merchant, Currency::new(156))
}

#[test]
fn the_later_record_of_a_key_stands() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=1);
        let approved = TransferRecord { status: TransferStatus::Approved, ..transfer(1) };
        let refused = ProposalRecord { status: ProposalStatus::Refused, ..proposal(1) };
        let stricter = PolicyRecord { order_max: Amount::new(3), ..policy(1) };
        let staged = usual_block(2);
        store.stage(&staged).unwrap();
        let later = vec![
            Record::Transfer(approved),
            Record::Proposal(refused.clone()),
            Record::Policy(stricter),
        ];
        store.commit(&certificate(&staged), only(later)).unwrap();
        assert_eq!(store.transfer(&transfer_id(1)).unwrap(), Some(approved), "{name}");
        assert_eq!(store.proposal(&proposal_id(1)).unwrap(), Some(refused), "{name}");
        assert_eq!(store.policy(&policy_key(1)).unwrap(), Some(stricter), "{name}");
    }
}

#[test]
fn what_contracts_record_is_listed_in_pages() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=5);
        let transfers =
            |before: Option<u64>, limit| store.transfers(before.map(transfer_id), limit).unwrap();
        assert_eq!(transfers(None, 2), [transfer(5), transfer(4)], "{name}");
        assert_eq!(transfers(Some(2), 9), [transfer(1)], "{name}");
        let proposals =
            |before: Option<u64>, limit| store.proposals(before.map(proposal_id), limit).unwrap();
        assert_eq!(proposals(None, 2), [proposal(5), proposal(4)], "{name}");
        assert_eq!(proposals(Some(2), 9), [proposal(1)], "{name}");
        let policies =
            |after: Option<u64>, limit| store.policies(after.map(policy_key), limit).unwrap();
        assert_eq!(policies(None, 2), [policy(1), policy(2)], "{name}");
        assert_eq!(policies(Some(4), 9), [policy(5)], "{name}");
        let quotes = |provider, after: Option<u64>, limit| {
            let after = after.map(|number| quote_id(provider, number));
            store.quotes(ParticipantId::new(provider), after, limit).unwrap()
        };
        assert_eq!(quotes(301, None, 2), [quote(301, 1), quote(301, 2)], "{name}");
        assert_eq!(quotes(301, Some(4), 9), [quote(301, 5)], "{name}: not the next provider's");
        assert_eq!(quotes(303, None, 9), [], "{name}");
        let rates = |provider, after: Option<u64>, limit| {
            let key = (Currency::new(156), Currency::new(392), ParticipantId::new(provider));
            store.rates(&key, after.map(time_of), limit).unwrap()
        };
        assert_eq!(rates(301, None, 2), [rate(301, 1), rate(301, 2)], "{name}");
        assert_eq!(rates(301, Some(4), 9), [rate(301, 5)], "{name}: not the next provider's");
        assert_eq!(rates(303, None, 9), [], "{name}");
    }
}

#[test]
fn an_orders_returns_are_its_own_and_in_order() {
    for (name, store, _home) in both() {
        let of = |height| vec![Record::Return(back(7, height as u16)), Record::Return(back(8, 1))];
        commit_records(store.as_ref(), of, 3);
        let page = |order, after, limit| store.returns(&order_id(order), after, limit).unwrap();
        assert_eq!(page(7, None, 2), [back(7, 1), back(7, 2)], "{name}");
        assert_eq!(page(7, Some(2), 9), [back(7, 3)], "{name}");
        assert_eq!(page(8, None, 9), [back(8, 1)], "{name}");
        assert_eq!(page(6, None, 9), [], "{name}");
    }
}

#[test]
fn a_height_executes_under_the_last_registry_before_it() {
    for (name, store, _home) in both() {
        let of = |height: u64| match height {
            2 | 4 => vec![Record::Registry(registry(height + 1, height as u32))],
            _ => vec![],
        };
        commit_records(store.as_ref(), of, 6);
        let at = |height| store.registry_at(Height::new(height)).unwrap();
        for height in [0, 1, 2] {
            assert_eq!(at(height), None, "{name}: {height} executes under the genesis file");
        }
        for (height, since, parties) in [(3, 3, 2), (4, 3, 2), (5, 5, 4), (7, 5, 4)] {
            assert_eq!(at(height), Some(registry(since, parties)), "{name}: {height}");
        }
        let page =
            |after: Option<u64>, limit| store.registries(after.map(Height::new), limit).unwrap();
        assert_eq!(page(None, 1), [registry(3, 2)], "{name}");
        assert_eq!(page(Some(3), 9), [registry(5, 4)], "{name}");
    }
}
