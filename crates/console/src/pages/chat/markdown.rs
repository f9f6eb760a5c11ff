//! Markup of what a model wrote. Everything it wrote is hostile: markup in it is text, pictures are their
//! descriptions, and what is left goes through a sieve that knows a dozen elements.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;
use axum::response::{Html, IntoResponse as _, Response};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use serde::Deserialize;

use crate::{error::PageError, form::Submitted, visit::SignedIn};

/// An answer that is complete.
#[derive(Deserialize)]
pub(crate) struct Written {
    text: String,
}

/// `POST /chat/rendered`: the markup of an answer.
pub(crate) async fn render(
    _: SignedIn,
    Submitted(written): Submitted<Written>,
) -> Result<Response, PageError> {
    Ok(Html(to_html(&written.text)).into_response())
}

static SIEVE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut sieve = Builder::empty();
    sieve
        .tags(HashSet::from([
            "p",
            "br",
            "hr",
            "em",
            "strong",
            "del",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "h3",
            "h4",
            "h5",
            "h6",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "a",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"));
    sieve
});

/// Markup that is safe to show.
pub(super) fn to_html(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).filter_map(tamed);
    let mut html = String::with_capacity(text.len() * 2);
    push_html(&mut html, events);
    SIEVE.clean(&html).to_string()
}

fn tamed(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Heading { level, .. }) => Some(Event::Start(Tag::Heading {
            level: below_the_page(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(level)) => {
            Some(Event::End(TagEnd::Heading(below_the_page(level))))
        }
        other => Some(other),
    }
}

/// The page has the first two levels of headings itself.
const fn below_the_page(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::to_html;

    #[test]
    fn what_people_write_becomes_markup() {
        for (text, html) in [
            (
                "one **two** `three`",
                "<p>one <strong>two</strong> <code>three</code></p>\n",
            ),
            ("# Head", "<h3>Head</h3>\n"),
            ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n"),
            (
                "```rust\nlet x = 1 < 2;\n```",
                "<pre><code>let x = 1 &lt; 2;\n</code></pre>\n",
            ),
            (
                "[a](https://example.com/b)",
                "<p><a href=\"https://example.com/b\" rel=\"noopener noreferrer nofollow\">a</a></p>\n",
            ),
            (
                "![a picture](https://example.com/p.png)",
                "<p>a picture</p>\n",
            ),
            ("~~no~~", "<p><del>no</del></p>\n"),
        ] {
            assert_eq!(to_html(text), html, "{text}");
        }
        assert!(to_html("|a|b|\n|-|-|\n|1|2|").contains("<td>1</td>"));
    }

    /// Whatever it is, no element and no attribute comes out that could do anything.
    #[test]
    fn t19_hostile_answers_are_inert() {
        let corpus = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "<iframe src=\"javascript:alert(1)\"></iframe>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:msgbox(1))",
            "[x](//evil.example/x)",
            "[x](/logout)",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "![x](https://evil.example/pixel.png)",
            "![x\" onerror=\"alert(1)](y)",
            "[a](https://x \"t\\\" onmouseover=alert(1)\")",
            "<a href=\"https://x\" onclick=\"alert(1)\">x</a>",
            "<style>*{background:url(https://evil.example)}</style>",
            "<link rel=stylesheet href=https://evil.example>",
            "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
            "<form action=/logout method=post><button>x</button></form>",
            "<base href=https://evil.example>",
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "`<script>alert(1)</script>`",
            "```\n</code></pre><script>alert(1)</script>\n```",
            "```\"><img/src=x onerror=alert(1)>\nx\n```",
            "<div style=\"position:fixed\">x</div>",
            "<details open ontoggle=alert(1)>",
            "<b hx-get=/logout hx-trigger=load>x</b>",
            "# <img src=x onerror=alert(1)> {#id .class onclick=alert(1)}",
            "|a|\n|-|\n|<img src=x onerror=alert(1)>|",
            "\u{0}<scr\u{0}ipt>alert(1)</script>",
            "<<script>script>alert(1)<</script>/script>",
        ];
        for text in corpus {
            let html = to_html(text);
            for tag in tags(&html) {
                let name: String = tag
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                assert!(
                    [
                        "p",
                        "br",
                        "hr",
                        "em",
                        "strong",
                        "del",
                        "code",
                        "pre",
                        "blockquote",
                        "ul",
                        "ol",
                        "li",
                        "h3",
                        "h4",
                        "h5",
                        "h6",
                        "table",
                        "thead",
                        "tbody",
                        "tr",
                        "th",
                        "td",
                        "a"
                    ]
                    .contains(&name.as_str()),
                    "{name} in {html} of {text}"
                );
                let rest = tag[name.len()..].trim();
                let is_plain = rest.is_empty()
                    || (name == "a"
                        && (rest.starts_with("href=\"https://")
                            || rest == "rel=\"noopener noreferrer nofollow\"")
                        && !rest.contains(" on"));
                assert!(is_plain, "{rest} in {html} of {text}");
            }
        }
    }

    /// What stands between `<` and `>` of opening tags.
    fn tags(html: &str) -> Vec<&str> {
        let starts = html.split('<').skip(1);
        let tags = starts.map(|start| start.split('>').next().unwrap_or_default());
        tags.filter(|tag| !tag.starts_with('/')).collect()
    }
}
