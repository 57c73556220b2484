//! An earlier run's report beside a new one, if both were measured in the same shape.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use node_console::exit::{Exit, WithExit as _, failure};
use serde::Serialize;
use serde_json::Value;

use super::figures;
use super::report::{RunsReport, Setting};

/// The most bytes of a report that is read.
const REPORT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The settings that may differ: another seed is another draw from the same shape.
const MAY_DIFFER: [&str; 1] = ["shape.seed"];
/// Numbers this near are the same: a report's text keeps all but the last bit.
const NEAR: f64 = 1e-9;

/// An earlier report, to be compared with.
#[derive(Debug, Clone)]
pub struct Earlier {
    path: PathBuf,
    /// Each field of its setting by name; empty when an older program wrote none of them.
    setting: BTreeMap<String, Value>,
    figures: Vec<(String, f64)>,
    is_unlike_allowed: bool,
}

/// Something in which two runs differ beside the program.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unlike {
    /// The name of the field.
    pub what: String,
    /// Its value in the earlier report; `null` when it is not there.
    pub earlier: Value,
    /// Its value in this report; `null` when it is not there.
    pub now: Value,
}

/// A figure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    /// The name of the figure.
    pub figure: String,
    /// The earlier value; of several runs the median.
    pub earlier: Option<f64>,
    /// The value now; of several runs the median.
    pub now: Option<f64>,
    /// Now by earlier; `None` when either is missing or the earlier is zero.
    pub ratio: Option<f64>,
}

/// Two runs side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The file of the earlier report.
    pub earlier: PathBuf,
    /// Everything in which the runs differ beside the program; empty when they may be compared.
    pub unlike: Vec<Unlike>,
    /// Every figure that one of them has.
    pub figures: Vec<Ratio>,
}

impl Earlier {
    /// Reads the report that `sluice --json bench` printed, of one run or of several.
    ///
    /// # Errors
    /// When the file cannot be read or is not such a report.
    pub fn read(path: &Path, is_unlike_allowed: bool) -> anyhow::Result<Self> {
        let name = path.display();
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(REPORT_BYTES_MAX).read_to_string(&mut text))
            .with_context(|| format!("{name} cannot be read"))
            .exit(Exit::Usage)?;
        let report: Value = serde_json::from_str(&text)
            .with_context(|| format!("{name} is not a report: give what --json printed"))
            .exit(Exit::Usage)?;
        let (run, figures) = match report.get("runs").and_then(Value::as_array) {
            Some(runs) => (runs.first(), medians(&report)),
            None => (Some(&report), owned(figures::of_run(&report))),
        };
        let setting = run.and_then(|run| Some(fields(run.get("setting")?, seconds(run)?)));
        let Some(setting) = setting.filter(|_| !figures.is_empty()) else {
            let message = format!("{name} is not a report of a bench: it has no setting or figure");
            return Err(failure(Exit::Usage, message));
        };
        Ok(Self { path: path.to_owned(), setting, figures, is_unlike_allowed })
    }

    /// Refuses a run that would be unlike this report, unless that was allowed.
    ///
    /// # Errors
    /// When they differ in shape, pace or anything else beside the program.
    pub fn check(&self, setting: &Setting, seconds: u64) -> anyhow::Result<()> {
        let unlike = self.unlike(setting, seconds);
        if unlike.is_empty() || self.is_unlike_allowed {
            return Ok(());
        }
        let each: Vec<String> = unlike.iter().map(Unlike::text).collect();
        let message = format!(
            "{} was measured in another way, so that a ratio would say nothing: {}; give the \
             options that it was measured with, or --compare-unlike to see both all the same",
            self.path.display(),
            each.join("; ")
        );
        Err(failure(Exit::Usage, message))
    }

    /// Returns everything in which a run of `setting` differs from this report.
    fn unlike(&self, setting: &Setting, seconds: u64) -> Vec<Unlike> {
        // A setting has names for keys and no other fault.
        let now = fields(&serde_json::to_value(setting).unwrap_or_default(), seconds);
        let mut names: Vec<&String> = self.setting.keys().chain(now.keys()).collect();
        names.sort();
        names.dedup();
        let of = |fields: &BTreeMap<String, Value>, name: &String| {
            fields.get(name).cloned().unwrap_or_default()
        };
        names
            .into_iter()
            .filter(|name| !MAY_DIFFER.contains(&name.as_str()))
            .map(|name| Unlike {
                what: name.clone(),
                earlier: of(&self.setting, name),
                now: of(&now, name),
            })
            .filter(|unlike| !is_same(&unlike.earlier, &unlike.now))
            .collect()
    }

    /// Puts the report beside new runs that had `seconds` each.
    pub fn compare(&self, runs: &RunsReport, seconds: u64) -> Comparison {
        let setting = runs.runs.first().map(|run| &run.setting);
        let now: Vec<(String, f64)> =
            runs.summary.iter().map(|spread| (spread.figure.to_owned(), spread.median)).collect();
        let value = |figures: &[(String, f64)], name: &str| {
            figures.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
        };
        let ratio = |(name, _): &(&str, &str)| {
            Ratio::new(name, value(&self.figures, name), value(&now, name))
        };
        Comparison {
            earlier: self.path.clone(),
            unlike: setting.map(|setting| self.unlike(setting, seconds)).unwrap_or_default(),
            figures: figures::FIGURES.iter().filter_map(ratio).collect(),
        }
    }
}

