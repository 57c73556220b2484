//! The promises of a store, each tried on the disk and in memory.

use chain_state::{Location, OrderRecord, Record};
use chain_store::{BlockRecords, InstructionFilter, PAGE_ITEMS_MAX, StoreFault};
use chain_types::{BlockHash, Digest, Height, ParticipantId, RecordCursor, TimeMs, WindowId};

use crate::kit::*;

#[test]
fn an_empty_store_knows_nothing() {
    for (name, store, _home) in both() {
        assert_eq!(store.head(), None, "{name}");
        assert_eq!(store.block(Height::new(0)).unwrap(), None, "{name}");
        assert_eq!(store.block(Height::new(1)).unwrap(), None, "{name}");
        assert_eq!(store.payload(Height::new(1)).unwrap(), None, "{name}");
        assert_eq!(store.outcomes(Height::new(1)).unwrap(), None, "{name}");
        assert_eq!(store.batch_bytes(Height::new(1), 0).unwrap(), None, "{name}");
        assert_eq!(store.batch_location(&batch(1, 1).id()).unwrap(), None, "{name}");
        assert_eq!(store.archived_order(&order_id(1)).unwrap(), None, "{name}");
        assert_eq!(store.window(WindowId::new(0)).unwrap(), None, "{name}");
        assert_eq!(store.windows(None, 10).unwrap(), [], "{name}");
        assert_eq!(store.instructions(InstructionFilter::All, None, 10).unwrap(), [], "{name}");
        assert_eq!(store.breaches(None, 10).unwrap(), [], "{name}");
        assert_eq!(store.evidence(None, 10).unwrap(), [], "{name}");
        assert_eq!(store.first_height_from(TimeMs::new(0)).unwrap(), None, "{name}");
    }
}

#[test]
fn what_is_committed_reads_back() {
    for (_, store, _home) in both() {
        append_usual(store.as_ref(), 1..=25);
        assert_usual(store.as_ref(), 25);
        assert_eq!(store.batch_bytes(Height::new(3), 3).unwrap(), None, "past the last batch");
        let (record, _) = submitted_orders(&usual_block(3), 0).remove(0);
        for (batch, item) in [(3, 0), (0, 1)] {
            let location = Location { batch, item, ..record.location };
            let beyond = OrderRecord { location, ..record };
            assert_eq!(store.submitted_order(&beyond).unwrap(), None, "batch {batch}, {item}");
        }
        assert_eq!(store.block(Height::new(0)).unwrap(), None, "block zero is not stored");
        assert_eq!(store.block(Height::new(u64::MAX)).unwrap(), None);
    }
}

#[test]
fn a_staged_block_shows_only_once_it_is_committed() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=2);
        let staged = usual_block(3);
        store.stage(&staged).unwrap();
        assert!(store.is_staged(&staged.block.hash()), "{name}");
        assert_usual(store.as_ref(), 2);
        assert_eq!(store.batch_location(&staged.batches[0].id()).unwrap(), None, "{name}");
        commit(store.as_ref(), &staged);
        assert!(!store.is_staged(&staged.block.hash()), "{name}");
        assert_usual(store.as_ref(), 3);
    }
}

#[test]
fn heights_ascend_by_one() {
    for (name, store, _home) in both() {
        for height in [0, 2, 7] {
            let fault = store.stage(&block(height, 0, vec![])).unwrap_err();
            let StoreFault::OutOfOrder { expected, .. } = fault else { panic!("{name}: {fault}") };
            assert_eq!(expected, Height::new(1), "{name}");
        }
        append_usual(store.as_ref(), 1..=3);
        for height in [0, 1, 3, 5] {
            let fault = store.stage(&block(height, 0, vec![])).unwrap_err();
            let StoreFault::OutOfOrder { expected, .. } = fault else { panic!("{name}: {fault}") };
            assert_eq!(expected, Height::new(4), "{name}");
        }
        // The certificate of an old height, and of one too far ahead.
        for height in [3, 5] {
            let certificate = certificate(&usual_block(height));
            let fault = store.commit(&certificate, only(vec![])).unwrap_err();
            assert!(matches!(fault, StoreFault::OutOfOrder { .. }), "{name}: {fault}");
        }
        let fault = store.checkpoint(Height::new(4), b"ahead").unwrap_err();
        assert!(matches!(fault, StoreFault::OutOfOrder { .. }), "{name}: {fault}");
        // None of it did any harm.
        append_usual(store.as_ref(), 4..=4);
        assert_usual(store.as_ref(), 4);
    }
}

