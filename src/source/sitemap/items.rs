//! The addresses and faults of a document, each with its line.

/// At most this many faults of one document are reported one by one.
const MAX_FAULTS: u64 = 20;

/// An address or a fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A text in the place of an address.
    Address {
        /// Its line, counted from 1.
        line: u64,
        /// The text, its references resolved.
        text: String,
    },
    /// What is wrong at a place, with its line.
    Fault(String),
}

/// Items in the order in which they are found.
pub(super) struct Items<'a> {
    text: &'a str,
    found: Vec<Item>,
    faults: u64,
    has_address: bool,
    /// The last place whose line was counted, and the number of that line.
    last: (usize, u64),
}

impl<'a> Items<'a> {
    /// No items yet of the document `text`.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new(), faults: 0, has_address: false, last: (0, 1) }
    }

    /// Adds the address `text`, whose element begins at `place`.
    pub(super) fn push_address(&mut self, place: usize, text: String) {
        self.has_address = true;
        let line = self.line(place);
        self.found.push(Item::Address { line, text });
    }

    /// Adds what is wrong at `place`. Beyond a limit, faults are only counted.
    pub(super) fn push_fault(&mut self, place: usize, why: &str) {
        self.faults += 1;
        if self.faults <= MAX_FAULTS {
            let line = self.line(place);
            self.found.push(Item::Fault(format!("line {line}: {why}")));
        }
    }

    /// Adds what is wrong at the end: its place is the last line that is not blank.
    pub(super) fn push_end(&mut self, why: &str) {
        self.push_fault(self.text.trim_end().len(), why);
    }

    /// Returns all items.
    ///
    /// # Errors
    ///
    /// The first fault, when there are faults and no address.
    pub(super) fn finish(mut self) -> Result<Vec<Item>, String> {
        if self.faults > MAX_FAULTS {
            let more = self.faults - MAX_FAULTS;
            self.found.push(Item::Fault(format!("{more} more places are broken")));
        }
        let first = self.found.first().filter(|_| !self.has_address);
        if let Some(Item::Fault(why)) = first { Err(why.clone()) } else { Ok(self.found) }
    }

    /// The number of the line of `place`; lines end with LF, CR LF or CR (XML 1.0, 2.11).
    fn line(&mut self, place: usize) -> u64 {
        let bytes = self.text.as_bytes();
        // A fault may be found after the place where it begins. Such steps back are few.
        let (from, number) = if place < self.last.0 { (0, 1) } else { self.last };
        let passed = &bytes[from..place.min(bytes.len())];
        let ends = memchr::memchr2_iter(b'\n', b'\r', passed).filter(|at| {
            let behind = bytes.get(from + at + 1);
            passed[*at] == b'\n' || behind != Some(&b'\n')
        });
        let number = number + ends.count() as u64;
        self.last = self.last.max((place.min(bytes.len()), number));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_their_ends_and_the_order() {
        let text = "a\nb\r\nc\rd\r\re";
        let mut items = Items::new(text);
        for (place, line) in
            [(0, 1), (2, 2), (4, 2), (5, 3), (7, 4), (9, 5), (10, 6), (2, 2), (10, 6), (99, 6)]
        {
            assert_eq!(items.line(place), line, "{place}");
        }
    }
}
