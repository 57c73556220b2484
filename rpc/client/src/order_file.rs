//! Files of operations as people write them: TOML, JSON or CSV lines, read into rows of named
//! text fields. The module `operations` says what the fields mean.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The form in which a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Found from the first characters.
    Auto,
    /// `[[orders]]` or `[[operations]]` tables.
    Toml,
    /// An array of objects, or an object with such an array named `orders` or `operations`.
    Json,
    /// Comma-separated lines under a line of field names; `#` starts a comment.
    Csv,
}

/// The most rows that one file may hold.
pub const ROWS_MAX: usize = 1_000_000;

/// A file that was refused, with the place to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The line or entry, such as `line 3`; `file` for the whole.
    pub place: String,
    /// The field, unless the whole row is wrong.
    pub field: Option<String>,
    /// The problem, for people.
    pub problem: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(formatter, "{}, field {field}: {}", self.place, self.problem),
            None => write!(formatter, "{}: {}", self.place, self.problem),
        }
    }
}

impl FileError {
    fn whole(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), field: None, problem: problem.into() }
    }
}

/// One operation's fields, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's place in the file, for people.
    pub place: String,
    fields: BTreeMap<String, String>,
}

impl Row {
    /// An error about `field` of this row.
    pub fn error(&self, field: &str, problem: impl Into<String>) -> FileError {
        let problem = problem.into();
        FileError { place: self.place.clone(), field: Some(field.to_owned()), problem }
    }

    /// All fields, with `text` for `field`.
    pub fn with(&self, field: &str, text: String) -> BTreeMap<String, String> {
        let mut fields = self.fields.clone();
        fields.insert(field.to_owned(), text);
        fields
    }

