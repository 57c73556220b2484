//! The tables of `contracts/examples`, run row by row.

mod changes;
mod claims;
mod codes;
mod defects;
mod sentences;
mod tables;
mod words;

use std::collections::BTreeSet;

use chain_types::{
    Amount, Currency, LiquidityLine, Outcome, Parameters, ParticipantId, Rejection, TimeMs,
    VerifiedBatch,
};

use self::sentences::{Operation, Said, Speaker};
use self::tables::{Row, Scenario, read_all};
use self::words::{Read, Words};
use crate::kit::*;

/// How many rows the tables have at least.
const ROWS_MIN: usize = 700;

/// Rejections that no row can show, and why.
const NOT_IN_TABLES: &[(Rejection, &str)] = &[
    (Rejection::Truncated, "found in a batch's bytes, before any block"),
    (Rejection::TrailingBytes, "found in a batch's bytes, before any block"),
    (Rejection::BatchTooLarge, "found in a batch's bytes, before any block"),
    (Rejection::VersionUnsupported, "found in a batch's bytes, before any block"),
    (Rejection::KindUnknown, "found in a batch's bytes, before any block"),
    (Rejection::CountOutOfBounds, "found in a batch's bytes, before any block"),
    (Rejection::RootMismatch, "found when a batch is verified, before any block"),
    (Rejection::WrongChain, "a table has one chain; see batches.rs"),
    (Rejection::BatchRepeated, "said by admission only; no valid block holds such a batch"),
    (Rejection::PoolFull, "said by a node's pool only"),
    (Rejection::NotReady, "said by a node that starts or stops only"),
    (
        Rejection::ApprovalsMissing,
        "why a change fails when it is to take effect: see governance.md",
    ),
    (
        Rejection::ConsentsTooMany,
        "a table would have ten thousand rows; the auditor's histories show it",
    ),
    (
        Rejection::ReportsTooMany,
        "a table would have a thousand rows; the auditor's histories show it",
    ),
    (
        Rejection::SettlementGaps,
        "a table would have a thousand windows; the auditor's histories do",
    ),
    (
        Rejection::SettlementsTooMany,
        "a table would have a thousand rows; the auditor's histories show it",
    ),
    (
        Rejection::ListIncomplete,
        "a row has one outcome, a list that is wrong has two; the auditor's histories show it",
    ),
    (
        Rejection::LinesTooMany,
        "a table would have thousands of rows; the auditor's histories show it",
    ),
];

/// A scenario's chain. Rows of one block are tried one by one: each row's block holds the
/// operations of the rows before it as well, on the state before them all.
struct Scene {
    before: Chain,
    chain: Chain,
    batches: Vec<VerifiedBatch>,
    said: Said,
    now: TimeMs,
    /// Tells batches of the same content apart.
    serial: u64,
}

impl Scene {
    fn new(given: &[(String, String)]) -> Result<Self, String> {
        let mut genesis = example_genesis();
        let mut opening: Vec<(&str, String)> = Vec::new();
        for (number, (at, text)) in (0_u64..).zip(given) {
            let mut words = Words::of(text, START);
            let settled = settle(&mut genesis, &mut words).and_then(|is_settled| {
                if is_settled { words.expect_end() } else { Ok(()) }.map(|()| is_settled)
            });
            if !settled.map_err(|problem| format!("{at}: {problem}"))? {
                opening.extend(said_at_opening(text, number).into_iter().map(|one| (&**at, one)));
            }
        }
        let now = genesis.time;
        let chain = Chain::of(genesis);
        let (said, batches) = (Said::default(), Vec::new());
        let mut scene = Self { before: chain.clone(), chain, batches, said, now, serial: 0 };
        if !opening.is_empty() {
            scene.begin(now.plus(1));
        }
        for (at, text) in opening {
            let outcomes = scene.says(&text).map_err(|problem| format!("{at}: {problem}"))?;
            if outcomes.iter().any(|outcome| *outcome != Outcome::APPLIED) {
                return Err(format!("{at}: `{text}` came to {outcomes:?}"));
            }
        }
        Ok(scene)
    }

