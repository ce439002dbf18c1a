//! What is known about the types of a statement's parameters.

use crate::types::DataType;

/// A type for each parameter, as far as known. The first use that needs a type decides.
#[derive(Clone, Debug)]
pub(crate) struct Parameters(Vec<Option<DataType>>);

impl Parameters {
    /// `count` parameters, the first of which have these types.
    pub(super) fn new(count: usize, given: &[Option<DataType>]) -> Self {
        let types = (0..count).map(|i| given.get(i).copied().flatten());
        Self(types.map(|ty| ty.filter(|ty| *ty != DataType::Unknown)).collect())
    }

    /// The type of a parameter; `Unknown` while nothing decided it. `None` for one that the statement cannot have: a stored
    /// expression, a view and the query of a COPY have none.
    pub(super) fn get(&self, index: u32) -> Option<DataType> {
        let known = self.0.get(index as usize)?;
        Some(known.unwrap_or(DataType::Unknown))
    }

    /// Decides an undecided parameter and returns its type.
    pub(super) fn decide(&mut self, index: u32, ty: DataType) -> DataType {
        let slot = &mut self.0[index as usize];
        *slot.get_or_insert(ty)
    }

    /// All types; what nothing decided is text.
    pub(crate) fn finish(&self) -> Vec<DataType> {
        self.0.iter().map(|ty| ty.unwrap_or(DataType::Text)).collect()
    }
}