impl Unlike {
    fn text(&self) -> String {
        let Self { what, earlier, now } = self;
        format!("{what} (earlier {earlier}, now {now})")
    }
}

impl Ratio {
    /// A figure of two runs; `None` when neither has it.
    fn new(figure: &str, earlier: Option<f64>, now: Option<f64>) -> Option<Self> {
        earlier.or(now)?;
        let both = earlier.zip(now).filter(|(earlier, _)| *earlier != 0.0);
        let ratio = both.map(|(earlier, now)| now / earlier);
        Some(Self { figure: figure.to_owned(), earlier, now, ratio })
    }
}

impl Comparison {
    /// Formats the comparison for people.
    pub fn text(&self) -> String {
        let path = self.earlier.display();
        let mut lines = vec![format!(
            "{:<34} {:>16} {:>16} {:>8}",
            "beside the earlier run", "earlier", "now", "ratio"
        )];
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        for Ratio { figure, earlier, now, ratio } in &self.figures {
            // A price is small.
            let most = earlier.unwrap_or(0.0).max(now.unwrap_or(0.0));
            let digits = if most > 0.0 && most < 0.1 { 6 } else { 3 };
            lines.push(format!(
                "{:<34} {:>16} {:>16} {:>8}",
                figure.replace('_', " "),
                shown(*earlier, digits),
                shown(*now, digits),
                shown(*ratio, 3)
            ));
        }
        if self.unlike.is_empty() {
            lines.push(format!("{path} was measured in the same shape and at the same pace"));
        } else {
            lines.push(format!("UNLIKE: {path} differs in more than the program. It is:"));
            lines.extend(self.unlike.iter().map(|unlike| format!("  {}", unlike.text())));
        }
        lines.join("\n")
    }
}

/// The medians of a report of several runs.
fn medians(report: &Value) -> Vec<(String, f64)> {
    let summary = report.get("summary").and_then(Value::as_array);
    let median = |spread: &Value| {
        Some((spread.get("figure")?.as_str()?.to_owned(), spread.get("median")?.as_f64()?))
    };
    summary.into_iter().flatten().filter_map(median).collect()
}

fn owned(figures: Vec<(&str, f64)>) -> Vec<(String, f64)> {
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The seconds over which a run was measured, in whole ones.
fn seconds(run: &Value) -> Option<u64> {
    // A float is cast to the nearest number within bounds.
    run.get("seconds")?.as_f64().map(|seconds| seconds.round() as u64)
}

/// Every field of a setting by its full name, and the seconds.
fn fields(setting: &Value, seconds: u64) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::from([("seconds".to_owned(), Value::from(seconds))]);
    flatten("", setting, &mut fields);
    fields
}

fn flatten(place: &str, value: &Value, fields: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                flatten(&place, value, fields);
            }
        }
        _ => {
            fields.insert(place.to_owned(), value.clone());
        }
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= NEAR * one.abs().max(other.abs()),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