    /// The field's text, if it was given and is not empty.
    pub fn optional(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The field's text.
    ///
    /// # Errors
    /// When it is missing or empty.
    pub fn required(&self, field: &str) -> Result<&str, FileError> {
        self.optional(field).ok_or_else(|| self.error(field, "is missing"))
    }

    /// The field's value through `parse`, whose error is the problem told.
    ///
    /// # Errors
    /// When it is missing or does not parse.
    pub fn parse<T, E: fmt::Display>(
        &self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, FileError> {
        let text = self.required(field)?;
        parse(text).map_err(|problem| self.error(field, problem.to_string()))
    }

    /// Refuses fields other than `known`.
    ///
    /// # Errors
    /// On the first field that is not known.
    pub fn only(&self, known: &[&str]) -> Result<(), FileError> {
        match self.fields.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => {
                Err(self.error(field, format!("is not known; known are {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }
}

/// The one row of fields given as `name=value`.
///
/// # Errors
/// When one has no `=`, or a name comes twice.
pub fn row_of(pairs: &[String]) -> Result<Row, FileError> {
    let mut row = Row { place: "command line".to_owned(), fields: BTreeMap::new() };
    for pair in pairs {
        let Some((field, text)) = pair.split_once('=') else {
            return Err(FileError::whole(&row.place, format!("{pair:?} is not name=value")));
        };
        if row.fields.insert(field.trim().to_owned(), text.trim().to_owned()).is_some() {
            return Err(row.error(field.trim(), "is given twice"));
        }
    }
    Ok(row)
}

/// Reads the rows of `text`. Without a line of names, CSV fields are `columns` in order.
///
/// # Errors
/// [`FileError`]: not of the format, a number with a fraction outside quotes, a nested value, no
/// rows, or more than [`ROWS_MAX`].
pub fn read(text: &str, format: Format, columns: &[&str]) -> Result<Vec<Row>, FileError> {
    let rows = match if format == Format::Auto { detect(text) } else { format } {
        Format::Toml => read_toml(text)?,
        Format::Json => read_json(text, columns)?,
        Format::Csv | Format::Auto => read_csv(text, columns)?,
    };
    if rows.is_empty() {
        return Err(FileError::whole("file", "holds no operations"));
    }
    if rows.len() > ROWS_MAX {
        let problem = format!("holds {} operations; at most {ROWS_MAX}", rows.len());
        return Err(FileError::whole("file", problem));
    }
    Ok(rows)
}

fn detect(text: &str) -> Format {
    let significant =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match significant.unwrap_or_default() {
        line if line.starts_with("[[") && line.ends_with("]]") && line.len() > 4 => Format::Toml,
        line if line.starts_with(['{', '[']) => Format::Json,
        _ => Format::Csv,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(alias = "operations")]
    orders: Vec<toml::Spanned<BTreeMap<String, toml::Spanned<toml::Value>>>>,
}

fn read_toml(text: &str) -> Result<Vec<Row>, FileError> {
    let line_of = |offset: usize| {
        let before = text.as_bytes().get(..offset).unwrap_or_default();
        format!("line {}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
    };
    let file: TomlFile = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(|| "file".to_owned(), |span| line_of(span.start));
        let problem = match toml::from_str::<toml::Table>(text) {
            Ok(_) => "expected [[orders]] or [[operations]] tables of fields alone".to_owned(),
            Err(_) => format!("is not TOML: {}", error.message()),
        };
        FileError::whole(place, problem)
    })?;
    let mut rows = Vec::with_capacity(file.orders.len());
    for table in file.orders {
        let place = line_of(table.span().start);
        let mut row = Row { place, fields: BTreeMap::new() };
        for (field, value) in table.into_inner() {
            let line = line_of(value.span().start);
            let scalar = match value.into_inner() {
                toml::Value::String(text) => Some(text),
                toml::Value::Integer(number) => Some(number.to_string()),
                toml::Value::Boolean(flag) => Some(flag.to_string()),
                toml::Value::Float(_) => None,
                _ => {
                    let error = row.error(&field, "is not text or a number");
                    return Err(FileError { place: line, ..error });
                }
            };
            let Some(scalar) = scalar else {
                return Err(FileError { place: line, ..row.error(&field, FRACTION) });
            };
            row.fields.insert(field, scalar);
        }
        rows.push(row);
    }
    Ok(rows)
}

const FRACTION: &str = "write a number with decimals in quotes, so that it stays exact";

/// The entries of a wrapping object, or the object itself when it is the only entry.
fn entries_of(
    mut object: serde_json::Map<String, serde_json::Value>,
    columns: &[&str],
) -> Result<Vec<serde_json::Value>, FileError> {
    let wrapped = object.remove("orders").or_else(|| object.remove("operations"));
    match (wrapped, object.len()) {
        (Some(serde_json::Value::Array(entries)), 0) => Ok(entries),
        (Some(_), 0) => Err(FileError::whole("file", "`orders` is not an array")),
        (None, _) if columns.iter().any(|column| object.contains_key(*column)) => {
            Ok(vec![serde_json::Value::Object(object)])
        }
        _ => Err(FileError::whole("file", "expected one field, `orders`, an array")),
    }
}

fn read_json(text: &str, columns: &[&str]) -> Result<Vec<Row>, FileError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        FileError::whole(format!("line {}", error.line()), format!("is not JSON: {error}"))
    })?;
    let entries = match value {
        serde_json::Value::Array(entries) => entries,
        serde_json::Value::Object(object) => entries_of(object, columns)?,
        _ => return Err(FileError::whole("file", "expected an array of objects")),
    };
    let mut rows = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let place = format!("entry {}", index + 1);
        let serde_json::Value::Object(object) = entry else {
            return Err(FileError::whole(place, "is not an object"));
        };
        let mut row = Row { place, fields: BTreeMap::new() };
        for (field, value) in object {
            let scalar = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Bool(flag) => flag.to_string(),
                serde_json::Value::Null => String::new(),
                serde_json::Value::Number(number) if number.is_u64() => number.to_string(),
                serde_json::Value::Number(_) => return Err(row.error(&field, FRACTION)),
                _ => return Err(row.error(&field, "is not text or a number")),
            };
            row.fields.insert(field, scalar);
        }
        rows.push(row);
    }
    Ok(rows)
}

fn read_csv(text: &str, columns: &[&str]) -> Result<Vec<Row>, FileError> {
    let mut names: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("line {}", index + 1);
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if line.contains('"') {
            return Err(FileError::whole(place, "quotes are not read in lines; use TOML or JSON"));
        }
        if names.is_none() && cells.iter().any(|cell| columns.contains(cell)) {
            names = Some(cells.into_iter().map(str::to_owned).collect());
            continue;
        }
        let names = names.get_or_insert_with(|| {
            columns.iter().take(cells.len()).map(|name| (*name).to_owned()).collect()
        });
        if cells.len() != names.len() {
            let problem = format!("{} fields, expected {}", cells.len(), names.len());
            return Err(FileError::whole(place, format!("{problem} ({})", names.join(","))));
        }
        let cells = cells.into_iter().map(str::to_owned);
        rows.push(Row { place, fields: names.iter().cloned().zip(cells).collect() });
    }
    Ok(rows)
}
