//! What people are written. Links stand on lines of their own, and each says how long it works.

use switchyard_domain::secret::Secret;

use crate::{mail::Mail, people::Person};

fn mail(person: &Person, subject: &str, text: String) -> Mail {
    Mail {
        to: person.email.clone(),
        subject: subject.to_owned(),
        text: Secret::new(text),
    }
}

pub(super) fn verify(person: &Person, link: &str) -> Mail {
    mail(
        person,
        "Confirm your address",
        format!(
            "Hello {name},\n\n\
             somebody signed up at Switchyard with this address. If it was you, confirm it here:\n\n\
             {link}\n\n\
             The link works once, for 24 hours. If it was not you, do nothing: nobody can spend\n\
             anything before the address is confirmed.\n",
            name = person.name,
        ),
    )
}

pub(super) fn already_known(person: &Person, sign_in: &str, reset: &str) -> Mail {
    mail(
        person,
        "You already have an account",
        format!(
            "Hello {name},\n\n\
             somebody tried to sign up at Switchyard with this address, which has an account. If it\n\
             was you, sign in:\n\n\
             {sign_in}\n\n\
             or choose a new password:\n\n\
             {reset}\n\n\
             The second link works once, for 30 minutes. If it was not you, do nothing: nothing was\n\
             changed.\n",
            name = person.name,
        ),
    )
}

pub(super) fn reset(person: &Person, link: &str) -> Mail {
    mail(
        person,
        "Choose a new password",
        format!(
            "Hello {name},\n\n\
             somebody asked for a new password for your account at Switchyard. If it was you, choose\n\
             one here:\n\n\
             {link}\n\n\
             The link works once, for 30 minutes, and signs you out everywhere. If it was not you, do\n\
             nothing: your password stays as it is.\n",
            name = person.name,
        ),
    )
}

pub(super) fn password_changed(person: &Person, reset: &str) -> Mail {
    mail(
        person,
        "Your password was changed",
        format!(
            "Hello {name},\n\n\
             the password of your account at Switchyard was changed, and you were signed out on other\n\
             devices. If it was not you, choose a new one now:\n\n\
             {reset}\n",
            name = person.name,
        ),
    )
}

pub(super) fn recovery_code_used(person: &Person, left: u32, security: &str) -> Mail {
    mail(
        person,
        "A recovery code was used",
        format!(
            "Hello {name},\n\n\
             somebody signed in to your account at Switchyard with a recovery code; {left} are left. If\n\
             it was not you, change your password and end other sessions here:\n\n\
             {security}\n",
            name = person.name,
        ),
    )
}
