//! What governance changes, in words.

use chain_state::State;
use chain_types::hash::sha256;
use chain_types::{
    Amount, CashbackTier, Change, Digest, Merchant, MerchantId, Node, Parameters, Participant,
    ParticipantId, Programme, RegistrarLimits, Roles,
};

use super::words::{Read, Words};
use crate::kit::*;

/// Reads a change of the registry from an example's words.
pub fn change(state: &State, words: &mut Words<'_>) -> Read<Change> {
    match () {
        () if words.eat("merchant") => merchant(state, words),
        () if words.eat("registrar") => registrar(words),
        () if words.eat("parameter") => {
            let (index, value) = parameter(words)?;
            Ok(Change::Parameter { index, value })
        }
        () if words.eat("register") => participant(state, words),
        () if words.eat("key of") => key(words),
        () if words.eat("add node") => new_node(words),
        () if words.eat("power of node") => {
            let node = u32::try_from(words.number()?).map_err(|_| "no such node")?;
            words.expect("is")?;
            Ok(Change::Power { node, power: words.number()? })
        }
        () if words.eat("keys of node") => node_keys(words),
        () if words.eat("remove node") => {
            let node = u32::try_from(words.number()?).map_err(|_| "no such node")?;
            Ok(Change::NodeRemoved { node })
        }
        () if words.eat("currency") => Ok(Change::Currency(words.currency()?)),
        () if words.eat("cashback of merchant") => programme(state, words),
        () if words.eat("protocol version") => Ok(Change::ProtocolVersion(words.small()?)),
        () => {
            let participant = ParticipantId::new(words.party()?);
            let suspended = suspension(words)?;
            Ok(Change::ParticipantSuspended { participant, suspended })
        }
    }
}

/// `window_ms is 60000`: the parameter's place and value; a name that is none is place 999.
pub fn parameter(words: &mut Words<'_>) -> Read<(u16, u64)> {
    let name = words.word()?;
    words.expect("is")?;
    let place = Parameters::NAMES.iter().position(|known| *known == name);
    Ok((place.map_or(999, |place| u16::try_from(place).unwrap()), words.number()?))
}

fn suspension(words: &mut Words<'_>) -> Read<bool> {
    if words.eat("is suspended no longer") {
        return Ok(false);
    }
    words.expect("is suspended").map(|()| true)
}

/// `1001 is paid by bank A`, `1001 is paid by bank A at account 2`, `1001 is suspended`.
fn merchant(state: &State, words: &mut Words<'_>) -> Read<Change> {
    let id = MerchantId::new(words.number()?);
    if !words.eat("is paid by") {
        return Ok(Change::MerchantSuspended { merchant: id, suspended: suspension(words)? });
    }
    paid(state, id, words).map(Change::Merchant)
}

/// `party 777 of bank A, 2 new and 3 changes a day`.
fn registrar(words: &mut Words<'_>) -> Read<Change> {
    let participant = ParticipantId::new(words.party()?);
    words.expect("of")?;
    let gateway = ParticipantId::new(words.party()?);
    let added_max = words.small()?.into();
    words.expect("new and")?;
    let changed_max = words.small()?.into();
    words.expect("changes a day")?;
    let limits = RegistrarLimits { gateway, added_max, changed_max };
    Ok(Change::Registrar { participant, limits })
}

/// `bank A at account 2 of entity HOUSE`, behind a merchant.
pub fn paid(state: &State, id: MerchantId, words: &mut Words<'_>) -> Read<Merchant> {
    let payout_gateway = ParticipantId::new(words.party()?);
    let payout_account = match words.eat("at account") {
        true => sha256(&[words.word()?.as_bytes()]),
        false => Digest::ZERO,
    };
    let known = state.merchant(id);
    let legal_entity = match words.eat("of entity") {
        true => words.word()?.to_owned(),
        false => known.map_or(String::new(), |known| known.legal_entity.clone()),
    };
    let suspended = known.is_some_and(|known| known.suspended);
    let name = format!("merchant {id}");
    Ok(Merchant { id, name, payout_gateway, payout_account, suspended, legal_entity })
}

/// `register party 777 as gateway and fx-provider, key new`; without a key, the present one.
fn participant(state: &State, words: &mut Words<'_>) -> Read<Change> {
    let id = words.party()?;
    words.expect("as")?;
    let mut roles = Roles::default();
    loop {
        let wrong = words.wrong("a role");
        let word = words.word()?;
        let role = Roles::NAMES.iter().find(|(_, name)| *name == word).map(|(role, _)| *role);
        roles = roles.and(role.ok_or(wrong)?);
        if !words.eat("and") {
            break;
        }
    }
    let known = state.participant(ParticipantId::new(id));
    let legal_entity = match words.eat("of entity") {
        true => words.word()?.to_owned(),
        false => known.map_or(String::new(), |known| known.legal_entity.clone()),
    };
    let public_key = match words.eat("key") {
        true => public_key(words)?,
        false => known.map_or(key_of(id).public_key(), |known| known.public_key),
    };
    let suspended = known.is_some_and(|known| known.suspended);
    let (id, name) = (ParticipantId::new(id), format!("party {id}"));
    let participant = Participant { id, name, roles, public_key, suspended, legal_entity };
    Ok(Change::Participant(participant))
}

