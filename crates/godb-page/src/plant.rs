//! Bugs that are built in on purpose, so that the crash tester can show that it would notice.
//!
//! Only a build with the feature `plants` has them at all, which nobody but the crash tester asks for; and of those it has, one process makes at most one, by
//! name. Everywhere else [`planted`] is the constant `false`, and the branch it guards is not in the program.

#[cfg(feature = "plants")]
static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Makes the bug of that name, in this process, from now on. The first choice stays.
#[cfg(feature = "plants")]
pub fn plant(name: &str) {
    CHOSEN.get_or_init(|| name.to_owned());
}

/// Whether the bug of that name is to be made.
#[cfg(feature = "plants")]
#[must_use]
pub fn planted(name: &str) -> bool {
    CHOSEN.get().is_some_and(|chosen| chosen == name)
}

/// Whether the bug of that name is to be made: never, in this build.
#[cfg(not(feature = "plants"))]
#[must_use]
#[inline]
pub const fn planted(_name: &str) -> bool {
    false
}
