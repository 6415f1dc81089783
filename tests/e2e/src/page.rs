//! The actions of a person on the page: sign up, start a chat, write, read.
//!
//! What this module does not know: which browser, which servers, and anything that a person could not see.

use crate::{browser::Browser, wait};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use thirtyfour::{By, Key, TypingData, WebDriver, WebElement, WindowHandle};

/// The password of every account in the tests.
pub const PASSWORD: &str = "correct horse battery";

/// More stops of the Tab key than any page has.
const MOST_STOPS: usize = 60;

/// The tab that is open in a browser.
#[derive(Clone, Copy)]
pub struct Page<'a>(&'a WebDriver);

impl<'a> Page<'a> {
    /// The open tab.
    ///
    /// # Errors
    /// If the browser is closed.
    pub fn of(browser: &'a Browser) -> Result<Self> {
        Ok(Self(browser.web()?))
    }

    /// Opens an address.
    ///
    /// # Errors
    /// If nothing answers there.
    pub async fn open(self, url: &str) -> Result<()> {
        Ok(self.0.goto(url).await?)
    }

    /// Reloads the tab.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn reload(self) -> Result<()> {
        Ok(self.0.refresh().await?)
    }

    /// Opens a second tab and goes to it.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn new_tab(self) -> Result<WindowHandle> {
        let tab = self.0.new_tab().await?;
        self.go_to_tab(&tab).await?;
        Ok(tab)
    }

    /// The handle of the open tab.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn tab(self) -> Result<WindowHandle> {
        Ok(self.0.window().await?)
    }

    /// Goes to a tab.
    ///
    /// # Errors
    /// If it is closed.
    pub async fn go_to_tab(self, tab: &WindowHandle) -> Result<()> {
        Ok(self.0.switch_to_window(tab.clone()).await?)
    }

    /// Closes the open tab and goes to another.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn close_tab(self, next: &WindowHandle) -> Result<()> {
        self.0.close_window().await?;
        self.go_to_tab(next).await
    }

    /// Waits until `selector` finds something that can be seen.
    ///
    /// # Errors
    /// If it never does.
    pub async fn see(self, selector: &str) -> Result<WebElement> {
        wait::until(&format!("{selector} on the page"), async || self.find(selector).await).await
    }

    /// Waits until `selector` finds nothing that can be seen.
    ///
    /// # Errors
    /// If it never stops.
    pub async fn see_no(self, selector: &str) -> Result<()> {
        let what = format!("{selector} leave the page");
        wait::until(&what, async || Ok(self.find(selector).await?.is_none().then_some(()))).await
    }

    /// Waits until the text of `selector` satisfies `check`, and gives it.
    ///
    /// # Errors
    /// If it never does; contains the last text.
    pub async fn read(self, selector: &str, what: &str, check: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = String::new();
        let read = wait::until(&format!("{what} in {selector}"), async || {
            let Some(element) = self.find(selector).await? else { return Ok(None) };
            last = element.text().await?;
            Ok(check(&last).then(|| last.clone()))
        })
        .await;
        read.with_context(|| format!("{selector} read {last:?} in the end"))
    }

    /// Waits for `selector` and clicks it.
    ///
    /// # Errors
    /// If it never can be clicked.
    pub async fn click(self, selector: &str) -> Result<()> {
        wait::until(&format!("{selector} to click"), async || {
            let Some(element) = self.find(selector).await? else { return Ok(None) };
            element.click().await?;
            Ok(Some(()))
        })
        .await
    }

    /// Waits for `selector`, empties it, and types.
    ///
    /// # Errors
    /// If it never takes keys.
    pub async fn fill(self, selector: &str, text: &str) -> Result<()> {
        wait::until(&format!("{selector} to type into"), async || {
            let Some(element) = self.find(selector).await? else { return Ok(None) };
            element.clear().await?;
            element.send_keys(text).await?;
            Ok((element.prop("value").await?.as_deref() == Some(text)).then_some(()))
        })
        .await
    }

    /// Puts a text into a field at once, as a paste does: typing a long one would take minutes.
    ///
    /// # Errors
    /// If the field never takes it.
    pub async fn paste(self, selector: &str, text: &str) -> Result<()> {
        let field = self.see(selector).await?.to_json()?;
        let script = "const [field, text] = arguments; field.focus(); field.select();
            document.execCommand('insertText', false, text); return field.value === text;";
        let taken = self.0.execute(script, vec![field, json!(text)]).await?;
        ensure!(taken.convert::<bool>()?, "{selector} did not take the text");
        Ok(())
    }

    /// Presses Tab until the element with this id has the focus, as someone without a mouse does.
    ///
    /// # Errors
    /// If the focus goes round without passing it.
    pub async fn tab_to(self, id: &str) -> Result<()> {
        for _ in 0..MOST_STOPS {
            if self.0.active_element().await?.id().await?.as_deref() == Some(id) {
                return Ok(());
            }
            self.press(Key::Tab).await?;
        }
        bail!("{MOST_STOPS} times Tab, and never on #{id}")
    }

    /// Types into the focused element.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn press(self, keys: impl Into<TypingData>) -> Result<()> {
        Ok(self.0.active_element().await?.send_keys(keys).await?)
    }

    /// Presses Enter in a field.
    ///
    /// # Errors
    /// If it takes no keys.
    pub async fn press_enter(self, selector: &str) -> Result<()> {
        Ok(self.see(selector).await?.send_keys(Key::Enter).await?)
    }

    async fn find(self, selector: &str) -> Result<Option<WebElement>> {
        for element in self.0.find_all(By::Css(selector)).await? {
            if element.is_displayed().await? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// First step: a new account.
    ///
    /// # Errors
    /// If the second step never comes.
    pub async fn sign_up(self, identifier: &str) -> Result<()> {
        self.fill("#identifier", identifier).await?;
        self.fill("#password", PASSWORD).await?;
        self.click("#sign-in").await?;
        self.see("#agree").await.map(drop)
    }

    /// Second step: consent, and on to the enlistment.
    ///
    /// # Errors
    /// If the form does not accept it.
    pub async fn agree(self) -> Result<()> {
        self.click("label[for=consent]").await?;
        self.click("#agree").await
    }

    /// All three steps, up to the list of chats.
    ///
    /// # Errors
    /// If any of them fails.
    pub async fn enlist(self, identifier: &str) -> Result<()> {
        self.sign_up(identifier).await?;
        self.agree().await?;
        self.click("#enlist-finish").await?;
        self.see("#phone").await?;
        self.close_dialog().await?;
        self.connected().await
    }

    /// Closes the dialog.
    ///
    /// # Errors
    /// If there is none, or it stays.
    pub async fn close_dialog(self) -> Result<()> {
        self.click("#dialog-close").await?;
        self.see_no("#dialog").await
    }

    /// Waits until the page shows that it is up to date.
    ///
    /// # Errors
    /// If it never does.
    pub async fn connected(self) -> Result<()> {
        self.connection("online").await
    }

    /// Waits until the connection is in this state.
    ///
    /// # Errors
    /// If it never is; contains the connection bar's text.
    pub async fn connection(self, state: &str) -> Result<()> {
        let seen = self.see(&format!("#connection[data-state={state}]")).await;
        match seen {
            Ok(_) => Ok(()),
            Err(error) => {
                let words = self.find("#connection").await?.context("there is no connection bar")?.text().await?;
                Err(error.context(format!("the connection bar reads {words:?}")))
            }
        }
    }

    /// Starts a chat by phone number.
    ///
    /// # Errors
    /// If the chat never opens.
    pub async fn start_chat(self, number: &str) -> Result<()> {
        self.click("#new-chat").await?;
        self.fill("#phone", &format!("+{number}")).await?;
        self.click("#start-chat").await?;
        self.see("#composer").await.map(drop)
    }

    /// Opens a chat from the list.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn open_chat(self, number: &str) -> Result<()> {
        self.click(&row(number)).await?;
        self.see("#composer").await.map(drop)
    }

    /// Waits until the chat with this number is the open one, and the only one in the list.
    ///
    /// # Errors
    /// If it never is; contains what is there instead.
    pub async fn has_only_chat(self, number: &str) -> Result<()> {
        let script = "const ids = (found) => [...document.querySelectorAll(found)].map((item) => item.dataset.chat);
            return [location.hash.replace('#/chat/', ''), ...ids('#content'), ...ids('#chats .chat-row')];";
        let expected = vec![format!("{number}@s.whatsapp.net"); 3];
        wait::until(&format!("the chat with {number} alone"), async || {
            let seen: Vec<Option<String>> = self.0.execute(script, []).await?.convert()?;
            let seen: Vec<String> = seen.into_iter().flatten().collect();
            ensure!(seen == expected, "address, open chat and list should be {expected:?}, they are {seen:?}");
            Ok(Some(()))
        })
        .await
    }

    /// Writes a message and sends it with Enter.
    ///
    /// # Errors
    /// If the message never appears.
    pub async fn write(self, text: &str) -> Result<()> {
        self.fill("#composer", text).await?;
        self.press_enter("#composer").await?;
        self.message(true, text).await.map(drop)
    }

    /// Waits for a message; gives its `data-seq`.
    ///
    /// # Errors
    /// If it never appears.
    pub async fn message(self, outgoing: bool, text: &str) -> Result<String> {
        let what = format!("the message {text:?}");
        let found = wait::until(&what, async || Ok(self.find_messages(outgoing, text).await?.pop())).await;
        match found {
            Ok(seq) => Ok(seq),
            Err(error) => Err(error.context(format!("the chat holds {:?}", self.messages().await?))),
        }
    }

    /// Waits until a message of one's own is in this state.
    ///
    /// # Errors
    /// If it never is.
    pub async fn ticks(self, text: &str, state: &str) -> Result<()> {
        let seq = self.message(true, text).await?;
        self.see(&format!("#messages li.message[data-seq='{seq}'][data-state={state}]")).await.map(drop)
    }

    /// Every message of the open chat as `(outgoing, text)`, in order.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn messages(self) -> Result<Vec<(bool, String)>> {
        let script = "return [...document.querySelectorAll('#messages li.message')]
            .map((item) => [item.classList.contains('out'), item.querySelector('.text').textContent]);";
        Ok(self.0.execute(script, []).await?.convert()?)
    }

    async fn find_messages(self, outgoing: bool, text: &str) -> Result<Vec<String>> {
        let script = "const [out, text] = arguments;
            return [...document.querySelectorAll('#messages li.message')]
                .filter((item) => item.classList.contains('out') === out)
                .filter((item) => item.querySelector('.text').textContent === text)
                .map((item) => item.dataset.seq);";
        Ok(self.0.execute(script, vec![json!(outgoing), json!(text)]).await?.convert()?)
    }

    /// The open chat holds exactly these messages: nothing lost, nothing twice, nothing out of order.
    ///
    /// # Errors
    /// With what it holds instead.
    pub async fn holds_exactly(self, expected: &[(bool, &str)]) -> Result<()> {
        let expected: Vec<_> = expected.iter().map(|(outgoing, text)| (*outgoing, (*text).to_owned())).collect();
        wait::until("the messages of the chat", async || {
            let held = self.messages().await?;
            ensure!(held == expected, "the chat should hold {expected:?}, it holds {held:?}");
            Ok(Some(()))
        })
        .await
    }

    /// The unread count in the list for a chat, as people see it.
    ///
    /// # Errors
    /// If it never becomes `count`.
    pub async fn unread(self, number: &str, count: u32) -> Result<()> {
        let badge = format!("{} .badge", row(number));
        if count == 0 {
            self.see(&row(number)).await?;
            return self.see_no(&badge).await;
        }
        self.read(&badge, "the unread count", |text| text.starts_with(&count.to_string())).await.map(drop)
    }
}

/// The selector of a chat's row in the list.
fn row(number: &str) -> String {
    format!("#chats a.chat-row[data-chat^='{number}']")
}
