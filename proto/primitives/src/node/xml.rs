//! Nodes as text, for people and tests: printed, and read back to the same node.
//!
//! It looks like XML, and an ordinary stanza is nothing else:
//!
//! ```text
//! <message to="14155551001@s.whatsapp.net" type="text"><enc v="2">#33087f</enc></message>
//! ```
//!
//! What plain XML cannot distinguish is marked at the beginning of a value or content:
//!
//! | written | means |
//! |---|---|
//! | `user@server` | an address, if it reads and prints as one and the server is known |
//! | `&jid;s.whatsapp.net` | any other address |
//! | `&raw;f702090c` | an address of no known kind, in the bytes that came, in hex |
//! | `&text;a@lid` | text that would else be taken for an address, or empty text as content |
//! | `anything else` | text |
//! | `#00ff` | content of bytes, in hex |
//! | `&bytes;Hello` | content of bytes that are readable as they stand |
//!
//! `<a/>` has no content, `<a></a>` an empty list of children. Characters that do not show, or that would end
//! something, are written `&#x…;` or by their XML names, in tags and keys too; an empty tag or key is `&empty;`. White
//! space around children and around content means nothing.
//!
//! Every node comes back as it was, down to [`MAX_DEPTH`](super::MAX_DEPTH) and with addresses that pass
//! [`Jid::check`]: all that the wire can carry, and more. What this module does not know: the wire.

mod parse;

use core::fmt::{self, Write};

use super::{Content, Node, Value};
use crate::jid::{Jid, Server};
pub use parse::{XmlError, parse};

/// Mark before an address.
const JID: &str = "&jid;";
/// Mark before the bytes of an [`UnknownJid`](super::UnknownJid).
const RAW: &str = "&raw;";
/// Mark before text.
const TEXT: &str = "&text;";
/// Mark before text that stands for its bytes.
const BYTES: &str = "&bytes;";
/// Stands for a tag or key of no characters.
const EMPTY: &str = "&empty;";

/// A node on one line.
pub fn print(node: &Node) -> String {
    node.to_string()
}

/// Writes a node on one line, or `spread` over one line a child.
pub(super) fn write(node: &Node, spread: bool, out: &mut dyn Write) -> fmt::Result {
    write_node(node, spread, 0, out)
}

fn write_node(node: &Node, spread: bool, depth: usize, out: &mut dyn Write) -> fmt::Result {
    out.write_char('<')?;
    write_name(&node.tag, out)?;
    for (key, value) in &node.attrs {
        out.write_char(' ')?;
        write_name(key, out)?;
        out.write_str("=\"")?;
        write_value(value, out)?;
        out.write_char('"')?;
    }
    match &node.content {
        Content::Empty => return out.write_str("/>"),
        Content::Nodes(nodes) => {
            out.write_char('>')?;
            for child in nodes {
                if spread {
                    write!(out, "\n{:1$}", "", 2 * (depth + 1))?;
                }
                write_node(child, spread, depth + 1, out)?;
            }
            if spread && !nodes.is_empty() {
                write!(out, "\n{:1$}", "", 2 * depth)?;
            }
        }
        Content::Bytes(bytes) => {
            out.write_char('>')?;
            write_bytes(bytes, out)?;
        }
        Content::Value(value) => {
            out.write_char('>')?;
            match value {
                Value::Text(text) if text.is_empty() => out.write_str(TEXT)?,
                value => write_value(value, out)?,
            }
        }
    }
    out.write_str("</")?;
    write_name(&node.tag, out)?;
    out.write_char('>')
}

fn write_value(value: &Value, out: &mut dyn Write) -> fmt::Result {
    match value {
        Value::Text(text) => {
            if read_unmarked(text).is_some() {
                out.write_str(TEXT)?;
            }
            write_text(text, out)
        }
        Value::Jid(jid) => {
            let text = jid.to_string();
            if read_unmarked(&text).as_ref() != Some(jid) {
                out.write_str(JID)?;
            }
            write_text(&text, out)
        }
        Value::UnknownJid(unknown) => {
            out.write_str(RAW)?;
            write_hex(unknown.as_bytes(), out)
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    match str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.contains(is_hidden) => {
            out.write_str(BYTES)?;
            write_text(text, out)
        }
        _ => {
            out.write_char('#')?;
            write_hex(bytes, out)
        }
    }
}

fn write_hex(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

fn write_name(name: &str, out: &mut dyn Write) -> fmt::Result {
    if name.is_empty() {
        return out.write_str(EMPTY);
    }
    for character in name.chars() {
        match character {
            _ if is_of_name(character) => out.write_char(character)?,
            _ => write_number(character, out)?,
        }
    }
    Ok(())
}

/// White space at either end is written by number, as the reader takes it for indentation; so is a `#` at the
/// beginning, which would announce bytes.
fn write_text(text: &str, out: &mut dyn Write) -> fmt::Result {
    let inner = text.trim_matches(is_space);
    let start = text.len() - text.trim_start_matches(is_space).len();
    for (place, character) in text.char_indices() {
        let at_end = place < start || place >= start + inner.len();
        match character {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '#' if place == 0 => write_number(character, out)?,
            _ if at_end || is_hidden(character) => write_number(character, out)?,
            _ => out.write_char(character)?,
        }
    }
    Ok(())
}

fn write_number(character: char, out: &mut dyn Write) -> fmt::Result {
    write!(out, "&#x{:X};", u32::from(character))
}

/// The address that unmarked text is taken for.
fn read_unmarked(text: &str) -> Option<Jid> {
    let jid: Jid = text.parse().ok().filter(|_| text.contains('@'))?;
    (!matches!(jid.server, Server::Other(_)) && jid.to_string() == text).then_some(jid)
}

/// Characters of tags and keys that stand for themselves.
fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Characters that are invisible, or that change how others are displayed.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
}
