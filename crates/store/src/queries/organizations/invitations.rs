//! Who was asked to join an organization.

use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{
    authority::Capability,
    clock::Timestamp,
    id::{AccountId, InvitationId, PersonId},
};

use super::{
    super::{Engine, accounts::fold},
    expect_authority, hold, known_role, let_into_account,
};
use crate::{
    audit::AuditEvent,
    failure::Failure,
    organization::{
        Invitation, NewInvitation, OTHER_ADDRESS, Renewal, TOO_MANY, UNVERIFIED_ADDRESS,
    },
    portable::{At, without_nul},
};

/// Open invitations of one account at most.
const OPEN_MAX: i64 = 200;

const IS_MEMBER: &str = "
    SELECT 1 FROM memberships AS m
    JOIN people AS p ON p.person_id = m.person_id
    WHERE m.account_id = $1 AND p.email_folded = $2";

const CLOSE_EXPIRED: &str = "
    UPDATE invitations SET closed_at = $3
    WHERE account_id = $1 AND email_folded = $2 AND closed_at IS NULL AND expires_at <= $3";

const COUNT_OPEN: &str =
    "SELECT COUNT(*) FROM invitations WHERE account_id = $1 AND closed_at IS NULL";

const INSERT: &str = "
    INSERT INTO invitations (
        invitation_id, account_id, email, email_folded, role, token_hash, invited_by, created_at,
        sent_at, expires_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)";

/// `SELECT` of open invitations with the names in them.
macro_rules! select_invitations {
    ($rest:literal) => {
        concat!(
            "SELECT
                i.invitation_id, i.account_id, a.name AS account_name, i.email, i.role,
                p.name AS inviter, i.created_at, i.sent_at, i.expires_at
            FROM invitations AS i
            JOIN accounts AS a ON a.account_id = i.account_id
            JOIN people AS p ON p.person_id = i.invited_by
            WHERE i.closed_at IS NULL AND ",
            $rest
        )
    };
}

const OF_ACCOUNT: &str =
    select_invitations!("i.account_id = $1 ORDER BY i.created_at DESC, i.invitation_id");

const BY_LINK: &str = select_invitations!("i.token_hash = $1 AND i.expires_at > $2");

const RENEW: &str = "
    UPDATE invitations SET token_hash = $3, sent_at = $4, expires_at = $5
    WHERE account_id = $1 AND invitation_id = $2 AND closed_at IS NULL RETURNING 1";

const CLOSE: &str = "
    UPDATE invitations SET closed_at = $3
    WHERE account_id = $1 AND invitation_id = $2 AND closed_at IS NULL RETURNING 1";

const TAKE: &str = "
    UPDATE invitations SET closed_at = $2, accepted_by = $3
    WHERE token_hash = $1 AND closed_at IS NULL AND expires_at > $2
    RETURNING account_id, email_folded, role";

const ADDRESS: &str = "SELECT email_folded, email_verified_at FROM people WHERE person_id = $1";

const ACCOUNT_OF_LINK: &str = "SELECT account_id FROM invitations WHERE token_hash = $1";

#[derive(FromRow)]
struct Row {
    invitation_id: Uuid,
    account_id: Uuid,
    account_name: String,
    email: String,
    role: String,
    inviter: String,
    created_at: At,
    sent_at: At,
    expires_at: At,
}

impl TryFrom<Row> for Invitation {
    type Error = Failure;

    fn try_from(row: Row) -> Result<Self, Failure> {
        Ok(Self {
            id: InvitationId::from_uuid(row.invitation_id),
            account_id: AccountId::from_uuid(row.account_id),
            account_name: row.account_name,
            email: row.email,
            role: known_role(&row.role)?,
            inviter: row.inviter,
            created_at: row.created_at.0,
            sent_at: row.sent_at.0,
            expires_at: row.expires_at.0,
        })
    }
}

