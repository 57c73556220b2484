//! Situation after situation: what each party's word and the passing of time make of a subject.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_types::batch::BatchItem;
use chain_types::{BatchKind, Outcome, VerifiedBatch};
use zerocopy::{Immutable, IntoBytes};

use super::section;
use crate::kit::*;

/// The status of what the chain does not know.
pub const NOTHING: &str = "nothing";
/// The codes for a party that is suspended or lacks the role, whatever it says.
const LEFT_OUT: [u16; 2] = [110, 111];
/// Situations of one run; more are a mistake of whoever wrote its flags.
const SITUATIONS_MAX: usize = 4_000;

/// The state of a run's subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    pub status: &'static str,
    /// Further facts, which the page names for rows that need them.
    pub flags: BTreeSet<&'static str>,
    /// A detail that tells situations apart and is on no page.
    pub detail: String,
}

impl Look {
    pub fn new(
        status: &'static str,
        flags: impl IntoIterator<Item = (&'static str, bool)>,
    ) -> Self {
        let flags = flags.into_iter().filter(|(_, is_so)| *is_so).map(|(name, _)| name).collect();
        Self { status, flags, detail: String::new() }
    }
}

/// A change that others make.
pub type Change = Box<dyn Fn(&mut Chain)>;
/// As what a party speaks.
pub type Role = Box<dyn Fn(&Chain, u32) -> &'static str>;
type Make = Box<dyn Fn(&Chain, u32) -> Option<VerifiedBatch>>;

/// An operation about the subject.
pub struct Act {
    kind: BatchKind,
    name: String,
    make: Make,
}

/// An operation of one item; `variant` tells it from others of its kind.
pub fn act<T: BatchItem + IntoBytes + Immutable + 'static>(
    variant: &str,
    item: impl Fn(&Chain) -> Option<T> + 'static,
) -> Act {
    let kind = T::KIND;
    let name = match variant {
        "" => kind.name().to_owned(),
        variant => format!("{} ({variant})", kind.name()),
    };
    let make = move |chain: &Chain, by| item(chain).map(|item| chain.batch(by, &[item]));
    Act { kind, name, make: Box::new(make) }
}

/// Blocks without a word about the subject.
pub struct Wait {
    /// The parameter, or what else, that ends.
    pub name: &'static str,
    pub time_ms: u64,
    pub blocks: u64,
}

impl Wait {
    /// A little longer than a period.
    pub fn past(name: &'static str, period_ms: u64) -> Self {
        Self { name, time_ms: period_ms + 1_000, blocks: 1 }
    }
}

/// A subject in a chain of its own.
pub struct Run {
    pub chain: Chain,
    pub look: Box<dyn Fn(&Chain) -> Look>,
    pub acts: Vec<Act>,
    pub waits: Vec<Wait>,
    /// The changes that others make around the subject.
    pub changes: Vec<Change>,
    pub voices: Vec<u32>,
    /// As what a party speaks.
    pub role: Role,
}

/// From, operation, section, to, by whom.
pub type WayKey = (&'static str, String, &'static str, &'static str, &'static str);

/// A way from one status to another, or to the same one.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// The facts that held each time.
    pub always: Option<BTreeSet<&'static str>>,
    /// The facts that held at least once.
    pub ever: BTreeSet<&'static str>,
    /// Of time that passed: the shortest that is enough.
    pub wait: Option<(u64, u64, &'static str)>,
}

/// A machine as it was found.
pub struct Machine {
    pub name: &'static str,
    pub about: &'static str,
    pub ways: BTreeMap<WayKey, Way>,
    /// Codes by status and operation.
    pub refused: BTreeMap<(&'static str, String), BTreeSet<u16>>,
    /// The facts in each situation of a status.
    flags: BTreeMap<&'static str, BTreeSet<BTreeSet<&'static str>>>,
    kinds: BTreeSet<BatchKind>,
}

impl Machine {
    pub fn new(name: &'static str, about: &'static str, runs: Vec<Run>) -> Self {
        let (ways, refused) = (BTreeMap::new(), BTreeMap::new());
        let (flags, kinds) = (BTreeMap::new(), BTreeSet::new());
        let mut machine = Self { name, about, ways, refused, flags, kinds };
        runs.iter().for_each(|run| machine.explore(run));
        machine
    }

    pub fn kinds(&self) -> Vec<BatchKind> {
        self.kinds.iter().copied().collect()
    }

    pub fn statuses(&self) -> BTreeSet<&'static str> {
        self.flags.keys().copied().collect()
    }

