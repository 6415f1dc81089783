//! Whether the name of a host can be taken for another one: letters of several scripts in one label, or letters of another
//! script that all look like Latin ones (the confusables of UTS 39).
//!
//! What this module does not know: which hosts exist. A script that it doesn't know is not vouched for; such a host is
//! shown in ASCII form.

/// Whether each label is ASCII, or in one script with a letter that no Latin one looks like.
pub fn is_unmistakable(host: &str) -> bool {
    host.split('.').all(|label| label.is_ascii() || is_one_script(label))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    /// Chinese characters and both kana, which Japanese mixes.
    Japanese,
    Hangul,
}

fn is_one_script(label: &str) -> bool {
    let mut script = None;
    let mut unmistakable = false;
    for char in label.chars().filter(|char| !matches!(char, '0'..='9' | '-')) {
        let Some((its, looks_like_none)) = script_of(char) else { return false };
        if *script.get_or_insert(its) != its {
            return false;
        }
        unmistakable |= looks_like_none;
    }
    unmistakable
}

/// The script of a letter, and whether it looks like no Latin letter or sign.
fn script_of(char: char) -> Option<(Script, bool)> {
    Some(match char {
        // Without a dot, with a dot beside it, or like another letter.
        'ı' | 'ĸ' | 'ŀ' | 'Ŀ' | 'ŉ' | 'ĳ' | 'Ĳ' => return None,
        'a'..='z' | 'A'..='Z' | 'ß'..='ö' | 'ø'..='ž' => (Script::Latin, true),
        'а'..='я' => (
            Script::Cyrillic,
            !matches!(char, 'а' | 'б' | 'г' | 'е' | 'з' | 'о' | 'п' | 'р' | 'с' | 'у' | 'х' | 'ъ' | 'ь'),
        ),
        'ё'..='џ' | 'ґ' => (Script::Cyrillic, false),
        'ά'..='ώ' => (Script::Greek, matches!(char, 'δ' | 'θ' | 'λ' | 'ξ' | 'π' | 'φ' | 'ψ')),
        '\u{620}'..='\u{63A}' | '\u{641}'..='\u{64A}' | 'پ' | 'چ' | 'ژ' | 'ک' | 'گ' | 'ی' => {
            (Script::Arabic, !matches!(char, '\u{622}'..='\u{627}' | '\u{647}'..='\u{649}'))
        }
        'ー' | 'ノ' | '一' | '丨' | '丶' | '丿' | '口' | 'ロ' | '工' | 'エ' | '二' | 'ニ' | 'へ' | 'ヘ' | 'ト'
        | '卜' => (Script::Japanese, false),
        '々' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' => {
            (Script::Japanese, true)
        }
        '가'..='힣' => (Script::Hangul, true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_one_script_that_looks_like_no_other_is_unmistakable() {
        for host in [
            "a.example",
            "münchen.example",
            "żółw.example",
            "президент.рф",
            "москва-2024.example",
            "ελλάδα.example",
            "例え.テスト",
            "中国.example",
            "한국.example",
            "موقع.example",
        ] {
            assert!(is_unmistakable(host), "{host}");
        }
    }

    #[test]
    fn a_host_that_mixes_scripts_or_looks_like_latin_is_not() {
        for host in [
            // Cyrillic alone, and one letter of it.
            "www.аррӏе.com",
            "раураӏ.com",
            "сосо.example",
            "ехе.example",
            "gооgle.com",
            "bank.exаmple",
            // Greek, Latin that looks like ASCII, other scripts, wide and mathematical letters.
            "ρορ.example",
            "gοοgle.com",
            "ɡoogle.com",
            "ıcloud.com",
            "аррle.com",
            "օօօ.example",
            "ｇｏｏｇｌｅ.com",
            "𝐠oogle.com",
            "bank.exampleノlogin.example",
            "ー.example",
            "goo한.example",
            "اه.example",
            "google\u{301}.com",
            "ᴀpple.com",
        ] {
            assert!(!is_unmistakable(host), "{host}");
        }
    }
}
