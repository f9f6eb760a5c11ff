//! What the transport knows about a request, kept with the generation.

/// Facts from request headers; all optional, all bounded by the edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// The app's address, from `HTTP-Referer`.
    pub http_referer: Option<String>,
    /// The app's name, from `X-Title`.
    pub app_title: Option<String>,
    pub user_agent: Option<String>,
    /// The client's own request id.
    pub request_id: Option<String>,
}
