//! A thousand instructions against the bank that misbehaves, with a gateway that is stopped at
//! every named place and at a hundred random ones.

use std::collections::BTreeMap;

use chain_types::{InstructionId, InstructionState};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rpc_bank::{BankHabits, PaymentFate};
use rpc_gateway::{CrashPlan, CrashPoint, HeldReason};
use rpc_iso20022::{BankReference, EndToEndId, HeldCause};

use crate::chain::instruction;
use crate::world::{STEP_MS, World};

/// Instructions of the test, and how many of them come in a turn.
const INSTRUCTIONS: u64 = 1_000;
const WINDOW: u64 = 5;
/// Turns of the test.
const TURNS: u64 = 850;
/// Turns in which the gateway may be stopped.
const STOPPED_TURNS: u64 = 260;
/// Turns in which agents give again what failed, and step in. Those at the end let the silence of
/// the bank become a person's matter.
const AGENTS_TURNS: u64 = 400;
/// Stops at random places.
const RANDOM_STOPS: u64 = 100;

/// When the gateway is stopped next.
struct Stops {
    random: ChaCha8Rng,
    lives: usize,
    random_lives: u64,
}

impl Stops {
    /// Named places in turn, each for its first to third time; between them a random one.
    fn next(&mut self) -> CrashPlan {
        self.lives += 1;
        if self.lives.is_multiple_of(2) {
            self.random_lives += 1;
            return CrashPlan::at(None, self.random.random_range(1..=60));
        }
        let point = CrashPoint::ALL[self.lives / 2 % CrashPoint::ALL.len()];
        CrashPlan::at(Some(point), self.random.random_range(1..=3))
    }
}

