//! Refusals, counted by code.

use serde::Serialize;

/// Operations that were refused with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedCount {
    /// The code: a rejection's, or the interface's own.
    pub code: i32,
    /// The stable name of the code.
    pub name: String,
    /// The number of operations that were refused with it.
    pub orders: u64,
}

impl RefusedCount {
    /// For people, in one line.
    pub fn text(refused: &[Self]) -> String {
        let one =
            |refused: &Self| format!("{} {} (code {})", refused.orders, refused.name, refused.code);
        let all: Vec<String> = refused.iter().map(one).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}
