//! Lists, a page at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::CursorForm;
use crate::text::Text;

/// How many items a page holds when the client does not say.
pub const LIMIT_DEFAULT: u32 = 100;
/// The most items of a page.
pub const LIMIT_MAX: u32 = 1_000;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    /// stays good for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<CursorForm>>")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of `items`, which a backend read with one more than `limit`: the surplus only
    /// tells that the list goes on after the last item kept.
    pub fn of(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = limit as usize;
        let goes_on = items.len() > limit;
        items.truncate(limit);
        let next = if goes_on { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}
