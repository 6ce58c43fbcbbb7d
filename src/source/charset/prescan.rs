//! Finds the charset that the first bytes of a page name, without parsing the page
//! (HTML Living Standard, 13.2.3.2, "prescan a byte stream to determine its encoding").
//!
//! The scan knows only comments, tags and attributes: a `meta` element in the
//! text of a script counts, as in the standard.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::as_meta_means;

/// Returns the encoding that the beginning of a page names: in a `meta` element, or else in an XML
/// declaration. An element that `head` cuts off does not count.
pub(super) fn prescan(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [b'<', 0, b'?', 0, b'x', 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => Some(UTF_16BE),
        _ => named_by_meta(head).ok().or_else(|| named_by_declaration(head)),
    }
}

/// Returns the encoding that the value of a `content` attribute names (HTML Living Standard,
/// 2.5.6, "extracting a character encoding from a meta element").
pub(crate) fn named_in_content(content: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"charset";
    let content = content.to_ascii_lowercase();
    let mut rest = &content[..];
    let value = loop {
        let start = memchr::memmem::find(rest, NAME)? + NAME.len();
        rest = rest[start..].trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            break value.trim_ascii_start();
        }
    };
    let label = if let [quote @ (b'"' | b'\''), rest @ ..] = value {
        &rest[..memchr::memchr(*quote, rest)?]
    } else {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
        &value[..value.iter().position(ends).unwrap_or(value.len())]
    };
    Encoding::for_label(label)
}

/// Goes from `<` to `<` until a `meta` element names an encoding.
fn named_by_meta(head: &[u8]) -> Result<&'static Encoding, Ended> {
    let mut scan = Scan(head);
    loop {
        scan.go_to(|byte| byte == b'<')?;
        match scan.0 {
            // The two dashes of the start may also be those of the end.
            [_, b'!', b'-', b'-', ..] => {
                let end = memchr::memmem::find(&scan.0[2..], b"-->").ok_or(Ended)?;
                scan.0 = &scan.0[end + 4..];
            }
            [_, m, e, t, a, space, ..]
                if [*m, *e, *t, *a].eq_ignore_ascii_case(b"meta")
                    && (space.is_ascii_whitespace() || *space == b'/') =>
            {
                scan.0 = &scan.0[5..];
                if let Some(encoding) = scan.meta()? {
                    return Ok(encoding);
                }
            }
            [_, letter, ..] | [_, b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                scan.go_to(|byte| byte.is_ascii_whitespace() || byte == b'>')?;
                while scan.attribute()?.is_some() {}
            }
            [_, b'!' | b'/' | b'?', ..] => scan.go_to(|byte| byte == b'>')?,
            _ => (),
        }
        scan.0 = scan.0.get(1..).ok_or(Ended)?;
    }
}

/// Returns the encoding that an XML declaration names (HTML Living Standard, 13.2.3.2, "get an
/// XML encoding").
pub(super) fn named_by_declaration(head: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"encoding";
    // Every control character counts as a space here.
    fn trim(bytes: &[u8]) -> &[u8] {
        &bytes[bytes.iter().position(|byte| *byte > b' ').unwrap_or(bytes.len())..]
    }
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', declaration)?;
    let start = memchr::memmem::find(&declaration[..end], NAME)? + NAME.len();
    let value = trim(trim(&declaration[start..]).strip_prefix(b"=")?);
    let (quote, rest) = value.split_first().filter(|(quote, _)| b"\"'".contains(quote))?;
    let label = &rest[..memchr::memchr(*quote, rest)?];
    let is_one_word = label.iter().all(|byte| *byte > b' ');
    is_one_word.then(|| Encoding::for_label(label)).flatten().map(as_meta_means)
}

/// The bytes ended too early.
struct Ended;

/// The bytes that are still to be scanned.
struct Scan<'a>(&'a [u8]);

