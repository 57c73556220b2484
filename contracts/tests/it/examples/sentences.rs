//! What parties say, as operations. The grammar is described in `contracts/examples/README.md`.

use std::collections::BTreeMap;

use chain_types::batch::BatchItem;
use chain_types::{
    ApprovalItem, ArrivalItem, BatchKind, BounceItem, Change, CollectItem, Currency, Decision,
    FailureItem, FailureReason, Flags, Height, HoldDecisionItem, HoldReason, InstructionId,
    LineItem, ListedChangeItem, MerchantId, MerchantItem, OrderId, ParticipantId, PolicyItem,
    ProposalId, ProposalItem, QuoteId, RateItem, RecallItem, RechargeItem, ReinstructItem,
    ReturnItem, ReturnReason, StepInItem, TimeMs, TransferAction, TransferDecisionItem, TransferId,
    TransferItem, VoidItem, VoidReason,
};
use zerocopy::{Immutable, IntoBytes};

use super::changes;
use super::defects::defect;
use super::words::{Read, Words};
use crate::kit::*;

/// Items of one kind, as bytes.
pub struct Operation {
    pub kind: BatchKind,
    pub items: Vec<Vec<u8>>,
    /// The key that signs, if it is not the submitter's first.
    pub key: Option<String>,
    /// The batch's last block time, if it is not a minute ahead.
    pub valid_until: Option<TimeMs>,
}

/// The operations so far, by number.
#[derive(Default)]
pub struct Said {
    pub orders: BTreeMap<u64, RechargeItem>,
    pub transfers: BTreeMap<u64, TransferItem>,
    pub proposals: BTreeMap<u64, ProposalItem>,
    pub lists: BTreeMap<u64, Vec<ListedChangeItem>>,
}

/// The party that speaks, and the time.
pub struct Speaker<'a> {
    pub id: u32,
    pub now: TimeMs,
    pub said: &'a mut Said,
    pub chain: &'a Chain,
}

/// Reads a sentence with what follows it: `with ...`, `signed with ...`, `valid until ...`.
pub fn operation(speaker: &mut Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let mut operation = sentence(speaker, words)?;
    while !words.is_at_end() {
        if words.eat("with key") {
            operation.key = Some(words.word()?.to_owned());
        } else if words.eat("valid until") {
            operation.valid_until = Some(words.time()?);
        } else {
            let defect = defect(operation.kind, words)?;
            operation.items.iter_mut().for_each(defect);
        }
    }
    Ok(operation)
}

fn of<T: IntoBytes + Immutable + BatchItem>(items: &[T]) -> Operation {
    let items = items.iter().map(|item| item.as_bytes().to_vec()).collect();
    Operation { kind: T::KIND, items, key: None, valid_until: None }
}

