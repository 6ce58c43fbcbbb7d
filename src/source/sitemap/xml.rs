//! Finds the addresses in a sitemap or a feed in XML, which may have faults. Pure.
//!
//! A fault costs at most one entry: whole entries before and after it are read, and the
//! fault is reported with its line. An address is whole when its element is closed.

use quick_xml::events::BytesStart;
use quick_xml::name::NamespaceResolver;
use url::Url;

use super::format::{Space, XmlFormat};
use super::items::{Item, Items};
use super::references::resolve;
use super::tokens::{Token, Tokens};
use crate::message::excerpt;
use crate::source::text::trimmed;

/// Elements may be this deep; sitemaps and feeds need six.
const MAX_DEPTH: usize = 128;

/// The longest base of relative addresses, in bytes: the length that servers should accept (RFC
/// 9110, 4.1). Each address of a feed repeats it, and a feed has many addresses.
const BASE_LIMIT: usize = 8000;

/// The elements of a notice that PHP may print before the document.
const NOTICE: [&str; 2] = ["br", "b"];

/// The contents of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Whether the addresses are those of sitemaps.
    pub(super) is_index: bool,
    /// Addresses and faults, in the order of the document.
    pub(super) items: Vec<Item>,
}

/// Reads the document `text`, which came from `base`.
///
/// # Errors
///
/// What is wrong, when it is not a sitemap or a feed, or has faults and no address.
pub(super) fn read(text: &str, base: &Url) -> Result<Content, String> {
    let mut reading = Reading {
        base,
        names: NamespaceResolver::default(),
        root: None,
        notice: None,
        open: Vec::new(),
        address: None,
        entry: FeedEntry::default(),
        items: Items::new(text),
    };
    let mut tokens = Tokens::new(text);
    loop {
        let (place, token) = tokens.next();
        match token {
            Token::Start(tag) => _ = reading.start(place, &tag)?,
            Token::Empty(tag) => {
                if reading.start(place, &tag)? {
                    reading.end(place, tag.name().as_ref());
                }
            }
            Token::End(name) => reading.end(place, &name),
            Token::Text(text) => reading.push_text(&text, false),
            Token::Literal(text) => reading.push_text(&text, true),
            Token::Fault(why) => reading.add_fault(place, why.into()),
            Token::Over => break,
        }
        if reading.is_closed() {
            reading.report_rest(&mut tokens);
            break;
        }
    }
    reading.finish()
}

struct Reading<'a> {
    base: &'a Url,
    names: NamespaceResolver,
    root: Option<(XmlFormat, Space)>,
    /// The first element of a notice before the document.
    notice: Option<(usize, String)>,
    open: Vec<Open>,
    address: Option<Address>,
    entry: FeedEntry,
    items: Items<'a>,
}

/// An element that is not closed yet.
struct Open {
    place: usize,
    name: String,
    /// Whether it is of another namespace, or in an element of another namespace.
    is_foreign: bool,
    is_entry: bool,
    /// The base of relative addresses in it, when it names one.
    base: Option<Url>,
}

/// The address that is being read, in the innermost element.
struct Address {
    place: usize,
    is_guid: bool,
    text: String,
    /// What is wrong with it.
    fault: Option<String>,
}

/// The addresses of a feed's entry so far.
#[derive(Default)]
struct FeedEntry {
    has_link: bool,
    /// The permanent address, which RSS has instead of a link, or beside a link.
    guid: Option<(usize, String)>,
}