    /// Begins a block at a block time, with no batches yet.
    fn begin(&mut self, time: TimeMs) {
        self.before = self.chain.clone();
        self.batches.clear();
        self.now = time;
    }

    /// Somebody speaks: the outcomes of the items.
    fn says(&mut self, text: &str) -> Read<Vec<Outcome>> {
        let mut words = Words::of(text, self.now);
        let id = words.party()?;
        let (said, chain) = (&mut self.said, &self.before);
        let mut speaker = Speaker { id, now: self.now, said, chain };
        let operation = sentences::operation(&mut speaker, &mut words)?;
        self.serial += 1;
        let batch = self.sign(id, &operation);
        self.batches.push(batch);
        Ok(self.execute().pop().unwrap_or_default())
    }

    fn sign(&self, submitter: u32, operation: &Operation) -> VerifiedBatch {
        let key = operation.key.as_ref().map_or(key_of(submitter), |name| key_named(name));
        let until = operation.valid_until.unwrap_or(self.now.plus(60_000 + self.serial));
        self.before.batch_of_bytes(operation.kind, submitter, &key, until, &operation.items)
    }

    /// The block so far, on the chain before it.
    fn execute(&mut self) -> Vec<Vec<Outcome>> {
        self.chain = self.before.clone();
        self.chain.block(self.now.get() - self.before.state.time().get(), &self.batches)
    }

    /// Empty blocks, a millisecond apart, up to the one of `height`, which is at present.
    fn pass_blocks(&mut self, height: u64) -> Read<()> {
        let missing = height.checked_sub(self.chain.state.height().get() + 1);
        let missing = missing.ok_or("that block is past")?;
        let last = self.now;
        for before_last in (0..=missing).rev() {
            self.begin(last.minus(before_last));
            self.execute();
        }
        Ok(())
    }

