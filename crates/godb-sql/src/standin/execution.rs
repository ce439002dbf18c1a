//! What execution needs of the expression library, until that is there.
pub mod eval {
    use crate::{context::Evaluating, error::Result, expr::Expr, vector::*};
    use std::sync::Arc;
    pub(crate) fn evaluate(e: &Expr, b: &Batch, ev: &Evaluating<'_>) -> Result<Arc<Column>> {
        Ok(match e {
            Expr::Column(at, _) => b.columns[*at as usize].clone(),
            Expr::Literal(v, ty) => Arc::new(Column::repeat(*ty, v, b.rows)),
            Expr::Parameter(at, ty) => Arc::new(Column::repeat(*ty, &ev.parameters[*at as usize], b.rows)),
            Expr::Call { function, args, ty } => {
                let types: Vec<_> = args.iter().map(Expr::data_type).collect();
                let args = args
                    .iter()
                    .map(|a| evaluate(a, b, ev))
                    .collect::<Result<Vec<_>>>()?;
                Arc::new((function.kernel)(&crate::functions::Call {
                    args: &args,
                    types: &types,
                    rows: b.rows,
                    returns: *ty,
                    evaluating: ev,
                })?)
            }
            _ => panic!(),
        })
    }
    pub(crate) fn select(e: &Expr, b: &Batch, ev: &Evaluating<'_>) -> Result<Vec<u32>> {
        let c = evaluate(e, b, ev)?;
        let ColumnData::Bool(v) = &c.data else {
            return Err(crate::SqlError::unsupported("this expression"));
        };
        Ok((0..b.rows as u32)
            .filter(|r| v[*r as usize] && !c.is_null(*r as usize))
            .collect())
    }
}

impl crate::Interval {
    pub(crate) fn after(self, _: i64) -> crate::Result<i64> {
        Err(crate::SqlError::unsupported("a series of times"))
    }
}
pub mod text {
    pub(crate) use crate::standin::text::{from_text, to_text};
    use crate::vector::Column;
    use crate::*;
    pub(crate) fn push_text(column: &mut Column, text: &[u8], ty: DataType) -> Result<()> {
        let text = String::from_utf8_lossy(text);
        column.push(&from_text(&text, ty)?);
        Ok(())
    }
    pub(crate) fn write_text(column: &Column, row: usize, ty: DataType, out: &mut Vec<u8>) {
        out.extend(to_text(&column.value(row, ty), ty).bytes())
    }
}
