//! Texts of users that are nearly correct: durations, sizes, rates, and lists of proxies.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{proxies, values};
use crate::foreign_bytes::{Format, Input, config, within};

fn words() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 9] =
        [b"500ms", b"1.5h", b"30", b"64KiB", b"10MB", b"20/s", b"100/m", b"2%", b"auto"];
    let tokens: &[&[u8]] =
        &[b".", b"e", b"E9", b"+", b"-", b"ms", b"GiB", b"/h", b"%", b"inf", b"nan", b"_", b"none"];
    Format::new(documents, tokens).up_to(512).inputs()
}

fn lists() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 2] = [
        b"\xef\xbb\xbf# ours\r\nhttp://me:pw@a.org:81\r\n\r\nsocks5://[::1]:9050\r\n",
        b"a.org:3128\nhttps://b.org\n",
    ];
    let tokens: &[&[u8]] =
        &[b"\n", b"\r", b"#", b"@", b"://", b"a.org:1\n", b"socks5h://", b"[", b":pw@"];
    Format::new(documents, tokens).inputs()
}

thread_local! {
    /// One directory for the thousands of files that a test writes.
    static DIRECTORY: tempfile::TempDir = tempfile::tempdir().unwrap();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn numbers_with_units(input in words()) {
        let text = input.text();
        within(1024 + 4 * text.len(), || {
            if let Ok(duration) = values::duration(&text) {
                let shown = values::duration_text(duration);
                let again = values::duration(&shown).unwrap();
                // It is shown in milliseconds, and read as a number with a fraction.
                let off = again.abs_diff(duration);
                assert!(off <= Duration::from_millis(1) + duration / (1 << 20), "{shown}");
            }
            assert!(values::limit(&text).is_ok_and(|it| !it.is_zero()) || values::limit(&text).is_err());
            if let Ok(size) = values::size(&text) {
                assert_eq!(values::size(&size.to_string()), Ok(size));
            }
            if let Ok(values::Rate(Some(rate))) = values::rate(&text) {
                assert!(rate.is_finite() && Duration::try_from_secs_f64(1.0 / rate).is_ok());
            }
            drop((values::page_cost(&text), values::workers(&text), values::failure_limit(&text)));
        });
    }

    #[test]
    fn lists_of_proxies(input in lists()) {
        let path = DIRECTORY.with(|directory| directory.path().join("proxies"));
        #[expect(clippy::disallowed_methods, reason = "it is no page")]
        std::fs::write(&path, &*input).unwrap();
        let typed = format!("@{}", path.display());
        // The file, and for each line an address of some 150 bytes with what is known of it.
        let most = 16 * 1024 + 512 * input.len();
        match within(most, || proxies::proxies(Some(&typed), &|_| None)) {
            Ok(read) => prop_assert!(read.iter().len() <= input.len() / 2 + 1),
            Err(error) => prop_assert!(error.message.starts_with("--proxy: ")),
        }
    }
}