    fn run(&mut self, row: &Row) -> Result<(), Vec<String>> {
        let outcomes = self.step(row).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        match outcome_of(&row.outcome) {
            Ok(expected) => {
                let differs = |outcome: &Outcome| Some(*outcome) != expected;
                if let Some(other) = outcomes.into_iter().find(differs) {
                    problems.push(format!("it was {}", outcome_text(other)));
                }
            }
            Err(problem) => problems.push(problem),
        }
        for claim in row.afterwards.split(';').map(str::trim).filter(|claim| !claim.is_empty()) {
            problems.extend(claims::check(&self.chain, &self.said, claim).err());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn step(&mut self, row: &Row) -> Read<Vec<Outcome>> {
        if !row.time.is_empty() {
            let time = Words::of(&row.time, self.now).time()?;
            if time <= self.chain.state.time() {
                return Err("time does not go back".to_owned());
            }
            self.begin(time);
        }
        if !row.who.is_empty() {
            return self.says(&format!("{} {}", row.who, row.says));
        }
        let mut words = Words::of(&row.says, self.now);
        if words.eat("blocks pass up to block") {
            self.pass_blocks(words.number()?)?;
        } else {
            words.expect("time passes")?;
            self.execute();
        }
        words.expect_end().map(|()| Vec::new())
    }
}

/// The genesis of every scenario: two banks that may each owe 10,000.00 of a currency.
fn example_genesis() -> chain_types::ChainGenesis {
    let mut genesis = genesis();
    genesis.parameters =
        Parameters { governance_notice_heights: 1, rates_min: 1, ..Parameters::default() };
    let line = |gateway: u32, currency: u16| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: Currency::new(currency),
        net_debit_cap: Amount::new(match currency {
            JPY => 1_000_000,
            KWD => 10_000_000,
            _ => 1_000_000,
        }),
        opening_liquidity: Amount::new(0),
    };
    let currencies = [CNY, JPY, KWD, USD, EUR];
    let lines = [BANK_A, BANK_B].map(|gateway| currencies.map(|currency| line(gateway, currency)));
    genesis.liquidity = lines.concat();
    // The service may have reserved half of that with each bank and provider, and so may banks
    // with providers; the other service nothing.
    let mut genesis = genesis.with_lines(Amount::new(0));
    genesis.lines.retain(|line| line.key.holder.get() != SERVICE_SECOND);
    for line in &mut genesis.lines {
        line.limit = Amount::new(if line.key.currency.get() == KWD { 5_000_000 } else { 500_000 });
    }
    genesis
}

/// Takes in what the genesis file can say; `false` for the words of a party.
fn settle(genesis: &mut chain_types::ChainGenesis, words: &mut Words<'_>) -> Read<bool> {
    if words.eat("the chain begins at") {
        genesis.time = words.time()?;
    } else if words.eat("parameter") {
        let (place, value) = changes::parameter(words)?;
        let mut values = genesis.parameters.values();
        *values.get_mut(usize::from(place)).ok_or("no such parameter")? = value;
        genesis.parameters = Parameters::from_values(&values).ok_or("too large a value")?;
    } else if words.eat("entity") {
        return entity(genesis, words);
    } else if words.eat("validators are") {
        genesis.nodes.truncate(usize::from(words.small()?));
    } else if words.eat("bank A has") {
        return line_of(genesis, BANK_A, words);
    } else if words.eat("bank B has") {
        return line_of(genesis, BANK_B, words);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// `HOUSE has bank A`, `HOUSE has merchant 1001`.
fn entity(genesis: &mut chain_types::ChainGenesis, words: &mut Words<'_>) -> Read<bool> {
    let entity = words.word()?.to_owned();
    words.expect("has")?;
    if words.eat("merchant") {
        let id = words.number()?;
        let found = genesis.merchants.iter_mut().find(|known| known.id.get() == id);
        found.ok_or("no such merchant")?.legal_entity = entity;
    } else {
        let id = words.party()?;
        let found = genesis.participants.iter_mut().find(|known| known.id.get() == id);
        found.ok_or("no such participant")?.legal_entity = entity;
    }
    Ok(true)
}

/// `100.00 CNY and a cap of 50.00 CNY`.
fn line_of(
    genesis: &mut chain_types::ChainGenesis,
    bank: u32,
    words: &mut Words<'_>,
) -> Read<bool> {
    let (opening, currency) = words.amount()?;
    words.expect("and a cap of")?;
    let (cap, _) = words.amount()?;
    let of = |line: &&mut LiquidityLine| line.gateway.get() == bank && line.currency == currency;
    let line = genesis.liquidity.iter_mut().find(of).ok_or("no such line")?;
    (line.opening_liquidity, line.net_debit_cap) = (Amount::new(opening), Amount::new(cap));
    Ok(true)
}

/// The operations of block 1 that make something given.
fn said_at_opening(text: &str, number: u64) -> Vec<String> {
    let number = 9_000 + number;
    if let Some((owner, sum)) = text.split_once(" holds ") {
        let words = format!("transfer {number}: deposit {sum} {owner}");
        return vec![
            format!("agent 1 proposes {words}"),
            format!("agent 2 approves transfer {number}"),
        ];
    }
    if text.starts_with("cashback of") {
        return vec![
            format!("operator 1 proposes change {number} from block 2: {text}"),
            format!("operator 2 approves change {number}"),
        ];
    }
    vec![text.to_owned()]
}

/// `None` for rows in which nobody speaks.
fn outcome_of(text: &str) -> Read<Option<Outcome>> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = Outcome::from_text(text);
    found.map(Some).ok_or(format!("`{text}` is no outcome"))
}

trait Text: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

impl Text for Outcome {
    fn from_text(text: &str) -> Option<Self> {
        let tiers = (1..=4).map(Outcome::with_cashback);
        let plain = [
            Outcome::APPLIED,
            Outcome::REPEATED,
            Outcome::HELD,
            Outcome::CASHBACK_OVER_MONTH,
            Outcome::CASHBACK_OVER_BUDGET,
        ];
        let refused = Rejection::ALL.iter().map(|rejection| (*rejection).into());
        plain.into_iter().chain(tiers).chain(refused).find(|one| outcome_text(*one) == text)
    }
}

fn outcome_text(outcome: Outcome) -> String {
    if let Some(rejection) = outcome.rejection() {
        return format!("{} {}", rejection.code(), rejection.name());
    }
    if let Some(tier) = outcome.cashback_tier() {
        return format!("cashback tier {tier}");
    }
    let name = match outcome {
        Outcome::REPEATED => "repeated",
        Outcome::HELD => "held",
        Outcome::CASHBACK_OVER_MONTH => "no cashback: month",
        Outcome::CASHBACK_OVER_BUDGET => "no cashback: budget",
        _ => "applied",
    };
    name.to_owned()
}

fn run(scenario: &Scenario) -> Vec<String> {
    let mut scene = match Scene::new(&scenario.given) {
        Ok(scene) => scene,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for row in &scenario.rows {
        let found = scene.run(row).err().unwrap_or_default();
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", row.at)));
    }
    problems
}

#[test]
fn every_row_of_every_table_holds() {
    let scenarios = read_all();
    let problems: Vec<String> = scenarios.iter().flat_map(run).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    let rows: usize = scenarios.iter().map(|scenario| scenario.rows.len()).sum();
    assert!(rows >= ROWS_MIN, "only {rows} rows");
}

/// Rows that do not hold, or that nobody understands, are reported with their places.
#[test]
fn a_wrong_row_is_told_with_its_place() {
    let right = "| 1 | 08:00:01 | bank A | collects order 1 of 100.00 CNY for merchant 1001 \
                 | applied | liquidity of bank A -100.00 CNY; order 1 collected |";
    let problems = |row: &str| -> Vec<String> {
        let text = format!("# Title\n\n## Scenario\n\n{row}\n");
        tables::read("some.md", &text).iter().flat_map(run).collect()
    };
    assert_eq!(problems(right), Vec::<String>::new());
    let rows = [
        ("applied", "repeated", "it was applied"),
        ("applied", "205 amount-zero", "`205 amount-zero` is no outcome"),
        ("-100.00 CNY;", "-100.01 CNY;", "`liquidity of bank A -100.01 CNY`: it is -100.00"),
        ("-100.00 CNY;", "-100.0 CNY;", "amounts of CNY have 2 decimals"),
        ("order 1 collected", "order 1 voided", "`order 1 voided`: it is collected (order 1)"),
        ("order 1 collected", "order 1 collected by", "expected the end at `by`"),
        ("for merchant", "to merchant", "expected with at `to merchant 1001`"),
        ("bank A | collects", "bank D | collects", "expected a party at `bank D collects order"),
        ("| collects", "| steals", "nobody can say `steals`"),
        ("08:00:01", "08:00:00", "time does not go back"),
        ("08:00:01", "8 o'clock", "expected a time at `8 o'clock`"),
        ("bank A | collects", "| collects", "expected time passes at `collects order 1"),
    ];
    for (word, other, expected) in rows {
        let found = problems(&right.replace(word, other));
        let expected = format!("some.md:5: {expected}");
        assert!(found.iter().any(|one| one.starts_with(&expected)), "{found:?}, not {expected}");
    }
    let given = problems("- bank A has 1.00 CNY and a hat\n");
    assert!(given[0].starts_with("some.md:5: expected and a cap of"), "{given:?}");
    // An item that is wrapped is read as one.
    let capped = |cap: &str| {
        problems(&format!("- bank A has 0.00 CNY\n  and a cap of {cap} CNY\n\n{right}"))
    };
    assert!(capped("99.99")[0].starts_with("some.md:8: it was 2"), "{:?}", capped("99.99"));
    assert_eq!(capped("100.00"), Vec::<String>::new());
}

/// Every rejection that execution can give is in some table, and no other one is.
#[test]
fn every_rejection_appears() {
    let scenarios = read_all();
    let rows = scenarios.iter().flat_map(|scenario| &scenario.rows);
    let shown: BTreeSet<Rejection> =
        rows.filter_map(|row| Outcome::from_text(&row.outcome)?.rejection()).collect();
    for rejection in Rejection::ALL {
        let exception = NOT_IN_TABLES.iter().find(|(one, _)| one == rejection);
        let is_shown = shown.contains(rejection);
        assert_ne!(is_shown, exception.is_some(), "{} {exception:?}", rejection.name());
    }
}
