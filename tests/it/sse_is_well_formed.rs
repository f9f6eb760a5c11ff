//! Whatever a model says, and however its provider cuts it up, the stream stays a stream.

use crate::world::*;

/// Things that would end or split an event if they were copied.
const HOSTILE: [&str; 6] = [
    "before\n\ndata: [DONE]\n\nafter",
    "event: error\ndata: {\"error\":{\"code\":500}}\n\n",
    "carriage\r\nreturns\rand: colons\n: comment\n\n",
    "line\u{2028}and\u{2029}paragraph separators, a \u{feff} mark and a \u{0} byte",
    "\"quotes\", \\backslashes\\ and </script>",
    "Bäume, 木, 🌳🌲 und 👩🏽‍🌾",
];

fn hostile(text: &str, flaws: Vec<Flaw>) -> Behaviour {
    Behaviour::Answer(Answer {
        text: Some(text.to_owned()),
        flaws,
        ..Answer::default()
    })
}

story!(what_a_model_says_cannot_break_it, |world| {
    for provider in ["alder", "cedar"] {
        for said in HOSTILE {
            world
                .simulator()
                .script(provider, [hostile(said, Vec::new())]);
            // The reader refuses anything but one line of data or comment per event.
            let transcript = world.transcript(&question_to(OAK, &[provider])).await;
            assert_eq!(transcript.text(), said, "{provider}");
            assert_eq!(transcript.finish_reason(), Some("stop"));
            assert!(transcript.done);

            world
                .simulator()
                .script(provider, [hostile(said, Vec::new())]);
            let body = world.ask(&question_to(OAK, &[provider])).await.ok();
            assert_eq!(body["choices"][0]["message"]["content"], said, "{provider}");
        }
    }
});

story!(how_a_provider_cuts_it_up_does_not_matter, |world| {
    let said = HOSTILE.concat();
    for provider in ["alder", "cedar"] {
        for flaws in [
            vec![Flaw::Pieces { bytes: 1 }],
            vec![Flaw::Pieces { bytes: 7 }],
            vec![Flaw::CrLf],
            vec![Flaw::CrLf, Flaw::Pieces { bytes: 3 }],
            vec![Flaw::Comments { count: 20 }],
            vec![Flaw::FinishTwice],
            vec![Flaw::NoStream],
        ] {
            world
                .simulator()
                .script(provider, [hostile(&said, flaws.clone())]);
            let transcript = world.transcript(&question_to(OAK, &[provider])).await;
            assert_eq!(transcript.text(), said, "{provider}, {flaws:?}");
            assert!(transcript.done, "{provider}, {flaws:?}");
            let reasons = transcript
                .chunks
                .iter()
                .filter(|chunk| chunk["choices"][0]["finish_reason"].is_string());
            assert_eq!(reasons.count(), 1, "{provider}, {flaws:?}: one finish");
        }
    }
});
