//! Pieces of HTML, and escaping of text for it.

use crate::foreign::clean;

/// A section with a heading, a caption, which may be empty, and its content.
pub(super) fn section(title: &str, caption: &str, content: &str) -> String {
    let caption = if caption.is_empty() {
        String::new()
    } else {
        format!("<p class=\"caption\">{}</p>\n", escaped(caption))
    };
    format!("<section>\n<h2>{title}</h2>\n{caption}{content}</section>\n")
}

/// A list of `lines` with this class; empty if there are none.
pub(super) fn list<T: AsRef<str>>(class: &str, lines: &[T]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("<ul class=\"{class}\">\n");
    for line in lines {
        text += &format!("<li>{}</li>\n", escaped(line.as_ref()));
    }
    text + "</ul>\n"
}

/// Escapes `text` for any place in HTML, including attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_in_attributes_too() {
        let safe = "&lt;a b=&quot;&#39;&amp;&quot;&gt;\u{fffd}";
        assert_eq!(escaped("<a b=\"'&\">\u{202e}"), safe);
    }
}
