//! `<iq>`: requests and responses, matched by id (docs/spec/wire.md §5.1).

use super::StanzaError;
use super::fields::Fields;
use crate::jid::Jid;
use crate::node::Node;

/// A question of the server, or its answer to one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iq {
    /// Same in question and answer. The server's pings may lack it.
    pub id: Option<String>,
    /// Question or answer.
    pub kind: IqKind,
    /// What a question is about.
    pub xmlns: Option<String>,
    /// Who sent it.
    pub from: Option<Jid>,
    /// As it came.
    pub node: Node,
}

/// Question or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IqKind {
    /// A question.
    Get,
    /// A request to change something.
    Set,
    /// The answer.
    Result,
    /// The answer: no.
    Error(IqError),
    /// A type that no document names.
    Other(String),
}

/// Why the server does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server answered {code} {text}")]
pub struct IqError {
    /// 400 bad request, 404 not found, 429 too many, ...; 0 if absent or no number.
    pub code: u32,
    /// The server's words, often empty.
    pub text: String,
}

impl IqError {
    /// Reads the `<error>` inside a stanza.
    pub(super) fn inside(fields: &Fields<'_>) -> Option<Self> {
        let error = fields.child_opt("error")?;
        let code = error.number_if_any("code").unwrap_or(0);
        Some(Self { code, text: error.text_opt("text").unwrap_or_default() })
    }
}

impl Iq {
    /// Reads `<iq>`.
    ///
    /// # Errors
    /// No type.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "iq")?;
        let kind = fields.text("type")?;
        let kind = match kind.as_str() {
            "get" => IqKind::Get,
            "set" => IqKind::Set,
            "result" => IqKind::Result,
            "error" => {
                let silent = IqError { code: 0, text: String::new() };
                IqKind::Error(IqError::inside(&fields).unwrap_or(silent))
            }
            _ => IqKind::Other(kind),
        };
        Ok(Self {
            id: fields.text_opt("id"),
            kind,
            xmlns: fields.text_opt("xmlns"),
            from: fields.jid_if_any("from"),
            node: node.clone(),
        })
    }

    /// An empty answer of the type `result` to this question.
    pub fn result(&self) -> Node {
        self.answer("result")
    }

    /// The answer to a question that this client does not understand.
    pub fn refuse(&self) -> Node {
        let error = Node::new("error").with("code", 501_u32).with("text", "feature-not-implemented");
        self.answer("error").with_node(error)
    }

    fn answer(&self, kind: &'static str) -> Node {
        let to = self.from.clone().unwrap_or_else(Jid::server);
        let node = Node::new("iq").with("to", to).with("type", kind);
        match &self.id {
            Some(id) => node.with("id", id.clone()),
            None => node,
        }
    }
}

/// A question to the server.
pub(super) fn request(id: &str, kind: &'static str, xmlns: &'static str) -> Node {
    let node = Node::new("iq").with("id", id.to_owned()).with("xmlns", xmlns);
    node.with("type", kind).with("to", Jid::server())
}
