//! Decimals against PostgreSQL's answers and against the laws of arithmetic.

use super::*;
use proptest::prelude::*;

fn n(text: &str) -> Numeric {
    text.parse().unwrap()
}

#[test]
fn shows_its_scale_and_equals_by_value() {
    for text in [
        "0",
        "0.00",
        "1.50",
        "-0.05",
        "123456789012345678901234567890.10",
        "-9223372036854775808",
    ] {
        assert_eq!(n(text).to_string(), text);
    }
    assert_eq!(n("1.0"), n("1.000000000000000000000000"));
    assert_eq!(n("1e3").to_string(), "1000");
    assert_eq!(n("15e-1").to_string(), "1.5");
}

#[test]
fn quotients_have_sixteen_significant_digits() {
    let divide = |a: &str, b: &str| n(a).divide(&n(b)).unwrap().to_string();
    assert_eq!(divide("1", "3"), "0.33333333333333333333");
    assert_eq!(divide("10", "4"), "2.5000000000000000");
    assert_eq!(divide("2", "0.0003"), "6666.6666666666666667");
    assert_eq!(divide("100000000000000000000", "7"), "14285714285714285714");
}

#[test]
fn halves_round_away_from_zero() {
    assert_eq!(n("2.5").round(0).to_string(), "3");
    assert_eq!(n("-2.5").round(0).to_string(), "-3");
    assert_eq!(n("1250").round(-2).to_string(), "1300");
    assert_eq!(n("1.5").round(3).to_string(), "1.500");
    assert_eq!(n("-1.5").floor().to_string(), "-2");
    assert_eq!(n("-1.5").ceil().to_string(), "-1");
}

fn decimal() -> impl Strategy<Value = Numeric> {
    prop_oneof![
        (any::<i64>(), 0..30_i64).prop_map(|(m, s)| Numeric::new(m.into(), s)),
        (-1000..1000_i64, 0..6_i64).prop_map(|(m, s)| Numeric::new(m.into(), s)),
        (any::<i128>(), 0..40_i64).prop_map(|(m, s)| Numeric::new(m.into(), s)),
    ]
}

proptest! {
    #[test]
    fn text_comes_back(value in decimal()) {
        let text = value.to_string();
        let back = n(&text);
        prop_assert_eq!(back.to_string(), text);
        prop_assert_eq!(back, value);
    }

    #[test]
    fn what_is_added_can_be_taken_away(a in decimal(), b in decimal()) {
        prop_assert_eq!(&(&a + &b) - &b, a);
    }

    #[test]
    fn a_quotient_and_its_rest_make_the_dividend(a in decimal(), b in decimal()) {
        prop_assume!(!b.is_zero());
        let whole = a.divide_whole(&b).unwrap();
        let rest = a.remainder(&b).unwrap();
        prop_assert_eq!(&(&whole * &b) + &rest, a);
        prop_assert!(rest.abs() < b.abs());
    }

    #[test]
    fn order_agrees_with_the_difference_and_with_the_hash(a in decimal(), b in decimal()) {
        prop_assert_eq!(a.cmp(&b), (&a - &b).sign());
        let longer = a.round(i64::from(a.scale()) + 25);
        prop_assert_eq!(&longer, &a);
        let hash = |value: &Numeric| {
            let mut hasher = std::hash::DefaultHasher::new();
            value.hash(&mut hasher);
            hasher.finish()
        };
        prop_assert_eq!(hash(&longer), hash(&a));
    }

    #[test]
    fn a_root_squared_is_near(a in decimal()) {
        let a = a.abs();
        prop_assume!(!a.is_zero());
        let root = a.sqrt().unwrap();
        let error = (&(&root * &root) - &a).abs();
        prop_assert!(error <= (&root + &Numeric::from(1)).divide_at(&n("1"), 20).unwrap());
    }
}
