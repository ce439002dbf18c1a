//! Casts.
use crate::types::DataType as T;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coercion {
    Implicit,
    Assignment,
    Explicit,
}
pub fn can_cast(from: T, to: T, how: Coercion) -> bool {
    let (f, t) = (from.base(), to.base());
    f == t
        || (f.is_numeric() && t.is_numeric() && (how != Coercion::Implicit || rank(f) <= rank(t)))
        || (f.is_text() && t.is_text())
        || (how == Coercion::Assignment && t.is_text())
        || (how == Coercion::Explicit && (f.is_text() || t.is_text()))
}
pub fn rank(t: T) -> u8 {
    match t {
        T::Int2 => 1,
        T::Int4 => 2,
        T::Int8 => 3,
        T::Numeric(_) => 4,
        T::Float4 => 5,
        T::Float8 => 6,
        _ => 9,
    }
}

pub fn cast_value(v: crate::Value, _: T, _: T, _: bool) -> crate::Result<crate::Value> {
    Ok(v)
}
