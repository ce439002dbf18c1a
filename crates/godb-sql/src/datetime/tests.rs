//! The calendar there and back, and what is read is what is written.

use super::calendar::{Civil, checked_date, weekday};
use super::{input, interval_input, output};
use crate::value::Interval;
use proptest::prelude::*;

fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn known_days() {
    let days = |year, month, day| Civil { year, month, day }.days();
    assert_eq!(days(1970, 1, 1), 0);
    assert_eq!(days(2000, 3, 1), 11_017);
    assert_eq!(days(-4713, 11, 24), -2_440_588);
    assert_eq!(weekday(days(2013, 1, 31)), 4);
    assert_eq!(
        Civil {
            year: 2021,
            month: 1,
            day: 3
        }
        .iso_week(),
        (2020, 53)
    );
}

#[test]
fn one_moment_written_in_many_ways() {
    let texts = [
        "1999-01-08 04:05:06",
        "1999-01-08T04:05:06",
        "January 8, 1999 04:05:06",
        "1/8/1999 4:05:06 AM",
        "1999-Jan-08 04:05:06",
        "Jan-08-1999 04:05:06",
        "08-Jan-99 04:05:06",
        "19990108 040506",
        "19990108T040506",
        "Fri Jan 8 04:05:06 1999",
        "8 Jan 1999 04:05:06",
    ];
    let expected = input::timestamp(texts[0].as_bytes(), false).unwrap();
    for text in texts {
        assert_eq!(
            input::timestamp(text.as_bytes(), false).unwrap(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn offsets_count_only_with_a_time_zone() {
    let read = |text: &str, zone| {
        shown(|out| output::write_timestamp(input::timestamp(text.as_bytes(), zone).unwrap(), zone, out))
    };
    assert_eq!(read("2020-02-29 12:00:00+02:30", true), "2020-02-29 09:30:00+00");
    assert_eq!(read("2020-02-29 12:00:00+02:30", false), "2020-02-29 12:00:00");
    assert_eq!(read("2020-02-29 12:00 EST", true), "2020-02-29 17:00:00+00");
}

proptest! {
    #[test]
    fn days_come_back(days in -2_440_588_i64..2_000_000_000) {
        let civil = Civil::of_days(days);
        prop_assert!(civil.exists());
        prop_assert_eq!(civil.days(), days);
        prop_assert!(checked_date(days).is_ok());
        let text = shown(|out| output::write_date(days, out));
        prop_assert_eq!(input::date(text.as_bytes()).unwrap(), days, "{}", text);
    }

    #[test]
    fn timestamps_come_back(micros in -210_866_803_200_000_000_i64..i64::MAX, zone: bool) {
        let text = shown(|out| output::write_timestamp(micros, zone, out));
        prop_assert_eq!(input::timestamp(text.as_bytes(), zone).unwrap(), micros, "{}", text);
    }

    #[test]
    fn intervals_come_back(months: i32, days: i32, micros in -i64::MAX..i64::MAX) {
        let value = Interval { months, days, micros };
        let text = shown(|out| output::write_interval(value, out));
        prop_assert_eq!(interval_input::interval(&text).unwrap(), value, "{}", text);
    }

    #[test]
    fn anything_is_read_or_refused(text in "[0-9a-zA-Z :.,/+TZ-]{0,30}") {
        let _ = input::timestamp(text.as_bytes(), true);
        let _ = input::date(text.as_bytes());
        let _ = interval_input::interval(&text);
    }
}