fn sentence(speaker: &mut Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let said = words.word()?;
    match said {
        "collects" | "submits" => order_or_collection(speaker, words, said == "collects"),
        "debits" => {
            if !words.eat("orders") {
                words.expect("order")?;
            }
            let items = words.span()?.map(|number| debiting(id_of(speaker, number)));
            Ok(of(&items.collect::<Vec<_>>()))
        }
        "consents" => {
            words.expect("to")?;
            let (amount, _) = words.amount()?;
            words.expect("of")?;
            Ok(of(&[consent(order_of(speaker, words)?, amount)]))
        }
        "voids" => {
            let id = order_of(speaker, words)?;
            let reason = reason(words, |text| find(VoidReason::ALL, VoidReason::iso_code, text))?;
            Ok(of(&[VoidItem { reason: reason.into(), ..void(id) }]))
        }
        "returns" => returned(speaker, words),
        "attests" if words.eat("arrival of") => arrived(words),
        "attests" if words.eat("bounce of") => {
            let (window, merchant, currency, reason) = ended(words)?;
            let (currency, attempt) = (currency.get().into(), attempt(words)?.into());
            Ok(of(&[BounceItem { currency, attempt, ..bounce(window, merchant, reason) }]))
        }
        "attests" => failed(words),
        "steps" => {
            words.expect("in for")?;
            let (window, merchant, currency, reason) = ended(words)?;
            let (currency, attempt) = (currency.get().into(), attempt(words)?.into());
            Ok(of(&[StepInItem { currency, attempt, ..step_in(window, merchant, reason) }]))
        }
        "recalls" => {
            let (window, merchant, currency) = instruction(words)?;
            let (currency, attempt) = (currency.get().into(), attempt(words)?.into());
            Ok(of(&[RecallItem { currency, attempt, ..recall(window, merchant) }]))
        }
        "instructs" => {
            let (window, merchant, currency) = instruction(words)?;
            words.expect("again")?;
            let (currency, attempt) = (currency.get().into(), after(words)?.into());
            Ok(of(&[ReinstructItem { currency, attempt, ..reinstruct(window, merchant) }]))
        }
        "publishes" => published(speaker, words),
        "quotes" => quoted(speaker, words),
        "sets" => limits(words),
        "lets" => lent(speaker, words),
        "proposes" if words.eat("transfer") => transferred(speaker, words),
        "proposes" if words.eat("settlement of window") => {
            let window = words.number()?;
            Ok(of(&[settle_window(window, speaker.chain.report_digest(window))]))
        }
        "gives" => listed(speaker, words),
        "registers" => registered(speaker, words),
        "proposes" => proposed(speaker, words),
        "approves" | "releases" => decided(speaker, words, Decision::Approve),
        "refuses" => decided(speaker, words, Decision::Refuse),
        _ => Err(format!("nobody can say `{said}`")),
    }
}

