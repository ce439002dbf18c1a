//! What execution needs of the expression library, until that is there.
pub mod eval {
    use crate::{context::Evaluating, error::*, expr::*, types::DataType, value::*, vector::*};
    use std::cmp::Ordering;
    use std::sync::Arc;
    type E<'a> = Evaluating<'a>;
    pub(crate) fn evaluate(e: &Expr, b: &Batch, ev: &E<'_>) -> Result<Arc<Column>> {
        if let Expr::Column(at, _) = e {
            return Ok(b.columns[*at as usize].clone());
        }
        let mut out = Column::empty(e.data_type());
        for row in 0..b.rows {
            out.push(&value(e, b, row, ev)?);
        }
        Ok(Arc::new(out))
    }
    pub(crate) fn select(e: &Expr, b: &Batch, ev: &E<'_>) -> Result<Vec<u32>> {
        let c = evaluate(e, b, ev)?;
        let ColumnData::Bool(v) = &c.data else { panic!() };
        Ok((0..b.rows)
            .filter(|r| v[*r] && !c.is_null(*r))
            .map(|r| r as u32)
            .collect())
    }
    pub(crate) fn cmp(a: &Value, b: &Value) -> Ordering {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Numeric(a), Value::Numeric(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.trim_end().cmp(b.trim_end()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            _ => panic!("{a:?} {b:?}"),
        }
    }
    fn truth(v: &Value) -> Option<bool> {
        match v {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }
    fn tv(v: Option<bool>) -> Value {
        v.map_or(Value::Null, Value::Bool)
    }
    fn call(name: &str, a: &[Value]) -> Result<Value> {
        if a.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        let c = || cmp(&a[0], &a[1]);
        Ok(match name {
            "=" => Value::Bool(c().is_eq()),
            "<>" => Value::Bool(c().is_ne()),
            "<" => Value::Bool(c().is_lt()),
            "<=" => Value::Bool(c().is_le()),
            ">" => Value::Bool(c().is_gt()),
            ">=" => Value::Bool(c().is_ge()),
            "<_row" => Value::Bool(c().is_lt()),
            "||" => match (&a[0], &a[1]) {
                (Value::Text(a), Value::Text(b)) => Value::Text(format!("{a}{b}")),
                _ => panic!(),
            },
            "~~" => match (&a[0], &a[1]) {
                (Value::Text(a), Value::Text(b)) => Value::Bool(if let Some(p) = b.strip_suffix('%') {
                    a.starts_with(p)
                } else if let Some(p) = b.strip_prefix('%') {
                    a.ends_with(p)
                } else {
                    a == b
                }),
                _ => panic!(),
            },
            "+" | "-" | "*" | "/" | "%" => match (&a[0], a.get(1)) {
                (Value::Int(a), None) => Value::Int(-a),
                (Value::Numeric(a), None) => Value::Numeric(-a.clone()),
                (Value::Int(a), Some(Value::Int(b))) => Value::Int(match name {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    _ if *b == 0 => return Err(SqlError::new(state::DIVISION_BY_ZERO, "division by zero")),
                    "/" => a / b,
                    _ => a % b,
                }),
                (Value::Numeric(a), Some(Value::Numeric(b))) => Value::Numeric(match name {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    _ => (a / b).with_scale(16),
                }),
                (Value::Float(a), Some(Value::Float(b))) => Value::Float(match name {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    _ => a / b,
                }),
                _ => panic!("{name} {a:?}"),
            },
            other => return Err(SqlError::unsupported(other)),
        })
    }
    fn cast(v: Value, from: DataType, to: DataType) -> Result<Value> {
        use crate::types::Physical as P;
        Ok(match (v, to.physical()) {
            (Value::Null, _) => Value::Null,
            (Value::Int(n), P::Numeric) => Value::Numeric(n.into()),
            (Value::Int(n), P::Float) => Value::Float(n as f64),
            (Value::Numeric(n), P::Float) => Value::Float(n.to_string().parse().unwrap()),
            (Value::Numeric(n), P::Numeric) => Value::Numeric(if let DataType::Numeric(Some((_, s))) = to {
                n.with_scale_round(i64::from(s), bigdecimal::RoundingMode::HalfUp)
            } else {
                n
            }),
            (Value::Int(n), P::Int) => {
                if to == DataType::Int4 && i32::try_from(n).is_err() {
                    return Err(SqlError::new(
                        state::NUMERIC_VALUE_OUT_OF_RANGE,
                        "integer out of range",
                    ));
                }
                Value::Int(n)
            }
            (Value::Text(t), P::Bytes) => {
                if let DataType::Varchar(Some(n)) = to {
                    if t.len() > n as usize {
                        return Err(SqlError::new(state::STRING_DATA_RIGHT_TRUNCATION, "too long"));
                    }
                }
                Value::Text(t)
            }
            (Value::Text(t), _) => crate::standin::text::from_text(&t, to)?,
            (v, P::Bytes) => Value::Text(super::text::to_text(&v, from)),
            (v, _) => v,
        })
    }
    fn value(e: &Expr, b: &Batch, row: usize, ev: &E<'_>) -> Result<Value> {
        let v = |e: &Expr| value(e, b, row, ev);
        Ok(match e {
            Expr::Literal(v, _) => v.clone(),
            Expr::Column(at, ty) => b.columns[*at as usize].value(row, *ty),
            Expr::Outer(at, _) => ev.outer[*at as usize].clone(),
            Expr::Parameter(at, _) => ev.parameters[*at as usize].clone(),
            Expr::Call { function, args, .. } => {
                call(function.name, &args.iter().map(v).collect::<Result<Vec<_>>>()?)?
            }
            Expr::Cast { expr, to, .. } => cast(v(expr)?, expr.data_type(), *to)?,
            Expr::And(args) => {
                let t = args.iter().map(v).collect::<Result<Vec<_>>>()?;
                if t.iter().any(|t| truth(t) == Some(false)) {
                    Value::Bool(false)
                } else {
                    tv(t.iter().all(|t| truth(t).is_some()).then_some(true))
                }
            }
            Expr::Or(args) => {
                let t = args.iter().map(v).collect::<Result<Vec<_>>>()?;
                if t.iter().any(|t| truth(t) == Some(true)) {
                    Value::Bool(true)
                } else {
                    tv(t.iter().all(|t| truth(t).is_some()).then_some(false))
                }
            }
            Expr::Not(a) => tv(truth(&v(a)?).map(|t| !t)),
            Expr::IsNull(a, not) => Value::Bool(v(a)?.is_null() != *not),
            Expr::NotDistinct(a, c) => {
                let (a, c) = (v(a)?, v(c)?);
                Value::Bool(if a.is_null() || c.is_null() {
                    a.is_null() && c.is_null()
                } else {
                    cmp(&a, &c).is_eq()
                })
            }
            Expr::Case {
                branches, otherwise, ..
            } => {
                for (w, t) in branches {
                    if truth(&v(w)?) == Some(true) {
                        return v(t);
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Null), |o| v(o))?
            }
            Expr::Coalesce(args, _) => {
                for a in args {
                    let a = v(a)?;
                    if !a.is_null() {
                        return Ok(a);
                    }
                }
                Value::Null
            }
            Expr::InList { expr, list, negated } => {
                let x = v(expr)?;
                if x.is_null() {
                    return Ok(Value::Null);
                }
                let mut null = false;
                for l in list {
                    let l = v(l)?;
                    if l.is_null() {
                        null = true
                    } else if cmp(&x, &l).is_eq() {
                        return Ok(Value::Bool(!negated));
                    }
                }
                if null { Value::Null } else { Value::Bool(*negated) }
            }
            Expr::Subquery(s) => {
                let outer = s.outer.iter().map(v).collect::<Result<Vec<_>>>()?;
                match &s.asking {
                    Asking::Exists { negated } => {
                        Value::Bool(ev.subqueries.exists(s.plan, &outer)? != *negated)
                    }
                    Asking::Value(_) => {
                        let (c, ty) = ev.subqueries.column(s.plan, &outer)?;
                        match c.len() {
                            0 => Value::Null,
                            1 => c.value(0, ty),
                            _ => {
                                return Err(SqlError::new(
                                    state::CARDINALITY_VIOLATION,
                                    "more than one row returned by a subquery used as an expression",
                                ));
                            }
                        }
                    }
                    Asking::Any { left, compare } | Asking::All { left, compare } => {
                        let all = matches!(s.asking, Asking::All { .. });
                        let (c, ty) = ev.subqueries.column(s.plan, &outer)?;
                        let l = v(left)?;
                        let mut null = false;
                        for r in 0..c.len() {
                            match truth(&call(compare.name, &[l.clone(), c.value(r, ty)])?) {
                                None => null = true,
                                Some(t) => {
                                    if t != all {
                                        return Ok(Value::Bool(t));
                                    }
                                }
                            }
                        }
                        if null { Value::Null } else { Value::Bool(all) }
                    }
                }
            }
        })
    }
    pub(crate) struct Acc {
        pub(crate) name: &'static str,
        pub(crate) returns: DataType,
        pub(crate) takes: Vec<DataType>,
        pub(crate) v: Vec<Vec<Vec<Value>>>,
    }
    impl crate::functions::Accumulator for Acc {
        fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
            self.v.resize_with(count.max(self.v.len()), Vec::new);
            for (row, g) in groups.iter().enumerate() {
                self.v[*g as usize].push(
                    args.iter()
                        .zip(&self.takes)
                        .map(|(a, t)| a.value(row, *t))
                        .collect(),
                );
            }
            Ok(())
        }
        fn finish(&mut self, count: usize) -> Result<Column> {
            self.v.resize_with(count, Vec::new);
            let mut out = Column::empty(self.returns);
            for g in &self.v {
                if self.takes.is_empty() {
                    out.push(&Value::Int(g.len() as i64));
                    continue;
                }
                let some: Vec<_> = g.iter().filter(|r| !r[0].is_null()).collect();
                let fold = |op: &str| -> Result<Value> {
                    let mut it = some.iter().map(|r| r[0].clone());
                    let Some(mut a) = it.next() else {
                        return Ok(Value::Null);
                    };
                    for b in it {
                        a = call(op, &[a, b])?;
                    }
                    Ok(a)
                };
                let v = match self.name {
                    "count" => Value::Int(some.len() as i64),
                    "sum" => cast(fold("+")?, self.takes[0], self.returns)?,
                    "min" => some
                        .iter()
                        .map(|r| r[0].clone())
                        .min_by(cmp)
                        .unwrap_or(Value::Null),
                    "max" => some
                        .iter()
                        .map(|r| r[0].clone())
                        .max_by(cmp)
                        .unwrap_or(Value::Null),
                    "avg" => call(
                        "/",
                        &[
                            cast(fold("+")?, self.takes[0], self.returns)?,
                            cast(Value::Int(some.len() as i64), DataType::Int8, self.returns)?,
                        ],
                    )?,
                    "string_agg" => {
                        if some.is_empty() {
                            Value::Null
                        } else {
                            let mut s = String::new();
                            for (i, r) in some.iter().enumerate() {
                                if i > 0 {
                                    if let Value::Text(t) = &r[1] {
                                        s += t
                                    }
                                }
                                if let Value::Text(t) = &r[0] {
                                    s += t
                                }
                            }
                            Value::Text(s)
                        }
                    }
                    other => return Err(SqlError::unsupported(other)),
                };
                out.push(&v);
            }
            Ok(out)
        }
        fn memory(&self) -> usize {
            self.v.len() * 50
        }
    }
}
impl crate::Interval {
    pub(crate) fn after(self, _: i64) -> crate::Result<i64> {
        Err(crate::SqlError::unsupported("a series of times"))
    }
}
pub mod text {
    pub(crate) use crate::standin::text::from_text;
    use crate::vector::Column;
    use crate::*;
    pub(crate) fn to_text(v: &Value, _: DataType) -> String {
        match v {
            Value::Int(n) => n.to_string(),
            Value::Text(t) => t.clone(),
            Value::Numeric(n) => n.to_plain_string(),
            Value::Float(n) => n.to_string(),
            Value::Bool(b) => {
                if *b {
                    "t".into()
                } else {
                    "f".into()
                }
            }
            v => format!("{v:?}"),
        }
    }
    pub(crate) fn push_text(column: &mut Column, text: &[u8], ty: DataType) -> Result<()> {
        column.push(&from_text(&String::from_utf8_lossy(text), ty)?);
        Ok(())
    }
    pub(crate) fn write_text(column: &Column, row: usize, ty: DataType, out: &mut Vec<u8>) {
        out.extend(to_text(&column.value(row, ty), ty).bytes());
    }
}