impl Reading<'_> {
    /// Opens an element; false when it is skipped.
    fn start(&mut self, place: usize, tag: &BytesStart<'_>) -> Result<bool, String> {
        let name = tag.name();
        let local = name.local_name();
        // An error means that the library ignores some bindings of this tag. The tag still opens
        // a level, which `pop` ends.
        let _ = self.names.push(tag);
        let space = Space::from(self.names.resolve_element(name).0);
        if self.root.is_none() && NOTICE.contains(&name.as_ref()) {
            self.names.pop();
            self.notice.get_or_insert((place, excerpt(name.as_ref())));
            return Ok(false);
        }
        if self.root.is_none() {
            self.root = Some((XmlFormat::of_root(name)?, space));
            if let Some((place, name)) = &self.notice {
                self.items.push_fault(*place, &format!("<{name}> stands before the document"));
            }
            self.open(place, tag, false, false);
            return Ok(true);
        }
        let Some((format, root)) = &self.root else { return Ok(false) };
        let format = *format;
        // An entry is never in an element of another namespace, unless that was not closed.
        let is_entry = space.belongs_to(root) && local.as_ref() == format.entry();
        let is_in_foreign = !is_entry && self.open.last().is_some_and(|it| it.is_foreign);
        let is_foreign = is_in_foreign || !space.belongs_to(root);
        let is_address = !is_foreign && local.as_ref() == format.address();
        if self.open.len() >= MAX_DEPTH {
            self.names.pop();
            self.add_fault(place, format!("elements are more than {MAX_DEPTH} deep"));
            return Ok(false);
        }
        if let Some(address) = &mut self.address {
            let element = excerpt(name.as_ref());
            address.fault.get_or_insert_with(|| format!("<{element}> begins in the address"));
        }
        if is_entry && let Some(at) = self.open.iter().position(|it| it.is_entry) {
            self.names.pop();
            self.close_down_to(at, false);
            let _ = self.names.push(tag);
        }
        if is_address && let Some(address) = self.address.take() {
            // The element before was not closed.
            self.give_up(address);
        }
        self.open(place, tag, is_foreign, is_entry);
        self.begin_address(place, tag, format, is_address, !is_foreign && local.as_ref() == "guid");
        Ok(true)
    }

    fn open(&mut self, place: usize, tag: &BytesStart<'_>, is_foreign: bool, is_entry: bool) {
        let is_atom = matches!(self.root, Some((XmlFormat::Atom, _)));
        let base = attribute(tag, "xml:base").filter(|_| is_atom);
        let base = base.and_then(|base| self.base().join(trimmed(&base)).ok());
        let base = base.filter(|base| base.as_str().len() <= BASE_LIMIT);
        let name = tag.name().as_ref().to_owned();
        self.open.push(Open { place, name, is_foreign, is_entry, base });
        if is_entry {
            self.entry = FeedEntry::default();
        }
    }

    /// The base of relative addresses at this place (RFC 4287, 2).
    fn base(&self) -> &Url {
        self.open.iter().rev().find_map(|it| it.base.as_ref()).unwrap_or(self.base)
    }

    fn begin_address(
        &mut self,
        place: usize,
        tag: &BytesStart<'_>,
        format: XmlFormat,
        is_address: bool,
        is_guid: bool,
    ) {
        if format.needs_entry() && !self.open.iter().any(|it| it.is_entry) {
            return;
        }
        if format == XmlFormat::Atom {
            if is_address {
                self.atom_link(place, tag);
            }
            return;
        }
        let is_permanent =
            || attribute(tag, "isPermaLink").is_none_or(|it| trimmed(&it) != "false");
        let is_guid = format == XmlFormat::Rss && is_guid && is_permanent();
        if is_address || is_guid {
            self.address = Some(Address { place, is_guid, text: String::new(), fault: None });
        }
    }

    /// The link of an entry to its page (RFC 4287, 4.2.7.2).
    fn atom_link(&mut self, place: usize, tag: &BytesStart<'_>) {
        let relation = attribute(tag, "rel").unwrap_or_default();
        let relation = trimmed(&relation).rsplit('/').next().unwrap_or_default();
        if !relation.is_empty() && !relation.eq_ignore_ascii_case("alternate") {
            return;
        }
        let Some(raw) = attribute(tag, "href") else {
            return self.items.push_fault(place, "<link> has no href that can be read");
        };
        match whole(&raw) {
            Ok((text, note)) => {
                let given = text.len();
                let url = self.base().join(&text);
                let text = url.map_or(text, String::from);
                if text.len() > given.saturating_mul(3) + BASE_LIMIT {
                    let why =
                        format!("a page is left out: its base is longer than {BASE_LIMIT} bytes");
                    return self.items.push_fault(place, &why);
                }
                self.push_address(place, text, note);
            }
            Err(why) => self.items.push_fault(place, &format!("a page is left out: {why}")),
        }
    }

    fn push_text(&mut self, text: &str, is_literal: bool) {
        if let Some(address) = &mut self.address {
            if is_literal {
                // Written as references, because they are resolved together at the end.
                address.text.push_str(&text.replace('&', "&amp;"));
            } else {
                address.text.push_str(text);
            }
        }
    }

    fn end(&mut self, place: usize, name: &str) {
        let Some(at) = self.open.iter().rposition(|it| it.name == name) else {
            if self.root.is_some() {
                self.add_fault(place, format!("</{}> closes nothing", excerpt(name)));
            }
            return;
        };
        self.close_down_to(at, true);
    }

    /// Closes the elements from the innermost one to the one at `at`. That one has an end tag
    /// of its own when `is_closed`; the others have none.
    fn close_down_to(&mut self, at: usize, is_closed: bool) {
        let innermost = self.open.len() - 1;
        if is_closed && at == innermost {
            if let Some(address) = self.address.take() {
                self.push(address);
            }
        } else if let Some(address) = self.address.take() {
            self.give_up(address);
        } else {
            let first = &self.open[if is_closed { at + 1 } else { at }];
            let why = format!("<{}> is not closed", excerpt(&first.name));
            let place = first.place;
            self.items.push_fault(place, &why);
        }
        for open in self.open.drain(at..).rev() {
            self.names.pop();
            if open.is_entry
                && let Some((place, text)) = self.entry.guid.take()
                && !self.entry.has_link
            {
                self.items.push_address(place, text);
            }
        }
    }

    /// Adds the address whose element was closed.
    fn push(&mut self, address: Address) {
        let Address { place, is_guid, text, fault } = address;
        let whole = fault.map_or_else(|| whole(&text), Err);
        match whole {
            Ok((text, _)) if is_guid => {
                // Any text identifies an item; only an address is a page.
                let is_page = text.starts_with("http://") || text.starts_with("https://");
                self.entry.guid = is_page.then_some((place, text));
            }
            Ok((text, _)) if text.is_empty() && self.is_feed() => (),
            Ok((text, note)) => self.push_address(place, text, note),
            Err(_) if is_guid => (),
            Err(why) => self.items.push_fault(place, &format!("a page is left out: {why}")),
        }
    }

    fn push_address(&mut self, place: usize, text: String, note: Option<&str>) {
        if let Some(note) = note {
            self.items.push_fault(place, note);
        }
        self.entry.has_link = true;
        self.items.push_address(place, text);
    }

    /// Drops the address whose element was not closed, because its end is unknown.
    fn give_up(&mut self, address: Address) {
        let name = self.root.as_ref().map_or("loc", |(format, _)| format.address());
        let why = address.fault.unwrap_or_else(|| format!("<{name}> is not closed"));
        if !address.is_guid {
            self.items.push_fault(address.place, &format!("a page is left out: {why}"));
        }
    }

    fn is_feed(&self) -> bool {
        self.root.as_ref().is_some_and(|(format, _)| format.needs_entry())
    }

    /// Adds a fault, or drops the address in which the fault is.
    fn add_fault(&mut self, place: usize, why: String) {
        match &mut self.address {
            Some(address) => _ = address.fault.get_or_insert(why),
            None if self.root.is_some() => self.items.push_fault(place, &why),
            // Text before the document is not part of it.
            None => (),
        }
    }

    /// Adds a fault when entries follow after the end, as with two documents in one file. They are
    /// left out.
    fn report_rest(&mut self, tokens: &mut Tokens<'_>) {
        const ENTRIES: [&str; 8] =
            ["urlset", "sitemapindex", "url", "sitemap", "rss", "feed", "item", "entry"];
        loop {
            let (place, token) = tokens.next();
            match token {
                Token::Start(tag) | Token::Empty(tag)
                    if ENTRIES.contains(&tag.local_name().as_ref()) =>
                {
                    let why = "more follows behind the end of the sitemap, and is left out";
                    return self.items.push_fault(place, why);
                }
                Token::Over => return,
                _ => (),
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.root.is_some() && self.open.is_empty()
    }

    fn finish(mut self) -> Result<Content, String> {
        if let Some(root) = self.open.first() {
            self.items.push_end(&format!("it ends before </{}>", excerpt(&root.name)));
        }
        let Some((format, _)) = self.root else {
            return Err(match self.notice {
                Some((_, name)) => format!("it begins with <{name}>, not <urlset>"),
                None => "it holds no <urlset>".into(),
            });
        };
        Ok(Content { is_index: format == XmlFormat::Index, items: self.items.finish()? })
    }
}

/// Returns the address that `raw` spells, with a note about it, or the reason why it spells none.
fn whole(raw: &str) -> Result<(String, Option<&'static str>), String> {
    let resolved = resolve(trimmed(raw)).map_err(|why| why.to_string())?;
    let text = trimmed(&resolved.text);
    if text.contains('\u{fffd}') {
        return Err(format!("{:?} holds bytes that stand for no character", excerpt(text)));
    }
    let note = resolved.has_bare.then_some("an & in an address is read as it stands");
    Ok((text.to_owned(), note))
}

/// Returns the value of the attribute `name`, as it is written.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    attributes
        .with_checks(false)
        .map_while(Result::ok)
        .find(|it| it.key.as_ref() == name)
        .map(|it| it.value.into_owned())
}
