//! A candidate's credential, in plain form, before anything is sent; and what comes of it.

use switchyard_domain::{id::CredentialId, tenancy::Caller};
use switchyard_interchange::failure::Failure;
use switchyard_routing::vetted::Vetted;
use tokio::{sync::mpsc::Sender, time::Instant};

use super::{End, Interruption};
use crate::{
    App,
    generation::{
        GenerateError, ReplyStep,
        credentials::{OpenedCredential, Unopened},
        plan::Planned,
    },
    own_credentials::Seen,
};

/// Why there is no credential.
pub(super) enum NotOpened {
    /// Another candidate may be asked.
    Passed(Failure),
    /// The request ends here.
    Fatal(End),
}

/// Logs that a request under zero data retention goes where only the word of the credential's owner
/// stands for it.
fn note_statement(planned: &Planned, candidate: &Vetted) {
    let Some(id) = candidate.credential().own() else {
        return;
    };
    let endpoint = &candidate.endpoint().id;
    let is_stated = planned.plan.record.candidates.iter().any(|row| {
        row.declared_zdr && row.endpoint == *endpoint && row.credential.own() == Some(id)
    });
    if is_stated {
        metrics::counter!("switchyard_declared_zdr_uses_total").increment(1);
        tracing::info!(
            generation.id = %planned.admitted.generation_id,
            endpoint.id = %endpoint,
            credential.id = %id,
            "zero data retention rests on the word of the credential's owner"
        );
    }
}

impl App {
    /// Opens a candidate's credential. Mostly it is in memory; where it is not, its caller may leave
    /// meanwhile, and nobody else waits for it.
    pub(super) async fn credential_of(
        &self,
        planned: &Planned,
        candidate: &Vetted,
        replies: &Sender<ReplyStep>,
    ) -> Result<OpenedCredential, NotOpened> {
        let ends_at = Instant::now() + self.settings.attempt_timeout;
        let open = self.open_credential(planned, candidate);
        match self.unless_interrupted(open, ends_at, replies).await {
            Ok(Ok(opened)) => {
                note_statement(planned, candidate);
                Ok(opened)
            }
            Ok(Err(Unopened::Passed(failure))) | Err(Interruption::Failure(failure)) => {
                Err(NotOpened::Passed(failure))
            }
            Ok(Err(Unopened::Fatal(error))) => Err(NotOpened::Fatal(End::Failed(
                GenerateError::Credential(error),
            ))),
            Err(Interruption::CallerLeft) => Err(NotOpened::Fatal(End::Cancelled)),
        }
    }

    /// Notes what its provider made of a customer's stored credential.
    pub(super) fn watch_credential(
        &self,
        planned: &Planned,
        id: CredentialId,
        record_version: i32,
        failure: Option<&Failure>,
        is_finished: bool,
    ) {
        let caller: &Caller = &planned.admitted.caller;
        let seen = match failure {
            Some(failure) => Seen::of_failure(failure),
            None if is_finished => Some(Seen::Accepted),
            None => None,
        };
        if let Some(seen) = seen {
            let (account, workspace) = (caller.account_id(), caller.workspace_id());
            self.own_credentials
                .see(account, workspace, id, record_version, &seen);
        }
    }
}
