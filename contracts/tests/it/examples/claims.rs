//! What a row says of the books after it, compared with the state.

use chain_state::{Account, AccountKey, Corridor, SLA_BUCKETS_MS, WindowParty, WindowRecord};
use chain_types::{
    Currency, InstructionId, LineAccount, LineKey, OrderId, ParticipantId, ProposalId, TransferId,
    WindowId,
};

use super::sentences::{Said, quote_id};
use super::words::{Read, Words};
use crate::kit::*;

/// Checks one claim, such as `liquidity of bank A -100.00 CNY`.
pub fn check(chain: &Chain, said: &Said, claim: &str) -> Read<()> {
    let mut words = Words::of(claim, chain.state.time());
    let (expected, actual) = compare(chain, said, &mut words)?;
    words.expect_end()?;
    if expected == actual { Ok(()) } else { Err(format!("`{claim}`: it is {actual}")) }
}

/// The claim's value and the chain's, both as text.
fn compare(chain: &Chain, said: &Said, words: &mut Words<'_>) -> Read<(String, String)> {
    let state = &chain.state;
    match () {
        () if words.eat("block") => Ok((words.number()?.to_string(), state.height().to_string())),
        () if words.eat("window") => Ok((words.number()?.to_string(), state.window().to_string())),
        () if words.eat("order") || words.eat("orders") => orders(chain, said, words),
        () if words.eat("transfer") => transfer(chain, said, words),
        () if words.eat("change") => change(chain, said, words),
        () if words.eat("settlement of window") => settlement(chain, words),
        () if words.eat("no instruction") => {
            let found = state.instruction(&instruction_of(words)?).is_some();
            Ok(("none".to_owned(), if found { "one" } else { "none" }.to_owned()))
        }
        () if words.eat("instruction") => instruction(chain, words),
        () if words.eat("net of window") => net(chain, words),
        () if words.eat("quote") => {
            let quote = state.tables().quotes.get(&quote_id(words)?).ok_or("no such quote")?;
            words.expect("used")?;
            Ok((words.amount()?.0.to_string(), quote.used.to_string()))
        }
        () if words.eat("breaches of") => {
            let party = if words.eat("nobody") { 0 } else { words.party()? };
            let counts = state.tables().breach_counts.iter();
            let counts =
                counts.filter(|((_, late), _)| late.get() == party).map(|(_, count)| count);
            Ok((words.number()?.to_string(), counts.sum::<u64>().to_string()))
        }
        () if words.eat("sla of") => sla(chain, words),
        () if words.eat("line of") => line(chain, words),
        () => account(chain, words),
    }
}

fn account(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    let value: fn(&Account) -> i128 = match () {
        () if words.eat("reserved") => |account| account.debits_pending.cast_signed(),
        () if words.eat("expected") => |account| account.credits_pending.cast_signed(),
        () if words.eat("available") => |account| account.available().cast_signed(),
        () if words.eat("cap") => |account| i128::from(account.net_debit_cap),
        () if words.eat("settled") => |account| account.settled,
        () if words.eat("unsettled") => Account::position,
        () => Account::balance,
    };
    let (kind, owner) = words.account()?;
    let (expected, currency) = words.sum()?;
    let actual = value(&chain.account(AccountKey { kind, owner, currency }));
    Ok((money(expected, currency), money(actual, currency)))
}

