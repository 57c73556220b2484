//! What foes try before they say it, and what is searched for on copies of the chain.

use chain_state::Record;
use chain_types::{Outcome, TimeMs};

use crate::exits::{self, REASONS, Search, Thing};
use crate::foes::Foe;
use crate::fork::Fork;
use crate::purse::{Moment, holder_of, is_foe};
use crate::world::{View, Word, World};

/// The most words of foes that are kept to be said again.
const SAID_KEPT: usize = 100;
/// Words from among which the best one is said.
const CHOICE: usize = 5;
/// Plans that are tried at a time, and words of each.
const PLANS: u64 = 3;
const PLAN_WORDS: u64 = 6;
/// Things for which a way out is searched at a time.
const EXITS: u64 = 6;

/// Whoever speaks for the foes in a world, about a view of it.
macro_rules! foe {
    ($world:ident, $view:expr) => {{
        let number = $world.quote_numbers.entry(u32::MAX).or_default();
        *number += 1;
        Foe {
            foes: &$world.foes,
            dice: &mut $world.dice,
            ids: &mut $world.ids,
            view: $view,
            mantissas: [0, 1, 2].map(|pair| $world.market.mantissa(pair)),
            quote_number: *number,
        }
    }};
}

impl World {
    /// Returns a foe's words: new ones, the best of several, or words that were said before.
    pub fn foe(&mut self) -> Vec<Word> {
        let (state, past) = (&self.chain.state, &self.chain);
        let view = View { state, past, purse: &self.purse, time: self.time };
        let mut foe = foe!(self, view);
        let mut choice: Vec<Word> = Vec::new();
        let wanted = if foe.dice.one_in(4) { CHOICE } else { 1 };
        for _ in 0..8 {
            let again = foe.dice.one_in(10) && !self.foes_said.is_empty();
            let word = if again {
                let at = foe.dice.below(self.foes_said.len() as u64);
                self.foes_said.get(usize::try_from(at).unwrap()).copied()
            } else {
                foe.word()
            };
            let Some(mut word) = word else { continue };
            if again || foe.dice.one_in(40) {
                word = foe.twist(word);
            }
            if foe.is_tried(&word) {
                choice.push(word);
            }
            if choice.len() >= wanted {
                break;
            }
        }
        let word = if choice.len() > 1 { self.best(&choice) } else { choice.first().copied() };
        let Some(word) = word else { return Vec::new() };
        self.foes_said.push_back(word);
        if self.foes_said.len() > SAID_KEPT {
            self.foes_said.pop_front();
        }
        vec![word]
    }

    /// The word that gives the foes most, or takes most from what others can use.
    fn best(&mut self, choice: &[Word]) -> Option<Word> {
        let time = TimeMs::new(self.time);
        let mut best: Option<(i128, Word)> = None;
        for word in choice {
            let batches = self.pen.batches(&self.chain.state, time, std::slice::from_ref(word));
            let executed = self.chain.execute(time, &batches, &[]);
            let mut worth = i128::from(executed.outcomes.concat()[0] == Outcome::APPLIED);
            for record in executed.writes.records() {
                let Record::AccountEntry(entry) = record else { continue };
                let is_foes =
                    holder_of(&entry.key).is_some_and(|holder| is_foe(&self.foes, holder));
                worth += match is_foes {
                    true => entry.credits_posted - entry.debits_posted,
                    false => entry.debits_pending,
                };
            }
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, *word));
            }
        }
        best.map(|(_, word)| word)
    }

    /// Foes try several steps, one after the other with time between them, on a copy: a gain there
    /// is a gain.
    pub fn try_plans(&mut self) {
        for _ in 0..PLANS {
            let mut fork = Fork::new(&self.chain);
            let mut purse = self.purse.clone();
            for _ in 0..PLAN_WORDS {
                let wait_ms = self.dice.choose(&[1, 1, 300, 8_000, 12_000, 70_000]);
                let time = fork.time().plus(wait_ms);
                let view =
                    View { state: &fork.state, past: &fork, purse: &purse, time: time.get() };
                let mut foe = foe!(self, view);
                let words: Vec<Word> = (0..4).filter_map(|_| foe.word()).collect();
                let words: Vec<Word> =
                    words.into_iter().filter(|word| foe.is_tried(word)).take(2).collect();
                let batches = self.pen.batches(&fork.state, time, &words);
                let outcomes = fork.block(time, batches);
                let (window, returns) = (fork.state.window(), &fork.returns);
                let moment = Moment { time_ms: time.get(), window, returns };
                for (word, outcome) in words.iter().zip(outcomes) {
                    purse.book(&self.foes, moment, word, outcome, &fork);
                }
                purse.check(&self.foes, &fork.state);
                self.tried += 1;
            }
        }
    }

    /// Searches for a way out for some of what waits.
    pub fn search_exits(&mut self) {
        exits::check_causes(&self.chain);
        let fork = Fork::new(&self.chain);
        let all = exits::waiting(&fork, &self.purse, &self.foes);
        let mut chosen: Vec<Thing> = Vec::new();
        for _ in 0..EXITS {
            chosen.extend(self.dice.any(&all).filter(|thing| !chosen.contains(thing)));
        }
        for thing in chosen {
            let (foes, purse) = (&self.foes, &self.purse);
            let (pen, ids, reason) = (&mut self.pen, &mut self.ids, REASONS[0]);
            let mut search = Search { foes, purse, pen, ids, reason };
            let Some(steps) = search.way_out(&fork, thing) else {
                let why = search.explain(&fork, thing);
                panic!("locked in at block {}: {why}", self.chain.state.height());
            };
            *self.exits.entry(steps).or_default() += 1;
        }
    }

    /// Describes what a history met, for people.
    pub fn summary(&self) -> String {
        let applied: u64 = self.counts.range(..100).map(|(_, count)| count).sum();
        let sold = self.purse.sold.len();
        format!(
            "{applied} applied, {sold} orders collected, {} windows, {} steps tried on copies, \
             ways out by steps {:?}; cashback that rested {} and was set off {}; outcomes {:?}",
            self.chain.windows.len(),
            self.tried,
            self.exits,
            self.purse.rested,
            self.purse.set_off,
            self.counts,
        )
    }
}
