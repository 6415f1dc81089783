//! How much of a long text a bubble shows at first, and how much more each time a person asks for it.

/// What a bubble shows at first. A character costs one, a line break as much as a line holds.
pub const FIRST: u32 = 3_000;
/// What is added each time.
pub const MORE: u32 = 12_000;

/// A line, in characters.
const LINE: u32 = 50;

/// The beginning of a text, up to a cost, and whether there is more. Cuts between words, where there are any.
pub fn beginning(text: &str, most: u32) -> (&str, bool) {
    let mut cost = 0_u32;
    let mut word = (0, 0);
    for (at, char) in text.char_indices() {
        cost += if char == '\n' { LINE } else { 1 };
        if char.is_whitespace() {
            word = (at, cost);
        }
        if cost > most {
            // A word that is longer than an eighth of it is no word.
            let (begins, its_cost) = word;
            let cut = if cost - its_cost > most / 8 { at } else { begins };
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
        assert_eq!(beginning(&text, 102), (["word"; 20].join(" ").as_str(), true));
        let unbroken = ")".repeat(65_000);
        assert_eq!(beginning(&unbroken, 3_000), (")".repeat(3_000).as_str(), true));
        let wide = "字".repeat(101);
        assert_eq!(beginning(&wide, 100), ("字".repeat(100).as_str(), true));
    }

    #[test]
    fn lines_cost_as_much_as_they_take_room() {
        let lines = "\n".repeat(65_000);
        let (shown, more) = beginning(&lines, FIRST);
        assert!(more && shown.len() <= 60, "{}", shown.len());
    }
}