/// `order 1`, known or not.
fn order_of(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<OrderId> {
    words.expect("order")?;
    Ok(id_of(speaker, words.number()?))
}

fn id_of(speaker: &Speaker<'_>, number: u64) -> OrderId {
    let known = speaker.said.orders.get(&number).map(RechargeItem::order_id);
    known.unwrap_or(own_id(SERVICE, speaker.now, number))
}

/// `order 1 of 100.00 CNY for merchant 1001`; without `of`, the collection of a reservation.
fn order_or_collection(
    speaker: &mut Speaker<'_>,
    words: &mut Words<'_>,
    is_collected: bool,
) -> Read<Operation> {
    if !words.eat("orders") {
        words.expect("order")?;
    }
    let span = words.span()?;
    if is_collected && !words.eat("of") {
        let items: Vec<CollectItem> = span.map(|number| collect(id_of(speaker, number))).collect();
        return Ok(of(&items));
    }
    let _ = words.eat("of");
    let (amount, currency) = words.amount()?;
    let mut item = order(OrderId::default(), amount);
    item.currency = currency.get().into();
    item.payout_currency = item.currency;
    item.collecting_gateway = speaker.id.into();
    item.user = [1; 16];
    item.flags = if is_collected { Flags::COLLECTED.into() } else { 0.into() };
    let (mut made, mut owner) = (None, None);
    loop {
        if words.eat("from") {
            item.collecting_gateway = words.party()?.into();
        } else if words.eat("for merchant") {
            item.merchant = words.number()?.into();
        } else if words.eat("of user") {
            item.user = [u8::try_from(words.number()?).map_err(|_| "users are 0 to 255")?; 16];
        } else if words.eat("paid in") {
            item.payout_currency = words.currency()?.get().into();
        } else if words.eat("by quote") {
            item.fx_quote = quote_id(words)?.get().into();
        } else if words.eat("at least") {
            item.payout_minimum = words.amount()?.0.into();
        } else if words.eat("made at") {
            made = Some(words.time()?);
        } else if words.eat("under an id of") {
            owner = Some(words.party()?);
        } else {
            break;
        }
    }
    // Who may submit it, if that is not said: its gateway what it collects, else the service.
    let gateway = item.collecting_gateway.get();
    let may_be_own = is_collected || gateway == speaker.id;
    let service = if speaker.id == SERVICE_SECOND { SERVICE_SECOND } else { SERVICE };
    let owner_of = owner.unwrap_or(if may_be_own { gateway } else { service });
    let mut items = Vec::new();
    for number in span {
        let known = speaker.said.orders.get(&number).map(RechargeItem::order_id);
        let fresh = own_id(owner_of, made.unwrap_or(speaker.now), number);
        let id = known.filter(|_| made.is_none() && owner.is_none()).unwrap_or(fresh);
        items.push(RechargeItem { order_id: id.bytes(), ..item });
        speaker.said.orders.entry(number).or_insert(RechargeItem { order_id: id.bytes(), ..item });
    }
    Ok(of(&items))
}

/// `40.00 CNY of order 1 because CUST as number 1`, and if need be `paying at most 3.00 CNY of what
/// rested` or `paying whatever rested`.
fn returned(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let (amount, _) = words.amount()?;
    words.expect("of")?;
    let id = order_of(speaker, words)?;
    let reason = reason(words, |text| find(ReturnReason::ALL, ReturnReason::iso_code, text))?;
    words.expect("as number")?;
    let sequence = words.small()?;
    let mut rested_max = 0;
    if words.eat("paying at most") {
        rested_max = words.amount()?.0;
        words.expect("of what rested")?;
    } else if words.eat("paying whatever rested") {
        rested_max = u64::MAX;
    }
    let (reason, rested_max) = (reason.into(), rested_max.into());
    Ok(of(&[ReturnItem { reason, rested_max, ..give_back(id, amount, sequence) }]))
}

/// `instruction 0-1001-156`: window, merchant and currency.
fn instruction(words: &mut Words<'_>) -> Read<(u64, u64, Currency)> {
    words.expect("instruction")?;
    let wrong = words.wrong("window-merchant-currency");
    let id: InstructionId = words.word()?.parse().map_err(|_| wrong)?;
    Ok((id.window.get(), id.merchant.get(), id.currency))
}

/// `attests arrival of 100.00 CNY by instruction 0-1001-156`.
fn arrived(words: &mut Words<'_>) -> Read<Operation> {
    let (amount, _) = words.amount()?;
    words.expect("by")?;
    let (window, merchant, currency) = instruction(words)?;
    let (currency, attempt) = (currency.get().into(), attempt(words)?.into());
    Ok(of(&[ArrivalItem { currency, attempt, ..arrival(window, merchant, amount) }]))
}

/// `attests failure of instruction 0-1001-156 because AC01`.
fn failed(words: &mut Words<'_>) -> Read<Operation> {
    words.expect("failure of")?;
    let (window, merchant, currency, reason) = ended(words)?;
    let (currency, attempt) = (currency.get().into(), attempt(words)?.into());
    Ok(of(&[FailureItem { currency, attempt, ..failure(window, merchant, reason) }]))
}

/// `instruction 0-1001-156 because AC01`.
fn ended(words: &mut Words<'_>) -> Read<(u64, u64, Currency, u16)> {
    let (window, merchant, currency) = instruction(words)?;
    let reason = reason(words, |text| find(FailureReason::ALL, FailureReason::iso_code, text))?;
    Ok((window, merchant, currency, reason))
}

/// `as attempt 2`; the first, when nothing is said.
fn attempt(words: &mut Words<'_>) -> Read<u16> {
    if words.eat("as attempt") { words.small() } else { Ok(1) }
}

/// `after attempt 2`; after the first, when nothing is said.
fn after(words: &mut Words<'_>) -> Read<u16> {
    if words.eat("after attempt") { words.small() } else { Ok(1) }
}

/// `1 CNY = 0.14 USD`, observed now.
fn exchange(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<RateItem> {
    words.expect("1")?;
    let currency = words.currency()?;
    words.expect("=")?;
    let (digits, scale) = words.decimal()?;
    let digits = u64::try_from(digits).map_err(|_| "a rate has 64 bits")?;
    let pair = (currency.get(), words.currency()?.get());
    Ok(rate(pair, (digits, scale), speaker.now))
}

fn published(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let mut item = exchange(speaker, words)?;
    if words.eat("observed at") {
        item.observed = words.time()?.get().into();
    }
    Ok(of(&[item]))
}

/// `1 of provider 1`.
pub fn quote_id(words: &mut Words<'_>) -> Read<QuoteId> {
    let number = u32::try_from(words.number()?).map_err(|_| "a quote's number has 32 bits")?;
    words.expect("of")?;
    Ok(QuoteId::of(ParticipantId::new(words.party()?), number))
}

/// `quotes 1 of provider 1: 1 CNY = 0.14 USD, up to 1,000.00 CNY until 08:10:00`.
fn quoted(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let id = quote_id(words)?;
    let rate = exchange(speaker, words)?;
    words.expect("up to")?;
    let (ceiling, _) = words.amount()?;
    words.expect("until")?;
    Ok(of(&[quote(id, &rate, ceiling, words.time()?)]))
}

/// `sets for bank A in CNY: order 100.00, user and day 200.00, day 300.00, hold above 50.00`.
fn limits(words: &mut Words<'_>) -> Read<Operation> {
    words.expect("for")?;
    let (scope, subject) = match () {
        () if words.eat("scheme") => (0, 0),
        () if words.eat("merchant") => (2, words.number()?),
        () if words.eat("scope") => (words.small()?, 0),
        () => (1, u64::from(words.party()?)),
    };
    words.expect("in")?;
    let currency = words.currency()?;
    let mut item = PolicyItem { currency: currency.get().into(), ..policy(scope, subject) };
    loop {
        let limit = match () {
            () if words.eat("order") => &mut item.order_max,
            () if words.eat("user and day") => &mut item.user_day_max,
            () if words.eat("day") => &mut item.day_max,
            () if words.eat("hold above") => &mut item.hold_above,
            () if words.eat("no limit") => continue,
            () => break,
        };
        *limit = words.amount_in(currency)?.into();
    }
    Ok(of(&[item]))
}

/// `service reserve 100.00 CNY`, and if need be `on position`, `on liquidity`, `on account 3`.
fn lent(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let holder = words.party()?;
    words.expect("reserve")?;
    let (limit, currency) = words.amount()?;
    let account = words.line_account(speaker.id)?;
    Ok(of(&[LineItem {
        account: account.into(),
        holder: holder.into(),
        currency: currency.get().into(),
        limit: limit.into(),
        spare: [0; 48],
    }]))
}

/// `transfer 1: deposit 100.00 CNY, liquidity of bank A`.
fn transferred(speaker: &mut Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    let number = words.number()?;
    let action = action(words)?;
    let (amount, currency) = words.amount()?;
    let (kind, owner) = words.account()?;
    let made = if words.eat("made at") { words.time()? } else { speaker.now };
    let known = speaker.said.transfers.get(&number).map(TransferItem::transfer_id);
    let id = known.unwrap_or(TransferId::new(made, entropy(number)));
    let account = chain_state::AccountKey { kind, owner, currency };
    let item = transfer(id, action, account, amount);
    speaker.said.transfers.entry(number).or_insert(item);
    Ok(of(&[item]))
}

fn action(words: &mut Words<'_>) -> Read<TransferAction> {
    let word = words.word()?;
    let found = TransferAction::ALL.iter().find(|action| action.name() == word);
    found.copied().ok_or(format!("`{word}` is no action"))
}

/// `change 1 from block 5: ...`.
fn proposed(speaker: &mut Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    words.expect("change")?;
    let number = words.number()?;
    words.expect("from block")?;
    let height = Height::new(words.number()?);
    let change = match words.eat("list") {
        true => list(speaker, words)?,
        false => changes::change(&speaker.chain.state, words)?,
    };
    let made = if words.eat("made at") { words.time()? } else { speaker.now };
    let known = speaker.said.proposals.get(&number).map(ProposalItem::proposal_id);
    let id = known.unwrap_or(ProposalId::new(made, entropy(number)));
    let item = proposal(id, height, &change);
    speaker.said.proposals.entry(number).or_insert(item);
    Ok(of(&[item]))
}

/// `list 1: ... then ...`, or `list 1` as it was given before.
fn listed(speaker: &mut Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    words.expect("list")?;
    let number = words.number()?;
    if let Some(known) = speaker.said.lists.get(&number) {
        return Ok(of(known));
    }
    let mut items = Vec::new();
    loop {
        let change = changes::change(&speaker.chain.state, words)?;
        items.push(ListedChangeItem::new(&change).ok_or("too long a change for a list")?);
        if !words.eat("then") {
            break;
        }
    }
    speaker.said.lists.insert(number, items.clone());
    Ok(of(&items))
}

/// `merchant 1010 paid by bank A`.
fn registered(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Operation> {
    words.expect("merchant")?;
    let id = MerchantId::new(words.number()?);
    words.expect("paid by")?;
    let mut merchant = changes::paid(&speaker.chain.state, id, words)?;
    if words.eat("called") {
        words.word()?.clone_into(&mut merchant.name);
    }
    if words.eat("suspended") {
        merchant.suspended = true;
    }
    Ok(of(&[MerchantItem::new(&merchant).ok_or("too long a merchant")?]))
}

/// `list 1`, or `list 1 of 3 changes`.
fn list(speaker: &Speaker<'_>, words: &mut Words<'_>) -> Read<Change> {
    let number = words.number()?;
    let items = speaker.said.lists.get(&number).cloned().unwrap_or_default();
    let digest = ListedChangeItem::list_digest(&items);
    let mut count = u32::try_from(items.len()).unwrap();
    if words.eat("of") {
        count = words.small()?.into();
        words.expect("changes")?;
    }
    Ok(Change::List { digest, count })
}

/// Of a transfer, a settlement, a change or a held order.
fn decided(speaker: &Speaker<'_>, words: &mut Words<'_>, decision: Decision) -> Read<Operation> {
    if words.eat("settlement of window") {
        let window = words.number()?;
        let proposed = settle_window(window, speaker.chain.report_digest(window));
        return Ok(of(&[decide_settlement(&proposed, decision)]));
    }
    if words.eat("transfer") {
        return checked(speaker, words, decision);
    }
    if words.eat("change") {
        let number = words.number()?;
        let unknown = ApprovalItem {
            proposal_id: ProposalId::new(speaker.now, entropy(number)).bytes(),
            decision: decision.number().into(),
            digest: [0; 32],
            spare: [0; 14],
        };
        let known = speaker.said.proposals.get(&number);
        return Ok(of(&[known.map_or(unknown, |proposed| vote(proposed, decision))]));
    }
    let id = order_of(speaker, words)?;
    let reason = reason(words, |text| find(HoldReason::ALL, HoldReason::iso_code, text))?;
    Ok(of(&[HoldDecisionItem { reason: reason.into(), ..decide_hold(id, decision) }]))
}

/// `transfer 1`, as proposed; `transfer 1 as deposit of 90.00 CNY`, as the checker has it.
fn checked(speaker: &Speaker<'_>, words: &mut Words<'_>, decision: Decision) -> Read<Operation> {
    let number = words.number()?;
    let known = speaker.said.transfers.get(&number).copied();
    let account =
        chain_state::AccountKey::liquidity(ParticipantId::new(BANK_A), Currency::new(CNY));
    let id = TransferId::new(speaker.now, entropy(number));
    let unknown = transfer(id, TransferAction::Deposit, account, 1);
    let mut item: TransferDecisionItem = decide(&known.unwrap_or(unknown), decision);
    if words.eat("as") {
        item.action = action(words)?.number().into();
        words.expect("of")?;
        item.amount = words.amount()?.0.into();
    }
    Ok(of(&[item]))
}

/// `because CUST`: an ISO 20022 code, or a number that has none.
fn reason(words: &mut Words<'_>, known: impl Fn(&str) -> Option<u16>) -> Read<u16> {
    words.expect("because")?;
    let word = words.word()?;
    known(word).or(word.parse().ok()).ok_or(format!("`{word}` is no reason"))
}

trait Numbered: Copy {
    fn number(self) -> u16;
}

macro_rules! numbered {
    ($($reason:ty)*) => { $(impl Numbered for $reason {
        fn number(self) -> u16 { <$reason>::number(self) }
    })* };
}
numbered!(VoidReason FailureReason ReturnReason HoldReason);

fn find<T: Numbered>(all: &[T], code: impl Fn(T) -> &'static str, text: &str) -> Option<u16> {
    all.iter().find(|reason| code(**reason) == text).map(|reason| reason.number())
}