/// `bank A is new, the old one for 3 blocks`.
fn key(words: &mut Words<'_>) -> Read<Change> {
    let participant = ParticipantId::new(words.party()?);
    words.expect("is")?;
    let public_key = public_key(words)?;
    words.expect("the old one for")?;
    let overlap_heights = words.number()?;
    words.expect("blocks")?;
    Ok(Change::Key { participant, public_key, overlap_heights })
}

/// A name for a key of nobody's, or `of bank B` for a participant's first.
fn public_key(words: &mut Words<'_>) -> Read<chain_types::PublicKey> {
    if words.eat("of") {
        return Ok(key_of(words.party()?).public_key());
    }
    Ok(key_named(words.word()?).public_key())
}

/// `5 of operator 1 with power 1`, `5 called Node_5 of operator 1 with power 1`.
fn new_node(words: &mut Words<'_>) -> Read<Change> {
    let number = u32::try_from(words.number()?).map_err(|_| "no such node")?;
    let known = node(number);
    let name = match words.eat("called") {
        true => words.word()?.to_owned(),
        false => known.name.clone(),
    };
    words.expect("of")?;
    let operator = ParticipantId::new(words.party()?);
    words.expect("with power")?;
    Ok(Change::Node(Node { name, operator, power: words.number()?, ..known }))
}

/// `0 are fresh and fresher`: of connections and of votes; names of keys, or `of bank B`, or `of
/// node 1` for that node's first.
fn node_keys(words: &mut Words<'_>) -> Read<Change> {
    let node = u32::try_from(words.number()?).map_err(|_| "no such node")?;
    words.expect("are")?;
    let network_key = node_key(words, |node| node.network_key)?;
    words.expect("and")?;
    let validator_key = node_key(words, |node| node.validator_key)?;
    Ok(Change::NodeKeys { node, network_key, validator_key })
}

fn node_key(
    words: &mut Words<'_>,
    of_node: fn(&Node) -> chain_types::PublicKey,
) -> Read<chain_types::PublicKey> {
    if words.eat("of node") {
        let place = u32::try_from(words.number()?).map_err(|_| "no such node")?;
        return Ok(of_node(&node(place + 1)));
    }
    public_key(words)
}

/// `1001 in CNY: 8.00 % above 5, 10.00 % above 10, at most 5.00 an order, at most 20.00 a month,
/// zone 480`, the zone in minutes east of UTC; an `off` stands behind the currency.
/// Banks A, B and the poor one take part, but for the one that pays the merchant, and the least
/// order is the smallest that the tiers allow, unless the words say otherwise.
fn programme(state: &State, words: &mut Words<'_>) -> Read<Change> {
    let merchant = MerchantId::new(words.number()?);
    words.expect("in")?;
    let currency = words.currency()?;
    let mut programme = Programme {
        merchant,
        currency,
        tiers: Vec::new(),
        order_max: Amount::new(0),
        user_month_max: Amount::new(0),
        offset_min: 0,
        is_active: !words.eat("off"),
        order_least: Amount::new(0),
        gateways: Vec::new(),
    };
    let mut least = None;
    let payer = state.merchant(merchant).map(|found| found.payout_gateway);
    let banks = [BANK_A, BANK_B, BANK_POOR].map(ParticipantId::new);
    programme.gateways = banks.into_iter().filter(|bank| Some(*bank) != payer).collect();
    while !words.is_before("then") {
        if words.eat("at most") {
            let most = Amount::new(words.amount_in(currency)?);
            match words.eat("an order") {
                true => programme.order_max = most,
                false => words.expect("a month").map(|()| programme.user_month_max = most)?,
            }
        } else if words.eat("at least") {
            least = Some(Amount::new(words.amount_in(currency)?));
            words.expect("an order")?;
        } else if words.eat("for nobody") {
            programme.gateways.clear();
        } else if words.eat("for") {
            programme.gateways = vec![ParticipantId::new(words.party()?)];
            while words.eat("and") {
                programme.gateways.push(ParticipantId::new(words.party()?));
            }
        } else if words.eat("zone") {
            let (minutes, _) = words.decimal()?;
            programme.offset_min = i16::try_from(minutes).map_err(|_| "no such zone")?;
        } else {
            let (percent, scale) = words.decimal()?;
            let share = u16::try_from(percent).ok().filter(|_| scale == 2);
            let basis_points = share.ok_or("a share has two decimals")?;
            words.expect("% above")?;
            programme.tiers.push(CashbackTier { above: words.small()?, basis_points });
        }
    }
    programme.order_least = least.unwrap_or(Programme::least_of(&programme.tiers));
    Ok(Change::Programme(programme))
}
