//! How much of a long text a bubble shows at first, and how much more each time a person asks for it.

/// What a bubble shows at first. A character costs one, a line break as much as a line holds.
pub const FIRST: usize = 3_000;
/// What is added each time.
pub const MORE: usize = 12_000;

/// A line, in characters.
const LINE: usize = 50;

/// The beginning of a text, up to a cost, and whether there is more. Cuts between words, where there are any.
pub fn beginning(text: &str, most: usize) -> (&str, bool) {
    let mut cost = 0_usize;
    let mut between_words = 0;
    for (at, char) in text.char_indices() {
        cost += if char == '\n' { LINE } else { 1 };
        if char.is_whitespace() {
            between_words = at;
        }
        if cost > most {
            // A word that is longer than an eighth of it is no word.
            let cut = if at - between_words > most / 8 { at } else { between_words };
            return (text.get(..cut).unwrap_or_default(), true);
        }
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_whole() {
        for text in ["", "hi", &"a".repeat(100), &"é ".repeat(50), "a\nb"] {
            assert_eq!(beginning(text, 100), (text, false));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "word ".repeat(100);
        assert_eq!(beginning(&text, 102), (text[..99].into(), true));
        let unbroken = ")".repeat(65_000);
        assert_eq!(beginning(&unbroken, FIRST), (&unbroken[..FIRST], true));
        let wide = "字".repeat(101);
        assert_eq!(beginning(&wide, 100), (&wide[..300], true));
    }

    #[test]
    fn lines_cost_as_much_as_they_take_room() {
        let lines = "\n".repeat(65_000);
        let (shown, more) = beginning(&lines, FIRST);
        assert!(more && shown.len() <= FIRST / LINE, "{}", shown.len());
    }
}
