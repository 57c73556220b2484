//! The output of commands: text for people or one JSON document for scripts, on standard output;
//! everything else goes to standard error.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::exit::Exit;

/// The form in which a command answers: text, or one JSON document.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON document instead of text.
    pub json: bool,
}

impl Output {
    /// Prints `text` for people, or `value` as JSON.
    ///
    /// # Errors
    /// When standard output cannot be written, other than because the reader has gone.
    pub fn answer(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json { line(&serde_json::to_string_pretty(value)?) } else { line(&text()) }
    }

    /// A line for people while the work goes on; nothing under `--json`.
    pub fn note(self, text: &str) {
        if !self.json {
            // A reader that has gone is no reason to stop the work.
            let _ = line(text);
        }
    }

    /// Prints an error: a line on standard error, and under `--json` a document as well.
    pub fn error(self, error: &anyhow::Error) {
        let message = message_of(error);
        let exit = Exit::of(error);
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "sluice: {exit}: {message}");
        if self.json {
            let body = serde_json::json!({
                "error": { "exit": exit.number(), "kind": exit.name(), "message": message }
            });
            let _ = line(&body.to_string());
        }
    }

    /// A bar of `length` steps on standard error when a person is watching, else a hidden one.
    pub fn progress(self, length: u64, unit: &'static str) -> ProgressBar {
        let watched = !self.json && std::io::stderr().is_terminal();
        let target =
            if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = format!(
            "{{spinner}} {{wide_bar}} {{pos}}/{{len}} {unit} {{per_sec}} {{eta_precise}} {{msg}}"
        );
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// The error and its causes in one line, without the exit words.
pub fn message_of(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let is_exit = Exit::ALL.iter().any(|exit| exit.name() == text);
        // Some errors already repeat their source in their own words.
        if !is_exit && !parts.last().is_some_and(|last| last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

/// Writes one line to standard output. A reader that has gone (`| head`) is not an error.
fn line(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A block time for people: RFC 3339 in UTC, with milliseconds.
pub fn time_text(time_ms: u64) -> String {
    let timestamp =
        i64::try_from(time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    timestamp.map_or_else(|| format!("{time_ms} ms"), |timestamp| format!("{timestamp:.3}"))
}
