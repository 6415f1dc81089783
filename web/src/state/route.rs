//! Which page the address bar asks for. Only the fragment is used, so that no server sees whom a person writes to.

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// The list of chats alone.
    #[default]
    Chats,
    /// One chat.
    Chat(String),
    /// Settings and facts.
    Settings,
    /// Restoring a backup, or moving here.
    Restore,
}

impl Route {
    /// Reads a fragment. What is not understood is the list of chats.
    pub fn parse(fragment: &str) -> Self {
        match fragment.strip_prefix("#/").unwrap_or_default() {
            "settings" => Self::Settings,
            "restore" => Self::Restore,
            path => match path.strip_prefix("chat/").and_then(unescape).filter(|id| !id.is_empty()) {
                Some(id) => Self::Chat(id),
                None => Self::Chats,
            },
        }
    }

    /// The fragment of a page.
    pub fn fragment(&self) -> String {
        match self {
            Self::Chats => "#/".to_owned(),
            Self::Settings => "#/settings".to_owned(),
            Self::Restore => "#/restore".to_owned(),
            Self::Chat(id) => format!("#/chat/{}", escape(id)),
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits = [byte >> 4, byte & 15].into_iter().filter_map(|half| char::from_digit(half.into(), 16));
            out.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_fragment_that_leads_back_to_it() {
        let odd = "1-a/b%#? ü@interop:3";
        for route in [
            Route::Chats,
            Route::Settings,
            Route::Restore,
            Route::Chat("49151@s.whatsapp.net".into()),
            Route::Chat(odd.into()),
        ] {
            assert_eq!(Route::parse(&route.fragment()), route);
        }
        assert_eq!(Route::Chat("49151@s.whatsapp.net".into()).fragment(), "#/chat/49151@s.whatsapp.net");
    }

    #[test]
    fn nonsense_leads_to_the_list() {
        for fragment in ["", "#", "#/", "#/chat/", "#/chat/%", "#/chat/%zz", "#/chat/%ff", "#/nowhere", "chat/1"] {
            assert_eq!(Route::parse(fragment), Route::Chats, "{fragment}");
        }
    }
}
