//! The store on disk and its twin in memory, driven by the same random steps, with crashes: every
//! read must agree.

use chain_state::Record;
use chain_store::{BlockRecords, ChainStore, InstructionFilter, MemoryStore, RecordName, Store};
use chain_types::{ExecutedBlock, Height, ParticipantId, WindowId};
use proptest::prelude::*;

use crate::kit::*;

#[derive(Debug, Clone)]
enum Step {
    /// Stage a block of this round for the next height, with this many batches.
    Stage { round: u32, batches: u64 },
    /// Decide the last staged block.
    Commit,
    /// Take a checkpoint at the head.
    Checkpoint,
    /// Kill the process, open what is left, index again what the checkpoint does not hold.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..3_u32, 0..4_u64).prop_map(|(round, batches)| Step::Stage { round, batches }),
        5 => Just(Step::Commit),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Kill),
    ]
}

struct Twins {
    home: TestHome,
    disk: Store,
    memory: MemoryStore,
    last_staged: Option<ExecutedBlock>,
}

impl Twins {
    fn new() -> Self {
        let home = TestHome::new();
        let disk = home.open().0;
        Self { home, disk, memory: MemoryStore::new(), last_staged: None }
    }

    fn head(&self) -> u64 {
        self.memory.head().unwrap_or_default().get()
    }

    fn both(&self) -> [&dyn ChainStore; 2] {
        [&self.disk, &self.memory]
    }

    /// Each fifth block retires a run of orders, each third makes a registry.
    fn learned(height: u64) -> BlockRecords {
        let mut learned = learned(Height::new(height));
        if height.is_multiple_of(5) {
            learned.retired = retired(&[(height * 100, height * 100 + 50)]);
        }
        if height.is_multiple_of(3) {
            learned.records.push(Record::Registry(registry(height + 1, 1)));
        }
        learned
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Stage { round, batches } => {
                let height = self.head() + 1;
                let batches = (0..*batches).map(|at| batch(height * 10 + at, 1 + at)).collect();
                let staged = block(height, *round, batches);
                for store in self.both() {
                    store.stage(&staged).unwrap();
                }
                self.last_staged = Some(staged);
            }
            Step::Commit => {
                let Some(staged) = self.last_staged.take() else { return };
                let height = staged.block.header.height;
                for store in self.both() {
                    store.commit(&certificate(&staged), Self::learned(height.get())).unwrap();
                }
            }
            Step::Checkpoint => {
                let height = Height::new(self.head());
                for store in self.both() {
                    store.checkpoint(height, &height.get().to_be_bytes()).unwrap();
                }
            }
            Step::Kill => self.kill(),
        }
    }

    fn kill(&mut self) {
        let home = self.home.killed(&self.disk);
        let (disk, recovery) = home.open();
        self.disk = disk;
        self.home = home;
        let expected = self.memory.recovery();
        assert_eq!(recovery.head, expected.head);
        assert_eq!(recovery.checkpoint, expected.checkpoint);
        assert_eq!(recovery.staged, expected.staged);
        let from = recovery.checkpoint.map_or(0, |(height, _)| height.get());
        for height in from + 1..=self.head() {
            self.disk.reindex(Height::new(height), Self::learned(height)).unwrap();
        }
    }

    fn assert_alike(&self) {
        let (disk, memory) = (&self.disk, &self.memory);
        assert_eq!(disk.head(), memory.head());
        for height in (0..=self.head() + 1).map(Height::new) {
            assert_eq!(disk.block(height).unwrap(), memory.block(height).unwrap());
            assert_eq!(disk.payload(height).unwrap(), memory.payload(height).unwrap());
            assert_eq!(disk.outcomes(height).unwrap(), memory.outcomes(height).unwrap());
            assert_eq!(disk.registry_at(height).unwrap(), memory.registry_at(height).unwrap());
            assert_eq!(disk.writes_digest(height).unwrap(), memory.writes_digest(height).unwrap());
            for (level, index) in [(4, 0), (4, 1), (8, 0)] {
                let node = memory.account_node_at(level, index, height).unwrap();
                assert_eq!(disk.account_node_at(level, index, height).unwrap(), node);
            }
            let window = WindowId::new(height.get());
            for name in [RecordName::Window(window), RecordName::WindowSettlement(window)] {
                assert_eq!(disk.record_path(name).unwrap(), memory.record_path(name).unwrap());
            }
            let entry = memory.account_entry_at(&account(1001), height).unwrap();
            assert_eq!(disk.account_entry_at(&account(1001), height).unwrap(), entry);
            for number in [height.get() * 100, height.get() * 100 + 49, height.get() * 100 + 50] {
                let id = order_id(number);
                let expected = memory.archived_order(&id).unwrap();
                assert_eq!(disk.archived_order(&id).unwrap(), expected);
            }
            for batch in memory.block(height).unwrap().map_or(vec![], |found| found.block.batches) {
                let expected = memory.batch_location(&batch).unwrap();
                assert_eq!(disk.batch_location(&batch).unwrap(), expected);
            }
        }
        let middle = self.head() / 2;
        let before = Some(WindowId::new(middle));
        assert_eq!(disk.windows(before, 5).unwrap(), memory.windows(before, 5).unwrap());
        let after = Some(instruction_id(middle, 1001));
        for filter in [InstructionFilter::All, InstructionFilter::Gateway(ParticipantId::new(201))]
        {
            let expected = memory.instructions(filter, after, 7).unwrap();
            assert_eq!(disk.instructions(filter, after, 7).unwrap(), expected);
        }
        let expected = memory.account_entries(&account(1001), None, 1_000).unwrap();
        assert_eq!(disk.account_entries(&account(1001), None, 1_000).unwrap(), expected);
        assert_eq!(disk.breaches(None, 9).unwrap(), memory.breaches(None, 9).unwrap());
        assert_eq!(disk.evidence(None, 9).unwrap(), memory.evidence(None, 9).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn disk_and_memory_agree(steps in prop::collection::vec(step(), 1..60)) {
        let mut twins = Twins::new();
        for step in &steps {
            twins.take(step);
        }
        twins.assert_alike();
        twins.kill();
        twins.assert_alike();
    }
}
