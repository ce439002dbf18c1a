//! Commands that change how rows are shown.

use crate::arguments::on_or_off;
use crate::console::{Console, Flow};
use crate::output::Mode;
use crate::problem::Problem;

/// `.mode`
pub(super) fn mode(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    match words.first() {
        Some(name) => console.settings.mode = Mode::named(name).map_err(Problem::Command)?,
        None => console.say(console.settings.mode.name())?,
    }
    Ok(Flow::Next)
}

/// `.headers`
pub(super) fn headers(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    console.settings.headers = Some(switch(&words[0])?);
    Ok(Flow::Next)
}

/// `.nullvalue`
pub(super) fn null(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    console.settings.null = Some(words[0].clone());
    Ok(Flow::Next)
}

/// `\x`
pub(super) fn expanded(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let on = toggled(words, console.settings.expanded)?;
    console.settings.expanded = on;
    tell(console, "Expanded display is", on)
}

/// `.timer`, `\timing`
pub(super) fn timer(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let on = toggled(words, console.settings.timer)?;
    console.settings.timer = on;
    tell(console, "Timing is", on)
}

fn toggled(words: &[String], now: bool) -> Result<bool, Problem> {
    words.first().map_or(Ok(!now), |word| switch(word))
}

fn switch(word: &str) -> Result<bool, Problem> {
    on_or_off(word).map_err(Problem::Command)
}

fn tell(console: &mut Console, what: &str, on: bool) -> Result<Flow, Problem> {
    if console.interactive {
        console.say(&format!("{what} {}.", if on { "on" } else { "off" }))?;
    }
    Ok(Flow::Next)
}
