//! Baselines and gates, nearly well written.

use proptest::prelude::*;

use crate::compare::baseline::{self, Change};
use crate::compare::gate::Gate;
use crate::compare::results::tests::results;
use crate::compare::results::{Machine, Results, RunTask, Site};
use crate::foreign_bytes::{Format, Input, config, within};

fn then() -> Results {
    let mut then =
        results(&[("sequential@1", &[2.5, 2.4, 2.6]), ("threads@16", &[0.25, 0.26, 0.24])]);
    then.task.site = Some(Site { latency_ms: 10.0, cpu_per_page_ms: 0.5, bandwidth: Some(1) });
    then.task.pages_sha256 = Some("0123456789abcdef".repeat(4));
    then
}

fn baselines() -> impl Strategy<Value = Input> {
    let tokens: &[&[u8]] = &[
        b"\"v\":2,",
        b"null",
        b"\"\"",
        b"\xc3\xa9",
        b"\\u0000",
        b"\\ud800",
        b"[",
        b"{",
        b"]",
        b"}",
        b",",
        b"-0.0",
        b"1e308",
        b"1e-320",
        b"{\"mode\":\"threads\",\"workers\":16},",
        b"4294967295",
    ];
    let document = serde_json::to_vec(&then()).unwrap();
    Format::new([document], tokens).inputs()
}

fn gates() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 4] = [
        b"threads@16 <= 0.5 * sequential",
        b"cpu async@64<=1.5s",
        b"memory rayon <= 64MiB",
        b"time hybrid@8 <= 1.1*baseline",
    ];
    let tokens: &[&[u8]] =
        &[b"<=", b"@", b"*", b"baseline", b"threads", b"memory ", b"ms", b"MB", b"nan", b".", b" "];
    Format::new(documents, tokens).up_to(512).inputs()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn texts_of_earlier_comparisons(text in "[a-f0-9é國\u{202e}]{0,40}") {
        let mut then = then();
        then.task = RunTask { pages_sha256: Some(text.clone()), source: text.clone(), ..then.task };
        then.machine = Machine { cpu: text.clone(), system: text, ..then.machine };
        let read = baseline::parse(&serde_json::to_vec(&then).unwrap()).unwrap();
        prop_assert_eq!(&read, &then);
        let now = self::then();
        drop(baseline::check_same_plan(&now.task, &now.design, &read));
        drop(baseline::machine_warning(&now.machine, &read.machine));
    }

    #[test]
    fn earlier_comparisons(input in baselines(), is_compared in 0..32_u8) {
        let now = then();
        // An empty object cannot become a sample of 300 bytes: a sample's members are
        // required. A text in a list grows most: three bytes of input (`"",`) take 24 bytes
        // of memory, in a block that is copied as it grows.
        let most = 64 * 1024 + 72 * input.len();
        let Ok(then) = within(most, || baseline::parse(&input)) else { return Ok(()) };
        within(most, || {
            drop(baseline::check_same_plan(&now.task, &now.design, &then));
            drop(baseline::machine_warning(&now.machine, &then.machine));
        });
        // Ten thousand resamples take their time.
        if is_compared == 0 {
            let changes = within(most + 512 * 1024, || baseline::compare(&now, &then));
            prop_assert!(changes.len() <= now.design.contenders.len());
            prop_assert!(changes.iter().map(Change::to_string).all(|words| !words.is_empty()));
        }
    }

    #[test]
    fn gates_as_people_write_them(input in gates()) {
        let text = input.text();
        // A token of one character takes 32 bytes, in a list that grows.
        if let Ok(gate) = within(4 * 1024 + 128 * text.len(), || text.parse::<Gate>()) {
            prop_assert_eq!(gate.text(), text.trim());
            prop_assert_eq!(gate.text().parse::<Gate>().unwrap(), gate);
        }
    }
}