/// The name and the value of an attribute, in lower case.
type Attribute = (Vec<u8>, Vec<u8>);

impl Scan<'_> {
    fn next(&self) -> Result<u8, Ended> {
        self.0.first().copied().ok_or(Ended)
    }

    /// Consumes the next byte, and returns it in lower case.
    fn take(&mut self) -> Result<u8, Ended> {
        let (first, rest) = self.0.split_first().ok_or(Ended)?;
        self.0 = rest;
        Ok(first.to_ascii_lowercase())
    }

    fn go_to(&mut self, is_there: impl Fn(u8) -> bool) -> Result<(), Ended> {
        let at = self.0.iter().position(|byte| is_there(*byte)).ok_or(Ended)?;
        self.0 = &self.0[at..];
        Ok(())
    }

    /// Returns the encoding that the `meta` element names whose attributes follow.
    fn meta(&mut self) -> Result<Option<&'static Encoding>, Ended> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut is_content_type = false;
        let mut needs_content_type = false;
        let mut charset = None;
        while let Some((name, value)) = self.attribute()? {
            if names.contains(&name) {
                continue;
            }
            match &name[..] {
                b"http-equiv" => is_content_type = value == b"content-type",
                b"content" if charset.is_none() => {
                    charset = named_in_content(&value);
                    needs_content_type = charset.is_some();
                }
                b"charset" => {
                    charset = Encoding::for_label(&value);
                    needs_content_type = false;
                }
                _ => (),
            }
            names.push(name);
        }
        Ok(charset.filter(|_| is_content_type || !needs_content_type).map(as_meta_means))
    }

    /// Returns the next attribute of a tag; `None` at its `>` ("get an attribute").
    fn attribute(&mut self) -> Result<Option<Attribute>, Ended> {
        self.go_to(|byte| !byte.is_ascii_whitespace() && byte != b'/')?;
        if self.next()? == b'>' {
            return Ok(None);
        }
        // An `=` may begin a name, but it ends a name that has begun.
        let mut name = vec![self.take()?];
        loop {
            match self.next()? {
                b'/' | b'>' => return Ok(Some((name, Vec::new()))),
                byte if byte == b'=' || byte.is_ascii_whitespace() => break,
                _ => name.push(self.take()?),
            }
        }
        self.go_to(|byte| !byte.is_ascii_whitespace())?;
        if self.next()? != b'=' {
            return Ok(Some((name, Vec::new())));
        }
        self.take()?;
        Ok(Some((name, self.value()?)))
    }

    fn value(&mut self) -> Result<Vec<u8>, Ended> {
        self.go_to(|byte| !byte.is_ascii_whitespace())?;
        let quote = Some(self.next()?).filter(|byte| b"\"'".contains(byte));
        if quote.is_some() {
            self.take()?;
        }
        let start = self.0;
        self.go_to(|byte| match quote {
            Some(quote) => byte == quote,
            None => byte == b'>' || byte.is_ascii_whitespace(),
        })?;
        let value = start[..start.len() - self.0.len()].to_ascii_lowercase();
        if quote.is_some() {
            self.take()?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(head: &[u8]) -> &'static str {
        prescan(head).map_or("none", Encoding::name)
    }

    #[test]
    fn a_meta_element_names_the_charset() {
        for (head, wanted) in [
            ("<meta charset=koi8-r>", "KOI8-R"),
            ("<META/CHARSET = \"\n koi8-r \">", "KOI8-R"),
            ("<meta <meta charset='koi8-r'>", "KOI8-R"),
            ("<meta\" charset=koi8-r>", "none"),
            ("<meta \" charset=koi8-r>", "KOI8-R"),
            ("<meta =charset=koi8-r charset=big5>", "Big5"),
            ("<meta charset=koi8-r charset=big5>", "KOI8-R"),
            ("<meta charset=koi8-r/>", "none"),
            ("<meta charset=koi8-r />", "KOI8-R"),
            ("<meta charset>", "none"),
            ("<metacharset=koi8-r>", "none"),
            ("<meta charset=nonsense><meta charset=koi8-r>", "KOI8-R"),
            ("<meta name=x content='charset=koi8-r'>", "none"),
            ("<meta http-equiv=Content-Type content='text/html;charset=koi8-r'>", "KOI8-R"),
            ("<meta content='text/html; CHARSET = \"koi8-r\"' http-equiv=content-type>", "KOI8-R"),
            ("<meta http-equiv='content-type ' content='charset=koi8-r'>", "none"),
            ("<meta http-equiv=content-type content='x' charset=koi8-r>", "KOI8-R"),
            ("<meta http-equiv=refresh content='0;url=?charset=big5' charset=koi8-r>", "KOI8-R"),
            ("<meta charset=utf-16>", "UTF-8"),
            ("<meta charset=utf-16be>", "UTF-8"),
            ("<meta charset=x-user-defined>", "windows-1252"),
        ] {
            assert_eq!(named(head.as_bytes()), wanted, "{head}");
        }
    }

    #[test]
    fn what_is_no_meta_element_names_nothing() {
        for (head, wanted) in [
            ("<!-- <meta charset=koi8-r> -->", "none"),
            ("<!--><meta charset=koi8-r>", "KOI8-R"),
            ("<!-- - -- > <meta charset=big5> --><meta charset=koi8-r>", "KOI8-R"),
            ("<script charset=koi8-r src=x></script>", "none"),
            ("<script>var charset = 'koi8-r'; a = '?charset=big5'</script>", "none"),
            ("<a title='<meta charset=koi8-r>'>", "none"),
            ("</p title='<meta charset=big5>'><meta charset=koi8-r>", "KOI8-R"),
            ("<link href='?charset=koi8-r'><a charset=koi8-r>charset=koi8-r", "none"),
            ("<!doctype meta charset=big5><?meta charset=big5?></ meta charset=big5>", "none"),
            ("<meta charset=koi8-r", "none"),
            ("<meta charset='koi8-r>", "none"),
            ("<", "none"),
            ("<!", "none"),
            ("<!--", "none"),
            ("", "none"),
        ] {
            assert_eq!(named(head.as_bytes()), wanted, "{head}");
        }
    }

    #[test]
    fn an_xml_declaration_names_it_when_no_meta_element_does() {
        for (head, wanted) in [
            (&b"<?xml version='1.0' encoding='koi8-r'?><html>"[..], "KOI8-R"),
            (b"<?xml encoding\x01=\x01\"koi8-r\"?>", "KOI8-R"),
            (b"<?xml encoding='koi8-r'?><meta charset=big5>", "Big5"),
            (b"<?xml encoding='koi8-r'?><meta charset=bi", "KOI8-R"),
            (b"<?xml encoding='utf-16'?>", "UTF-8"),
            (b"<?xml encoding='koi8-r '?>", "none"),
            (b"<?xml encoding=koi8-r?>", "none"),
            (b"<?xml version='1.0'?><p encoding='koi8-r'>", "none"),
            (b" <?xml encoding='koi8-r'?>", "none"),
            (b"<\0?\0x\0", "UTF-16LE"),
            (b"\0<\0?\0x", "UTF-16BE"),
        ] {
            assert_eq!(named(head), wanted, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn the_value_of_a_content_attribute_is_read_as_the_standard_has_it() {
        for (content, wanted) in [
            ("charset charset=koi8-r", Some("KOI8-R")),
            ("text/html;charset=koi8-r;x", Some("KOI8-R")),
            ("charset='koi8-r", None),
            ("charset=", None),
            ("charset", None),
            ("charset = koi8-r x", Some("KOI8-R")),
        ] {
            assert_eq!(named_in_content(content.as_bytes()).map(Encoding::name), wanted);
        }
    }
}