    /// Statuses without a way to another one; that the chain forgets it is none.
    pub fn ends(&self) -> BTreeSet<&'static str> {
        let mut ends = self.statuses();
        ends.remove(NOTHING);
        for (from, _, _, to, _) in self.ways.keys() {
            if from != to && *to != NOTHING {
                ends.remove(from);
            }
        }
        ends
    }

    /// The facts that tell the situations of a way from the others of its status.
    pub fn conditions(&self, from: &str, way: &Way) -> Vec<String> {
        if let Some((_, _, name)) = way.wait {
            return vec![format!("past {name}")];
        }
        let situations = &self.flags[from];
        let flags: BTreeSet<&str> = situations.iter().flatten().copied().collect();
        let varying = |flag: &&str| situations.iter().any(|so| !so.contains(*flag));
        let varying: BTreeSet<&str> = flags.into_iter().filter(varying).collect();
        let always = way.always.iter().flatten().copied();
        let needed: BTreeSet<&str> = always.filter(|flag| varying.contains(flag)).collect();
        let excluded = varying.iter().copied().filter(|flag| !way.ever.contains(flag));
        let excluded: BTreeSet<&str> = excluded.collect();
        // Wherever one is so, the other is, and not the other way round.
        let with = |flag: &str| situations.iter().filter(|so| so.contains(flag)).count();
        let implies = |one: &str, other: &str| {
            let both = |so: &&BTreeSet<&str>| so.contains(one) && so.contains(other);
            let both = situations.iter().filter(both).count();
            one != other && both == with(one) && both < with(other)
        };
        let needed_alone = needed.iter().filter(|flag| !needed.iter().any(|by| implies(by, flag)));
        let excluded_alone =
            excluded.iter().filter(|flag| !excluded.iter().any(|by| implies(flag, by)));
        let needed_alone = needed_alone.map(|flag| (*flag).to_owned());
        needed_alone.chain(excluded_alone.map(|flag| format!("not {flag}"))).collect()
    }

    fn explore(&mut self, run: &Run) {
        self.kinds.extend(run.acts.iter().map(|act| act.kind));
        let (mut seen, mut queue) = (BTreeSet::new(), VecDeque::new());
        seen.insert((run.look)(&run.chain));
        queue.push_back((run.chain.clone(), true));
        while let Some((chain, is_fresh)) = queue.pop_front() {
            assert!(seen.len() < SITUATIONS_MAX, "{}: too many situations", self.name);
            let before = (run.look)(&chain);
            self.met(&before);
            let mut reach = |next: Chain, is_said: bool| {
                let after = (run.look)(&next);
                if seen.insert(after.clone()) {
                    let is_fresh = is_said || after.status != before.status;
                    queue.push_back((next, is_fresh));
                }
                after
            };
            for wait in &run.waits {
                let mut next = chain.clone();
                (0..wait.blocks).for_each(|_| {
                    next.block(wait.time_ms, &[]);
                });
                let after = reach(next, false);
                if after.status != before.status && is_fresh {
                    self.waited(&before, wait, after.status);
                }
            }
            for change in &run.changes {
                let mut next = chain.clone();
                change(&mut next);
                reach(next, true);
            }
            let mut control = chain.clone();
            control.block(1, &[]);
            if (run.look)(&control).status != before.status {
                continue;
            }
            for (act, voice) in
                run.acts.iter().flat_map(|act| run.voices.iter().map(move |by| (act, *by)))
            {
                let Some(batch) = (act.make)(&chain, voice) else { continue };
                let mut next = chain.clone();
                let outcome = next.block(1, &[batch])[0][0];
                let role = (run.role)(&chain, voice);
                let after = reach(next, true);
                self.said(&before, act, role, outcome, after.status);
            }
        }
    }

    fn met(&mut self, look: &Look) {
        self.flags.entry(look.status).or_default().insert(look.flags.clone());
    }

    fn waited(&mut self, before: &Look, wait: &Wait, to: &'static str) {
        let key = (before.status, "time".to_owned(), "", to, "block time");
        let way = self.ways.entry(key).or_default();
        let found = (wait.time_ms, wait.blocks, wait.name);
        way.wait = Some(way.wait.map_or(found, |known| known.min(found)));
    }

    fn said(
        &mut self,
        before: &Look,
        act: &Act,
        role: &'static str,
        outcome: Outcome,
        to: &'static str,
    ) {
        let code = outcome.rejection().map(chain_types::Rejection::code);
        if let Some(code) = code.filter(|code| !LEFT_OUT.contains(code)) {
            self.refused.entry((before.status, act.name.clone())).or_default().insert(code);
        }
        let is_same = before.status == to;
        if is_same && (!outcome.is_applied() || to == NOTHING) {
            return;
        }
        let key = (before.status, act.name.clone(), section(act.kind), to, role);
        let way = self.ways.entry(key).or_default();
        way.ever.extend(&before.flags);
        let always = match way.always.take() {
            Some(always) => always.intersection(&before.flags).copied().collect(),
            None => before.flags.clone(),
        };
        way.always = Some(always);
    }
}
