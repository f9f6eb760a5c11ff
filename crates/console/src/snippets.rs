//! A first request in the languages that people ask in, ready to be pasted.

/// What stands where a key belongs that nobody has made yet.
pub(crate) const NO_KEY: &str = "sk-sy-v1-…";

/// Whom a snippet asks, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// Where people reach the service, without a slash at the end.
    pub(crate) public_url: &'a str,
    pub(crate) key: &'a str,
    pub(crate) model: &'a str,
}

/// The same request in every language, with its name.
pub(crate) fn snippets(asking: &Asking<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("curl", curl(asking)),
        ("Python", python(asking)),
        ("TypeScript", typescript(asking)),
        ("Coding tools", tools(asking)),
    ]
}

/// One command for a shell.
pub(crate) fn curl(asking: &Asking<'_>) -> String {
    let Asking {
        public_url,
        key,
        model,
    } = asking;
    format!(
        "curl -N {public_url}/api/v1/chat/completions \\\n  \
         -H 'Authorization: Bearer {key}' \\\n  \
         -H 'Content-Type: application/json' \\\n  \
         -d '{{\"model\":\"{model}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Why is the sky blue?\"}}]}}'"
    )
}

fn python(asking: &Asking<'_>) -> String {
    let Asking {
        public_url,
        key,
        model,
    } = asking;
    format!(
        "# pip install openai\n\
         from openai import OpenAI\n\n\
         client = OpenAI(base_url=\"{public_url}/api/v1\", api_key=\"{key}\")\n\n\
         answer = client.chat.completions.create(\n    \
             model=\"{model}\",\n    \
             messages=[{{\"role\": \"user\", \"content\": \"Why is the sky blue?\"}}],\n\
         )\n\
         print(answer.choices[0].message.content)"
    )
}

fn typescript(asking: &Asking<'_>) -> String {
    let Asking {
        public_url,
        key,
        model,
    } = asking;
    format!(
        "// npm install openai\n\
         import OpenAI from \"openai\";\n\n\
         const client = new OpenAI({{ baseURL: \"{public_url}/api/v1\", apiKey: \"{key}\" }});\n\n\
         const answer = await client.chat.completions.create({{\n  \
             model: \"{model}\",\n  \
             messages: [{{ role: \"user\", content: \"Why is the sky blue?\" }}],\n\
         }});\n\
         console.log(answer.choices[0].message.content);"
    )
}

fn tools(asking: &Asking<'_>) -> String {
    let Asking {
        public_url,
        key,
        model,
    } = asking;
    format!(
        "# For tools that speak OpenAI's or OpenRouter's API, such as aider, Cline or opencode.\n\
         export OPENAI_BASE_URL=\"{public_url}/api/v1\"\n\
         export OPENAI_API_KEY=\"{key}\"\n\
         # Then choose the model {model}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_has_what_was_filled_in() {
        let asking = Asking {
            public_url: "http://localhost:8080",
            key: "sk-sy-v1-abc",
            model: "acme/oak",
        };
        for (name, text) in snippets(&asking) {
            for part in ["http://localhost:8080/api/v1", "sk-sy-v1-abc", "acme/oak"] {
                assert!(text.contains(part), "{part} in {name}:\n{text}");
            }
        }
    }

    #[test]
    fn the_body_of_the_command_is_json() {
        let asking = Asking {
            public_url: "http://localhost:8080",
            key: NO_KEY,
            model: "acme/oak",
        };
        let text = curl(&asking);
        let (_, body) = text.split_once("-d '").expect("a body");
        let body: serde_json::Value =
            serde_json::from_str(body.trim_end_matches('\'')).expect("JSON");
        assert_eq!(body["model"], "acme/oak");
    }
}
