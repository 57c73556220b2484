//! Parameters that clients give: pages, cursors and ids, each in the one form in which the
//! interface writes it.

use std::fmt::Display;
use std::str::FromStr;

use chain_types::ids::IdError;
use chain_types::{Currency, Height, MerchantId, OrderId, QuoteId, RecordCursor};
use jsonrpsee::core::RpcResult;
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::money::currency_of;
use rpc_api::{ApiError, LIMIT_DEFAULT, LIMIT_MAX, api_error, decimal, quoted};

/// The page size asked for.
pub fn page_limit(limit: Option<u32>) -> RpcResult<u32> {
    match limit {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(limit) => Err(api_error(ApiError::LimitOutOfBounds, format!("({limit})"))),
    }
}

/// A cursor's content, if one was given. Cursors are short; anything long is none.
pub fn read_cursor<T>(
    cursor: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> RpcResult<Option<T>> {
    let Some(text) = cursor else { return Ok(None) };
    let refused = || api_error(ApiError::BadCursor, format!("({})", quoted(text, 64)));
    read(text).map(Some).ok_or_else(refused)
}

/// The place that a cursor names.
pub fn place_of(cursor: &str) -> Option<RecordCursor> {
    let (height, sequence) = cursor.split_once('-')?;
    Some(RecordCursor { height: Height::new(decimal(height)?), sequence: decimal(sequence)? })
}

/// The cursor of a place.
pub fn place_cursor(height: u64, sequence: u32) -> String {
    format!("{height}-{sequence}")
}

fn id_malformed(text: &str, expected: impl Display) -> ErrorObjectOwned {
    api_error(ApiError::IdMalformed, format!("({}: {expected})", quoted(text, 80)))
}

/// The id of a text, in the one form in which the interface writes it.
pub fn id_of<T>(text: &str) -> RpcResult<T>
where
    T: FromStr<Err = IdError> + Display,
{
    let id: T = text.parse().map_err(|error| id_malformed(text, error))?;
    let written = id.to_string();
    if written == text { Ok(id) } else { Err(id_malformed(text, format!("write it as {written}"))) }
}

/// Reads the id of an order.
pub fn order_id(text: &str) -> RpcResult<OrderId> {
    let id: OrderId = id_of(text)?;
    if id.is_uuid_v7() { Ok(id) } else { Err(id_malformed(text, "a UUID, but of version 7")) }
}

/// Reads the id of a merchant.
pub fn merchant_id(text: &str) -> RpcResult<MerchantId> {
    decimal(text).map(MerchantId::new).ok_or_else(|| id_malformed(text, "a merchant's number"))
}

/// Reads the id of a quote.
pub fn quote_id(text: &str) -> RpcResult<QuoteId> {
    decimal(text).map(QuoteId::new).ok_or_else(|| id_malformed(text, "a quote's number"))
}

/// Reads the code of a currency.
pub fn currency(text: &str) -> RpcResult<Currency> {
    currency_of(text).ok_or_else(|| id_malformed(text, "an ISO 4217 code such as CNY"))
}

/// Reads the pseudonym of a user.
pub fn user(text: &str) -> RpcResult<[u8; 16]> {
    let mut bytes = [0; 16];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if hex::encode(bytes) == text => Ok(bytes),
        _ => Err(id_malformed(text, "a pseudonym, 32 hexadecimal digits, small ones")),
    }
}