#[test]
fn only_a_staged_block_can_be_committed() {
    for (name, store, _home) in both() {
        store.stage(&usual_block(1)).unwrap();
        let mut other = certificate(&usual_block(1));
        other.block = BlockHash::new(Digest::from_bytes([99; 32]));
        let fault = store.commit(&other, only(vec![])).unwrap_err();
        let StoreFault::NotStaged { height, .. } = fault else { panic!("{name}: {fault}") };
        assert_eq!(height, Height::new(1), "{name}");
        assert_eq!(store.head(), None, "{name}");
        commit(store.as_ref(), &usual_block(1));
        assert_usual(store.as_ref(), 1);
    }
}

#[test]
fn staging_the_same_block_again_changes_nothing() {
    for (_, store, _home) in both() {
        for _ in 0..3 {
            store.stage(&usual_block(1)).unwrap();
        }
        commit(store.as_ref(), &usual_block(1));
        assert_usual(store.as_ref(), 1);
    }
}

#[test]
fn blocks_of_several_rounds_share_their_batches_and_one_is_decided() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=1);
        let shared = batch(500, 40);
        let rounds = [
            block(2, 0, vec![shared.clone(), batch(501, 1)]),
            block(2, 1, vec![batch(502, 2), shared.clone()]),
            block(2, 2, vec![shared.clone()]),
        ];
        for staged in &rounds {
            store.stage(staged).unwrap();
        }
        commit(store.as_ref(), &rounds[1]);
        assert_eq!(store.block(Height::new(2)).unwrap(), Some(committed(&rounds[1])), "{name}");
        assert_eq!(store.payload(Height::new(2)).unwrap(), Some(payload_of(&rounds[1])), "{name}");
        assert_eq!(
            store.batch_location(&shared.id()).unwrap(),
            Some((Height::new(2), 1)),
            "{name}"
        );
        assert_eq!(store.batch_location(&batch(501, 1).id()).unwrap(), None, "{name}");
        // A block that lost is gone, and the next height starts afresh.
        assert!(!store.is_staged(&rounds[0].block.hash()), "{name}");
        append(store.as_ref(), &block(3, 0, vec![batch(501, 1)]));
        assert_eq!(store.batch_location(&batch(501, 1).id()).unwrap(), Some((Height::new(3), 0)));
    }
}

#[test]
fn windows_are_listed_from_the_newest() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=9);
        let ids = |before: Option<u64>, limit| -> Vec<u64> {
            let page = store.windows(before.map(WindowId::new), limit).unwrap();
            page.iter().map(|window| window.id.get()).collect()
        };
        assert_eq!(ids(None, 4), [9, 8, 7, 6], "{name}");
        assert_eq!(ids(Some(6), 4), [5, 4, 3, 2], "{name}");
        assert_eq!(ids(Some(2), 4), [1], "{name}");
        assert_eq!(ids(Some(1), 4), [0_u64; 0], "{name}");
        assert_eq!(ids(Some(1_000), 2), [9, 8], "{name}: from beyond the last");
        assert_eq!(ids(None, 0), [0_u64; 0], "{name}");
        assert_eq!(store.window(WindowId::new(4)).unwrap(), Some(window(4, 4)), "{name}");
    }
}

