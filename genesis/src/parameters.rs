//! The chain's parameters in the genesis file. Names, bounds and how they must agree are
//! [`Parameters`]' own, for governance changes them by the same rules.

use std::fmt::Write as _;

use chain_types::Parameters;

use crate::fault::FieldError;
use crate::table::Table;

/// Reads and checks the `[parameters]` section. Every parameter is written out, so that the file,
/// and with it the chain id, says all of them.
pub(crate) fn read_parameters(mut table: Table) -> Result<Parameters, FieldError> {
    let mut values = Vec::with_capacity(Parameters::NAMES.len());
    for (name, (low, high)) in Parameters::NAMES.iter().zip(Parameters::BOUNDS) {
        values.push(table.number(name, *low..=*high)?);
    }
    let Some(parameters) = Parameters::from_values(&values) else {
        unreachable!("the bounds of a parameter lie within its type")
    };
    parameters.agree().map_err(|error| {
        let named = Parameters::NAMES.iter().zip(&values).find(|(name, _)| **name == error.name);
        let value = named.map_or(0, |(_, value)| *value);
        FieldError::new(table.field(error.name), value, error.problem, error.remedy)
    })?;
    table.finish()?;
    Ok(parameters)
}

/// Writes the `[parameters]` section.
pub(crate) fn write_parameters(parameters: &Parameters) -> String {
    let mut text = String::from("[parameters]\n");
    for (name, value) in Parameters::NAMES.iter().zip(parameters.values()) {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}