impl Engine {
    pub(super) async fn insert_invitation_once(
        &self,
        new: &NewInvitation,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let account = new.account_id;
        let email_folded = fold(&new.email);
        let mut transaction = self.begin().await?;
        hold(&mut transaction, account).await?;
        let by = (account, new.by);
        expect_authority(&mut transaction, by, Capability::ManageMembers, &[new.role]).await?;
        let member: Option<i32> = sqlx::query_scalar(IS_MEMBER)
            .bind(account.as_uuid())
            .bind(&email_folded)
            .fetch_optional(&mut *transaction)
            .await?;
        if member.is_some() {
            return Err(Failure::Conflict("member"));
        }
        sqlx::query(CLOSE_EXPIRED)
            .bind(account.as_uuid())
            .bind(&email_folded)
            .bind(At(new.at))
            .execute(&mut *transaction)
            .await?;
        let open: i64 = sqlx::query_scalar(COUNT_OPEN)
            .bind(account.as_uuid())
            .fetch_one(&mut *transaction)
            .await?;
        if open >= OPEN_MAX {
            return Err(Failure::Refused(TOO_MANY));
        }
        sqlx::query(INSERT)
            .bind(new.id.as_uuid())
            .bind(account.as_uuid())
            .bind(without_nul(new.email.trim()))
            .bind(&email_folded)
            .bind(new.role.as_str())
            .bind(&new.token_hash[..])
            .bind(new.by.as_uuid())
            .bind(At(new.at))
            .bind(At(new.expires_at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("invitation"))?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_invitations(
        &self,
        account: AccountId,
    ) -> Result<Vec<Invitation>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(OF_ACCOUNT)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    pub(super) async fn select_invitation(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invitation>, Failure> {
        let row: Option<Row> = sqlx::query_as(BY_LINK)
            .bind(&token_hash[..])
            .bind(At(now))
            .fetch_optional(&self.reader)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    pub(super) async fn update_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        renewal: &Renewal,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let done: Option<i32> = sqlx::query_scalar(RENEW)
            .bind(account.as_uuid())
            .bind(id.as_uuid())
            .bind(&renewal.token_hash[..])
            .bind(At(renewal.at))
            .bind(At(renewal.expires_at))
            .fetch_optional(&mut *transaction)
            .await?;
        done.ok_or_else(|| Failure::Missing(id.to_string()))?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn close_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let done: Option<i32> = sqlx::query_scalar(CLOSE)
            .bind(account.as_uuid())
            .bind(id.as_uuid())
            .bind(At(audit.at))
            .fetch_optional(&mut *transaction)
            .await?;
        done.ok_or_else(|| Failure::Missing(id.to_string()))?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn take_invitation(
        &self,
        token_hash: &[u8; 32],
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let gone = || Failure::Missing("invitation".to_owned());
        let mut transaction = self.begin().await?;
        let account: Option<Uuid> = sqlx::query_scalar(ACCOUNT_OF_LINK)
            .bind(&token_hash[..])
            .fetch_optional(&mut *transaction)
            .await?;
        let account = AccountId::from_uuid(account.ok_or_else(gone)?);
        hold(&mut transaction, account).await?;
        let taken: Option<(Uuid, String, String)> = sqlx::query_as(TAKE)
            .bind(&token_hash[..])
            .bind(At(audit.at))
            .bind(person.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let (_, invited, role) = taken.ok_or_else(gone)?;
        let (address, verified_at): (String, Option<At>) = sqlx::query_as(ADDRESS)
            .bind(person.as_uuid())
            .fetch_one(&mut *transaction)
            .await?;
        if address != invited {
            return Err(Failure::Refused(OTHER_ADDRESS));
        }
        verified_at.ok_or(Failure::Refused(UNVERIFIED_ADDRESS))?;
        let standing = (known_role(&role)?, "invite");
        let_into_account(&mut transaction, (account, person), standing, audit.at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }
}
