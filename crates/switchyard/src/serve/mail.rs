//! The way that mail takes here: over a server, into the demo's box, or nowhere.

use std::sync::Arc;

use switchyard_app::mail::{MailBox, Mailer, NoMail};
use switchyard_mail::{
    kept::KeptMails,
    outbox::{Postman, outbox},
    smtp::Smtp,
};

use crate::{commands::CommandError, foundation::Foundation};

/// Who takes mail, and what that needs.
pub(super) struct MailWay {
    pub(super) mailer: Arc<dyn Mailer>,
    pub(super) sends: bool,
    /// Carries mails; to be run.
    pub(super) postman: Option<Postman>,
    /// The demo's.
    pub(super) kept: Option<Arc<dyn MailBox>>,
}

/// As the settings say.
pub(super) fn open(foundation: &Foundation) -> Result<MailWay, CommandError> {
    let clock = Arc::clone(&foundation.clock);
    if let Some(server) = &foundation.config.mail {
        let smtp = Smtp::new(&server.settings())
            .map_err(|error| CommandError::caused("cannot send mail", error))?;
        let (outbox, postman) = outbox(Arc::new(smtp), clock);
        return Ok(MailWay {
            mailer: Arc::new(outbox),
            sends: true,
            postman: Some(postman),
            kept: None,
        });
    }
    if foundation.config.is_demo {
        let kept = Arc::new(KeptMails::new(clock));
        return Ok(MailWay {
            mailer: Arc::clone(&kept) as Arc<dyn Mailer>,
            sends: true,
            postman: None,
            kept: Some(kept),
        });
    }
    Ok(MailWay {
        mailer: Arc::new(NoMail),
        sends: false,
        postman: None,
        kept: None,
    })
}
