//! Tests of this folder's files together.

mod foreign_bytes;

use super::*;

#[test]
fn an_address_has_a_limit_as_text_and_as_it_is_asked_for() {
    let start = "http://a.org/".len();
    for (rest, is_page) in [
        ("x".repeat(ADDRESS_LIMIT - start), true),
        ("x".repeat(ADDRESS_LIMIT - start + 1), false),
        ("é".repeat(ADDRESS_LIMIT / 6 - start), true),
        ("é".repeat(ADDRESS_LIMIT / 6), false),
        ("x".repeat(20 << 20), false),
    ] {
        let text = format!("http://a.org/{rest}");
        let mut after_another = address::Addresses::default();
        after_another.read("http://a.org/1").unwrap();
        for read in [page_url(&text), after_another.read(&text)] {
            assert_eq!(read.is_ok(), is_page, "{}", rest.len());
            let message = read.err().unwrap_or("it is longer than 65536 bytes".into());
            assert_eq!(message, "it is longer than 65536 bytes");
        }
    }
}
