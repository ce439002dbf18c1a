//! Random tables and queries, for comparing databases.

pub(crate) mod queries;
mod values;

use crate::types::DataType;

/// A source of random choices.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same choices.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// One of some things.
    pub fn of<T: Copy>(&mut self, items: &[T]) -> T {
        let index = self.roll(items.len() as u64);
        items[usize::try_from(index).expect("it is below a length")]
    }
}

/// Statements that make the tables which [`query`] asks about, with random rows.
#[must_use]
pub fn tables(dice: &mut Dice) -> Vec<String> {
    let mut statements: Vec<String> = [
        "CREATE TABLE heap (a int, b int, x float8)",
        "CREATE TABLE orders (id int PRIMARY KEY, customer int, note varchar(20))",
        "CREATE TABLE lines (order_id int, number int, item text, PRIMARY KEY (order_id, number))",
        "CREATE INDEX orders_customer ON orders (customer DESC)",
    ]
    .map(str::to_owned)
    .to_vec();
    let small = |dice: &mut Dice| match dice.roll(6) {
        0 => "NULL".to_owned(),
        _ => dice.roll(8).to_string(),
    };
    for _ in 0..dice.roll(30) {
        let (a, b) = (small(dice), small(dice));
        statements.push(format!("INSERT INTO heap VALUES ({a}, {b}, {}.5)", dice.roll(9)));
    }
    for id in 0..dice.roll(12) {
        let customer = small(dice);
        statements.push(format!(
            "INSERT INTO orders VALUES ({id}, {customer}, 'note {}')",
            dice.roll(3)
        ));
        for number in 0..dice.roll(4) {
            statements.push(format!(
                "INSERT INTO lines VALUES ({id}, {number}, 'item {}')",
                dice.roll(5)
            ));
        }
    }
    statements.extend(values::table(dice));
    statements
}

/// A random query: of relational algebra over small integers, or of one expression over values of all types.
pub fn query(dice: &mut Dice) -> String {
    if dice.roll(3) == 0 {
        queries::query(dice, 0, None).replace("$1", "2")
    } else {
        values::query(dice)
    }
}

/// The types of the columns of the table `all_types`.
const TYPES: &[(&str, DataType)] = &[
    ("i2", DataType::Int2),
    ("i4", DataType::Int4),
    ("i8", DataType::Int8),
    ("n", DataType::Numeric(None)),
    ("n2", DataType::Numeric(Some((8, 2)))),
    ("f4", DataType::Float4),
    ("f8", DataType::Float8),
    ("t", DataType::Text),
    ("v", DataType::Varchar(Some(6))),
    ("c", DataType::Char(4)),
    ("b", DataType::Bool),
    ("d", DataType::Date),
    ("ts", DataType::Timestamp),
    ("tz", DataType::TimestampTz),
    ("iv", DataType::Interval),
    ("by", DataType::Bytea),
];