/// A sum in minor units, written with the currency's decimals.
fn money(sum: i128, currency: Currency) -> String {
    let decimals = usize::from(currency.exponent().unwrap_or(0));
    let digits = format!("{:0width$}", sum.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals > 0 { "." } else { "" };
    format!("{}{whole}{point}{fraction}", if sum < 0 { "-" } else { "" })
}

fn orders(chain: &Chain, said: &Said, words: &mut Words<'_>) -> Read<(String, String)> {
    let span = words.span()?;
    let expected = words.word()?.to_owned();
    for number in span {
        let id: Option<OrderId> = said.orders.get(&number).map(|order| order.order_id());
        let status = id.and_then(|id| chain.status(&id)).map_or("unknown", |status| status.name());
        if status != expected {
            return Ok((expected, format!("{status} (order {number})")));
        }
    }
    Ok((expected.clone(), expected))
}

fn transfer(chain: &Chain, said: &Said, words: &mut Words<'_>) -> Read<(String, String)> {
    let number = words.number()?;
    let id: Option<TransferId> = said.transfers.get(&number).map(|item| item.transfer_id());
    let found = id.and_then(|id| chain.state.tables().transfers.get(&id));
    let status = found.map_or("unknown", |record| record.status.name());
    Ok((words.word()?.to_owned(), status.to_owned()))
}

/// `settlement of window 0 proposed`; `refused`, `approved`, or `none`.
fn settlement(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    let window = WindowId::new(words.number()?);
    let tables = chain.state.tables();
    let actual = match tables.proposed_settlements.get(&window) {
        _ if tables.is_settled(window) => "approved",
        Some(proposed) if proposed.refused_by.is_some() => "refused",
        Some(_) => "proposed",
        None => "none",
    };
    Ok((words.word()?.to_owned(), actual.to_owned()))
}

/// `change 1 effective`, `change 1 failed with 807`.
fn change(chain: &Chain, said: &Said, words: &mut Words<'_>) -> Read<(String, String)> {
    let number = words.number()?;
    let id: Option<ProposalId> = said.proposals.get(&number).map(|item| item.proposal_id());
    let found = id.and_then(|id| chain.state.tables().proposals.get(&id));
    let (status, failure) =
        found.map_or(("unknown", 0), |record| (record.status.name(), record.failure));
    let expected = words.word()?;
    let code = if words.eat("with") { words.small()? } else { 0 };
    Ok((format!("{expected} {code}"), format!("{status} {failure}")))
}

fn instruction_of(words: &mut Words<'_>) -> Read<InstructionId> {
    let wrong = words.wrong("window-merchant-currency");
    words.word()?.parse().map_err(|_| wrong)
}

/// `instruction 0-1001-156 instructed 100.00`, and if need be `to bank B`, `due 08:03:00`,
/// `attempt 2`.
fn instruction(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    use chain_state::InstructionStatus::{Arrived, Failed, Instructed, Returned};
    let id = instruction_of(words)?;
    let record = chain.state.instruction(&id).ok_or("no such instruction")?;
    let status = match record.status {
        Instructed => "instructed",
        Arrived { .. } => "arrived",
        Failed { .. } => "failed",
        Returned { .. } => "returned",
    };
    let left = money(i128::from(record.left().get()), id.currency);
    let mut actual = format!("{status} {left}");
    let expected_status = words.word()?;
    let amount = i128::from(words.amount_in(id.currency)?);
    let mut expected = format!("{expected_status} {}", money(amount, id.currency));
    loop {
        let (said, so) = match () {
            () if words.eat("to") => (u64::from(words.party()?), u64::from(record.gateway.get())),
            () if words.eat("due") => (words.time()?.get(), record.deadline.get()),
            () if words.eat("attempt") => (words.number()?, u64::from(record.attempt)),
            () if words.eat("orders") => (words.number()?, record.order_count),
            () if words.eat("recalled") => (1, u64::from(record.recalled.is_some())),
            () => return Ok((expected, actual)),
        };
        expected.push_str(&format!(" {said}"));
        actual.push_str(&format!(" {so}"));
    }
}

/// `net of window 0: liquidity of bank A -100.00 CNY`, closed or still open.
fn net(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    let id = WindowId::new(words.number()?);
    let (kind, owner) = words.account()?;
    let (expected, currency) = words.sum()?;
    let party = WindowParty { kind, owner, currency };
    let open = chain.state.open_window();
    let closed = chain.windows();
    let found = closed.into_iter().chain([&open]).find(|window: &&WindowRecord| window.id == id);
    let positions = &found.ok_or("no such window")?.positions;
    let position = positions.iter().find(|position| position.party == party);
    let actual = position.map_or(0, |position| position.net());
    Ok((money(expected, currency), money(actual, currency)))
}

/// `line of bank A to service: 100.00 CNY of 500.00 CNY`: what is outstanding, and the limit; zeros
/// when there is no line. Behind it `on position`, if need be.
fn line(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    let owner = words.party()?;
    words.expect("to")?;
    let holder = ParticipantId::new(words.party()?);
    let (outstanding, currency) = words.amount()?;
    words.expect("of")?;
    let (limit, _) = words.amount()?;
    let account = LineAccount::from_number(words.line_account(owner)?).ok_or("no such account")?;
    let key = LineKey { account, owner: ParticipantId::new(owner), currency, holder };
    let found = chain.state.tables().lines.get(&key);
    let actual = found.map_or((0, 0), |line| (line.outstanding.get(), line.limit.get()));
    let text = |(outstanding, limit): (u64, u64)| {
        let of = |amount: u64| money(i128::from(amount), currency);
        format!("{} of {}", of(outstanding), of(limit))
    };
    Ok((text((outstanding, limit)), text(actual)))
}

/// `sla of bank B in CNY: 2 orders, 1 late`; `across in USD` for converted orders;
/// `2 orders within 30 seconds` for a bucket.
fn sla(chain: &Chain, words: &mut Words<'_>) -> Read<(String, String)> {
    let gateway = ParticipantId::new(words.party()?);
    let is_cross_border = words.eat("across");
    words.expect("in")?;
    let corridor = Corridor { payout_currency: words.currency()?, is_cross_border };
    let found = chain.state.tables().sla.get(&(gateway, corridor));
    let counters = found.copied().unwrap_or_default();
    let count = words.number()?;
    words.expect("orders")?;
    if words.eat("within") {
        let bound_ms = words.number()? * 1_000;
        words.expect("seconds")?;
        let bucket = SLA_BUCKETS_MS.iter().position(|known| *known == bound_ms);
        let actual = counters.buckets[bucket.ok_or("no such bucket")?];
        return Ok((count.to_string(), actual.to_string()));
    }
    let late = words.number()?;
    words.expect("late")?;
    let actual = format!("{} orders, {} late", counters.order_count, counters.late_count);
    Ok((format!("{count} orders, {late} late"), actual))
}