#[test]
fn instructions_are_listed_by_window_and_by_gateway() {
    use InstructionFilter::{All, Gateway, Window};
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=5);
        let ids = |filter, after: Option<(u64, u64)>, limit| -> Vec<(u64, u64)> {
            let after = after.map(|(window, merchant)| instruction_id(window, merchant));
            let page = store.instructions(filter, after, limit).unwrap();
            page.iter().map(|found| (found.id.window.get(), found.id.merchant.get())).collect()
        };
        let none: [(u64, u64); 0] = [];
        assert_eq!(ids(All, None, 3), [(1, 1001), (1, 1002), (2, 1001)], "{name}");
        assert_eq!(ids(All, Some((2, 1001)), 2), [(2, 1002), (3, 1001)], "{name}");
        assert_eq!(ids(All, Some((5, 1002)), 9), none, "{name}");
        let third = Window(WindowId::new(3));
        assert_eq!(ids(third, None, 9), [(3, 1001), (3, 1002)], "{name}");
        assert_eq!(ids(third, Some((3, 1001)), 9), [(3, 1002)], "{name}");
        assert_eq!(ids(third, Some((1, 1)), 9), [(3, 1001), (3, 1002)], "{name}: from before it");
        assert_eq!(ids(third, Some((4, 1)), 9), none, "{name}: from beyond it");
        let second = Gateway(ParticipantId::new(202));
        assert_eq!(ids(second, None, 2), [(1, 1002), (2, 1002)], "{name}");
        assert_eq!(ids(second, Some((2, 1002)), 9), [(3, 1002), (4, 1002), (5, 1002)], "{name}");
        // A cursor that names no instruction goes on at the next.
        assert_eq!(ids(second, Some((4, 7)), 9), [(4, 1002), (5, 1002)], "{name}");
        assert_eq!(ids(Gateway(ParticipantId::new(203)), None, 9), none, "{name}");
        assert_eq!(ids(Gateway(ParticipantId::new(200)), None, 9), none, "{name}");
    }
}

#[test]
fn the_later_record_of_an_instruction_stands() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=2);
        let id = instruction_id(1, 1001);
        let mut arrived = instruction(id, 201, 1);
        arrived.reference = [9; 32];
        let staged = usual_block(3);
        store.stage(&staged).unwrap();
        let records = vec![Record::Instruction(arrived.clone())];
        store.commit(&certificate(&staged), only(records)).unwrap();
        assert_eq!(store.instruction(&id).unwrap(), Some(arrived.clone()), "{name}");
        let gateway = InstructionFilter::Gateway(ParticipantId::new(201));
        assert_eq!(store.instructions(gateway, None, 1).unwrap(), [arrived], "{name}");
        assert_eq!(store.instructions(gateway, None, 9).unwrap().len(), 2, "{name}");
    }
}

#[test]
fn an_accounts_entries_are_its_own_and_in_order() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=4);
        let page = |owner, after: Option<(u64, u32)>, limit| -> Vec<(u64, u32)> {
            let after = after
                .map(|(height, sequence)| RecordCursor { height: Height::new(height), sequence });
            let page = store.account_entries(&account(owner), after, limit).unwrap();
            assert!(page.iter().all(|entry| entry.key == account(owner)), "{name}");
            page.iter().map(|entry| (entry.height.get(), entry.sequence)).collect()
        };
        assert_eq!(page(1001, None, 3), [(1, 0), (1, 2), (2, 0)], "{name}");
        assert_eq!(page(1001, Some((2, 0)), 3), [(2, 2), (3, 0), (3, 2)], "{name}");
        assert_eq!(page(1001, Some((4, 2)), 3), [(0, 0); 0], "{name}");
        assert_eq!(page(1002, None, 9), [(1, 1), (2, 1), (3, 1), (4, 1)], "{name}");
        assert_eq!(page(1003, None, 9), [(0, 0); 0], "{name}");
        let first = store.account_entries(&account(1001), None, 1).unwrap();
        assert_eq!(first, [entry(1001, 1, 0)], "{name}");
    }
}

#[test]
fn breaches_are_listed_from_a_cursor() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=5);
        let after = RecordCursor::first_of(Height::new(2));
        let page = store.breaches(Some(after), 2).unwrap();
        assert_eq!(page, [breach(3, 0), breach(4, 0)], "{name}");
    }
}