fn seed() -> u64 {
    std::env::var("SLUICE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Lets agents act: they recall what waits. As long as they are `busy`, they give again what
/// failed, and now and then they recall or end what is outstanding.
fn agents(world: &World, random: &mut ChaCha8Rng, busy: bool) {
    let mut book = world.chain.book();
    let ids: Vec<InstructionId> = book.instructions.keys().copied().collect();
    for id in ids {
        let report = &book.instructions[&id];
        let attempt = EndToEndId { instruction: id, attempt: report.attempt };
        let is_waiting = world.fate(attempt) == Some(PaymentFate::Waiting);
        let is_recalled = report.recalled_ms.is_some();
        let mut one_in = |many: u32| random.random_range(0..many) == 0;
        match report.status {
            InstructionState::Failed if busy && report.attempt < 4 && one_in(5) => {
                book.give_again(id);
            }
            InstructionState::Instructed if is_waiting && !is_recalled && one_in(20) => {
                book.recall(id);
            }
            InstructionState::Instructed if busy && !is_recalled && one_in(3_000) => {
                book.recall(id);
            }
            InstructionState::Instructed if busy && one_in(3_000) => book.step_in(id),
            _ => {}
        }
    }
}

#[test]
fn each_instruction_is_paid_once_however_often_the_gateway_is_stopped() {
    let seed = seed();
    println!("SLUICE_SEED={seed}");
    let habits = BankHabits { delay_ms: 12 * STEP_MS, ..BankHabits::ALL };
    let mut world = World::new(seed, habits, 1_001..=1_050);
    world.chain.book().silent_in = 12;
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xa5a5);
    let mut stops = Stops { random: ChaCha8Rng::seed_from_u64(seed), lives: 0, random_lives: 0 };
    for turn in 0..TURNS {
        if turn < INSTRUCTIONS / WINDOW {
            for merchant in (0..WINDOW).map(|place| 1_001 + (turn * WINDOW + place) % 50) {
                let code = if merchant % 3 == 0 { "JPY" } else { "CNY" };
                let id = instruction(turn + 1, merchant, code);
                world.chain.book().instruct(id, random.random_range(1..1_000_000));
            }
        }
        let is_last = turn >= STOPPED_TURNS;
        for _ in 0..3 {
            if !world.is_running() {
                let plan = if is_last { CrashPlan::default() } else { stops.next() };
                world.start(plan);
            }
            if world.turn().is_some() {
                break;
            }
            // The bank may find what is out before the next life puts it out again.
            if random.random_range(0..2) == 0 {
                world.bank.turn(world.now_ms).unwrap();
            }
        }
        world.pass();
        agents(&world, &mut random, turn < AGENTS_TURNS);
    }
    for point in CrashPoint::ALL {
        assert!(world.stops.contains_key(point), "never stopped at {}", point.name());
    }
    let stopped: u64 = world.stops.values().sum();
    assert!(stops.random_lives > RANDOM_STOPS, "{} random lives", stops.random_lives);
    println!("{stopped} stops: {:?}", world.stops);
    check(&world);
}

/// How often the bank paid and got back, by payment.
fn money(world: &World) -> BTreeMap<EndToEndId, (u64, u64)> {
    let mut found: BTreeMap<EndToEndId, (u64, u64)> = BTreeMap::new();
    for moved in world.moved() {
        let counts = found.entry(moved.id.parse().unwrap()).or_default();
        if moved.is_back { counts.1 += 1 } else { counts.0 += 1 }
    }
    found
}

/// The bank's journal says what was paid; the chain and the gateway must agree with it.
fn check(world: &World) {
    let money = money(world);
    for (id, (paid, back)) in &money {
        assert!(*paid == 1 && *back <= 1, "{id} was paid {paid} times, and came back {back} times");
    }
    let held = world.gateway().held();
    let (mut arrived, mut failed, mut explained) = (0, 0, BTreeMap::<String, u64>::new());
    for (id, report) in &world.chain.book().instructions {
        let present = EndToEndId { instruction: *id, attempt: report.attempt };
        let of_instruction = money.iter().filter(|(paid, _)| paid.instruction == *id);
        let left: u64 = of_instruction.map(|(_, (paid, back))| paid - back).sum();
        assert!(left <= 1, "{id} is paid {left} times");
        match report.status {
            InstructionState::Arrived => {
                arrived += 1;
                assert_eq!(money.get(&present), Some(&(1, 0)), "{present} arrived");
                let entry = world.moved().iter().find(|moved| moved.id == present.to_string());
                let reference = hex::decode(report.reference.as_ref().unwrap()).unwrap();
                let reference = BankReference::from_bytes(reference.try_into().unwrap()).text();
                assert_eq!(reference, entry.map(|moved| moved.reference.clone()), "{present}");
            }
            InstructionState::Failed | InstructionState::Returned => {
                let is_held = held.keys().any(|attempt| attempt.instruction == *id);
                assert!(left == 0 || is_held, "{present} failed, and is paid");
                failed += 1;
            }
            InstructionState::Instructed => {
                let reason = held.get(&present);
                let reason = reason.unwrap_or_else(|| panic!("{present} is open, and not held"));
                let fate = world.fate(present);
                let is_explained = match reason {
                    HeldReason::Evidence(HeldCause::Amount) => {
                        fate == Some(PaymentFate::WrongAmount)
                    }
                    HeldReason::Evidence(HeldCause::BothWords) => {
                        fate == Some(PaymentFate::Contradicted)
                    }
                    HeldReason::Silent => fate == Some(PaymentFate::Silent),
                    HeldReason::EarlierAttempt => {
                        let is_earlier =
                            |attempt: &EndToEndId| attempt.instruction == *id && *attempt < present;
                        fate.is_none() && held.keys().any(is_earlier)
                    }
                    _ => false,
                };
                assert!(is_explained, "{present} is held for {reason}, and the bank's is {fate:?}");
                *explained.entry(reason.to_string()).or_default() += 1;
            }
        }
    }
    let bank = world.bank.bank().ledger();
    assert_eq!(bank.unreadable, 0, "the bank reads all that the gateway writes");
    println!(
        "{arrived} arrived, {failed} failed, held {explained:?}; the bank moved {} times, refused \
         {} files as duplicates and was asked {} times",
        bank.moved.len(),
        bank.duplicates,
        bank.questions
    );
    println!("outcomes on the chain: {:?}", world.chain.book().outcomes);
    assert!(arrived > 700, "{arrived} arrived");
    assert!(bank.duplicates > 0, "no message was put out twice: the test shows nothing");
}
