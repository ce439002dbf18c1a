//! Compiles a subplan that is run for each row.

use super::compile::{Compiled, Want, resolve, resolve_all};
use super::{Optimizer, Subplans};
use crate::error::Result;
use crate::plan::logical::Logical;
use crate::plan::physical::Physical;
use crate::plan::statement::broken;

impl Optimizer<'_> {
    pub(super) fn apply(&self, plan: &Logical, used: &mut Subplans) -> Result<Compiled> {
        let Logical::Apply {
            input,
            plan: subplan,
            outer,
            output,
            left,
            on,
        } = plan
        else {
            return Err(broken("an apply is something else"));
        };
        let below = self.node(input, &Want::default(), used)?;
        let outer = resolve_all(outer, &below.layout, used)?;
        let types = below.layout.iter().copied().zip(below.node.types.iter().copied());
        let columns: Vec<_> = types.chain(output.iter().map(|c| (c.id, c.ty))).collect();
        let layout: Vec<u32> = columns.iter().map(|(id, _)| *id).collect();
        let on = on.clone().map(|on| resolve(on, &layout, used)).transpose()?;
        let estimate = below.node.estimate;
        let op = Physical::Apply {
            input: Box::new(below.node),
            plan: used.number(*subplan),
            outer,
            on,
            left: *left,
        };
        Ok(self.made(plan, op, columns, &[estimate], estimate.rows))
    }
}