#[test]
fn evidence_is_listed_from_a_cursor() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=5);
        let after = RecordCursor::first_of(Height::new(2));
        let page = store.evidence(Some(after), 2).unwrap();
        assert_eq!(page, [caught(3, 0), caught(4, 0)], "{name}");
    }
}

#[test]
fn a_page_has_a_most() {
    for (name, store, _home) in both() {
        let staged = usual_block(1);
        store.stage(&staged).unwrap();
        let many: Vec<Record> = (0..PAGE_ITEMS_MAX as u32 + 200)
            .map(|sequence| Record::Breach(breach(1, sequence)))
            .collect();
        store.commit(&certificate(&staged), only(many)).unwrap();
        assert_eq!(store.breaches(None, usize::MAX).unwrap().len(), PAGE_ITEMS_MAX, "{name}");
    }
}

#[test]
fn orders_that_left_memory_are_found() {
    for (name, store, _home) in both() {
        let staged = usual_block(1);
        store.stage(&staged).unwrap();
        let runs = retired(&[(10, 500), (500, 501), (2_000, 9_000)]);
        store.commit(&certificate(&staged), leaving(runs)).unwrap();
        for number in [10, 11, 499, 500, 2_000, 8_999] {
            let (id, record) = order(number);
            assert_eq!(store.archived_order(&id).unwrap(), Some(record), "{name}: {number}");
        }
        for number in [0, 9, 501, 1_999, 9_000] {
            assert_eq!(store.archived_order(&order_id(number)).unwrap(), None, "{name}: {number}");
        }
        // Whether they wait or have arrived makes no difference.
        store.checkpoint(Height::new(1), b"state").unwrap();
        assert_eq!(store.archived_order(&order_id(8_999)).unwrap(), Some(order(8_999).1));
    }
}

#[test]
fn indexing_again_changes_nothing() {
    for (name, store, _home) in both() {
        let staged = usual_block(1);
        store.stage(&staged).unwrap();
        let first = || BlockRecords { retired: retired(&[(0, 100)]), ..learned(Height::new(1)) };
        store.commit(&certificate(&staged), first()).unwrap();
        append_usual(store.as_ref(), 2..=3);
        for _ in 0..2 {
            for height in 1..=3 {
                let again = if height == 1 { first() } else { learned(Height::new(height)) };
                store.reindex(Height::new(height), again).unwrap();
            }
        }
        assert_usual(store.as_ref(), 3);
        assert_eq!(store.windows(None, 99).unwrap().len(), 3, "{name}");
        assert_eq!(store.instructions(InstructionFilter::All, None, 99).unwrap().len(), 6);
        assert_eq!(store.account_entries(&account(1001), None, 99).unwrap().len(), 6, "{name}");
        assert_eq!(store.archived_order(&order_id(99)).unwrap(), Some(order(99).1), "{name}");
        // Genesis leaves records too; a block that is not committed leaves none.
        store.reindex(Height::new(0), only(vec![Record::AccountEntry(entry(7, 0, 0))])).unwrap();
        assert_eq!(store.account_entries(&account(7), None, 9).unwrap(), [entry(7, 0, 0)]);
        let fault = store.reindex(Height::new(4), only(vec![])).unwrap_err();
        assert!(matches!(fault, StoreFault::OutOfOrder { .. }), "{name}: {fault}");
    }
}

#[test]
fn the_first_block_from_a_time_on_is_found() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=11);
        let from = |time| store.first_height_from(time).unwrap().map(|height| height.get());
        assert_eq!(from(TimeMs::new(0)), Some(1), "{name}");
        for height in 1..=11 {
            assert_eq!(from(time_of(height)), Some(height), "{name}");
            assert_eq!(from(time_of(height).minus(1)), Some(height), "{name}");
        }
        assert_eq!(from(time_of(11).plus(1)), None, "{name}");
    }
}

#[test]
#[should_panic(expected = "the batches are those of the block")]
fn staging_other_batches_than_the_blocks_is_a_bug() {
    let mut staged = block(1, 0, vec![batch(1, 1)]);
    staged.batches = vec![batch(2, 1)];
    let _ = both().remove(0).1.stage(&staged);
}
