//! Reading API keys with what they used.

use sqlx::FromRow;
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{AccountId, ApiKeyId, PersonId},
    money::UsdNanos,
};

use super::super::{
    Engine,
    api_keys::{KeyRow, UsageRow},
};
use crate::{
    api_key::{KeyDay, KeyFilter, KeySight, ManagedKey, Page},
    failure::Failure,
    portable::{At, Day, without_nul},
};

/// Keys with their limits and what each used, the sums of all of them in one pass.
macro_rules! select_keys {
    ($which:literal) => {
        concat!(
            "WITH page AS (
                SELECT
                    api_key_id, account_id, workspace_id, kind, name, label, hash, verifier,
                    pepper_version, expires_at, disabled, created_at, creator_id, lookup_id,
                    updated_at, last_used_at, external_user, revision, rotated_from, limit_key_id,
                    COUNT(*) OVER () AS matching
                FROM api_keys
                WHERE account_id = $5 AND deleted_at IS NULL AND label <> 'console'
                    AND ($6 OR kind = 'inference') AND ($7 IS NULL OR creator_id = $7) AND ",
            $which,
            "), used AS (
                SELECT
                    s.api_key_id,
                    SUM(s.charge) AS charge_total,
                    SUM(CASE WHEN s.day >= $1 THEN s.charge END) AS charge_daily,
                    SUM(CASE WHEN s.day >= $2 THEN s.charge END) AS charge_weekly,
                    SUM(CASE WHEN s.day >= $3 THEN s.charge END) AS charge_monthly,
                    SUM(s.byok_list_price) AS byok_total,
                    SUM(CASE WHEN s.day >= $1 THEN s.byok_list_price END) AS byok_daily,
                    SUM(CASE WHEN s.day >= $2 THEN s.byok_list_price END) AS byok_weekly,
                    SUM(CASE WHEN s.day >= $3 THEN s.byok_list_price END) AS byok_monthly,
                    SUM(s.requests) AS requests
                FROM key_spend AS s
                JOIN page AS p ON p.api_key_id = s.api_key_id
                WHERE s.day <= $4
                GROUP BY s.api_key_id
            )
            SELECT
                p.api_key_id, p.account_id, p.workspace_id, p.kind, p.name, p.label, p.hash,
                p.verifier, p.pepper_version, p.expires_at, p.disabled, p.created_at,
                p.creator_id, p.lookup_id, p.updated_at, p.last_used_at, p.external_user,
                p.revision, p.limit_key_id, p.matching, o.hash AS rotated_from,
                n.hash AS rotated_to, l.limit_nanos, l.reset_interval, l.include_byok,
                CAST(COALESCE(u.charge_total, 0) AS BIGINT) AS charge_total,
                CAST(COALESCE(u.charge_daily, 0) AS BIGINT) AS charge_daily,
                CAST(COALESCE(u.charge_weekly, 0) AS BIGINT) AS charge_weekly,
                CAST(COALESCE(u.charge_monthly, 0) AS BIGINT) AS charge_monthly,
                CAST(COALESCE(u.byok_total, 0) AS BIGINT) AS byok_total,
                CAST(COALESCE(u.byok_daily, 0) AS BIGINT) AS byok_daily,
                CAST(COALESCE(u.byok_weekly, 0) AS BIGINT) AS byok_weekly,
                CAST(COALESCE(u.byok_monthly, 0) AS BIGINT) AS byok_monthly,
                CAST(COALESCE(u.requests, 0) AS BIGINT) AS requests,
                CAST(COALESCE((
                    SELECT SUM(s.charge + CASE WHEN l.include_byok THEN s.byok_list_price ELSE 0 END)
                    FROM api_keys AS m
                    JOIN key_spend AS s ON s.api_key_id = m.api_key_id
                    WHERE (m.api_key_id = l.api_key_id OR m.limit_key_id = l.api_key_id)
                        AND s.day <= $4
                        AND s.day >= CASE l.reset_interval
                            WHEN 'daily' THEN $1 WHEN 'weekly' THEN $2 WHEN 'monthly' THEN $3
                            ELSE s.day END
                ), 0) AS BIGINT) AS limit_used
            FROM page AS p
            LEFT JOIN api_key_limits AS l
                ON l.api_key_id = COALESCE(p.limit_key_id, p.api_key_id)
            LEFT JOIN api_keys AS o ON o.api_key_id = p.rotated_from
            LEFT JOIN api_keys AS n ON n.rotated_from = p.api_key_id AND n.deleted_at IS NULL
            LEFT JOIN used AS u ON u.api_key_id = p.api_key_id
            ORDER BY p.created_at DESC, p.api_key_id DESC"
        )
    };
}

const ONE_KEY: &str = select_keys!("hash = $8");

const PAGE_OF_KEYS: &str = select_keys!(
    "workspace_id = $8
        AND ($9 IS NULL OR disabled = $9)
        AND ($10 IS NULL OR (expires_at IS NOT NULL AND expires_at <= $11) = $10)
        AND (NOT $12 OR last_used_at IS NULL)
        AND (
            $13 IS NULL
            OR LOWER(name) LIKE $13 ESCAPE '!' OR LOWER(label) LIKE $13 ESCAPE '!'
            OR hash LIKE $14 ESCAPE '!'
        )
    ORDER BY created_at DESC, api_key_id DESC
    LIMIT $15 OFFSET $16"
);

const DAYS: &str = "
    SELECT day, charge, byok_list_price, requests FROM key_spend
    WHERE api_key_id = $1 AND day >= $2 ORDER BY day";

#[derive(FromRow)]
struct DayRow {
    day: Day,
    charge: i64,
    byok_list_price: i64,
    requests: i64,
}

#[derive(FromRow)]
struct ManagedRow {
    #[sqlx(flatten)]
    key: KeyRow,
    #[sqlx(flatten)]
    usage: UsageRow,
    lookup_id: String,
    updated_at: At,
    last_used_at: Option<At>,
    external_user: Option<String>,
    revision: i64,
    rotated_from: Option<String>,
    rotated_to: Option<String>,
    matching: i64,
}

impl ManagedRow {
    fn into_managed(self) -> Result<ManagedKey, Failure> {
        let key = self.key.into_stored()?.key;
        Ok(ManagedKey {
            updated_at: Some(self.updated_at.0).filter(|at| *at != key.created_at),
            key,
            lookup_id: self.lookup_id,
            last_used_at: self.last_used_at.map(|at| at.0),
            external_user: self.external_user,
            revision: self.revision,
            rotated_from: self.rotated_from,
            rotated_to: self.rotated_to,
            usage: self.usage.into_usage(),
        })
    }
}

impl Engine {
    pub(super) async fn select_managed(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<ManagedKey>, Failure> {
        let [daily, weekly, monthly] = window_days(now);
        let row: Option<ManagedRow> = sqlx::query_as(ONE_KEY)
            .bind(daily)
            .bind(weekly)
            .bind(monthly)
            .bind(Day::of(now))
            .bind(account.as_uuid())
            .bind(sight.management)
            .bind(sight.creator.map(PersonId::as_uuid))
            .bind(without_nul(hash))
            .fetch_optional(&self.reader)
            .await?;
        row.map(ManagedRow::into_managed).transpose()
    }

    pub(super) async fn select_managed_page(
        &self,
        account: AccountId,
        filter: &KeyFilter,
        page: Page,
        now: Timestamp,
    ) -> Result<(Vec<ManagedKey>, u64), Failure> {
        let [daily, weekly, monthly] = window_days(now);
        let text = filter.text.as_deref().map(pattern);
        let rows: Vec<ManagedRow> = sqlx::query_as(PAGE_OF_KEYS)
            .bind(daily)
            .bind(weekly)
            .bind(monthly)
            .bind(Day::of(now))
            .bind(account.as_uuid())
            .bind(filter.sight.management)
            .bind(filter.sight.creator.map(PersonId::as_uuid))
            .bind(filter.workspace.as_uuid())
            .bind(filter.disabled)
            .bind(filter.expired)
            .bind(At(now))
            .bind(filter.never_used)
            .bind(text.as_ref().map(|text| format!("%{text}%")))
            .bind(text.as_ref().map(|text| format!("{text}%")))
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        let matching = rows.first().map_or(0, |row| row.matching);
        let keys = rows.into_iter().map(ManagedRow::into_managed);
        Ok((
            keys.collect::<Result<_, _>>()?,
            u64::try_from(matching).unwrap_or_default(),
        ))
    }

    pub(super) async fn select_key_days(
        &self,
        key: ApiKeyId,
        from: Timestamp,
    ) -> Result<Vec<KeyDay>, Failure> {
        let rows: Vec<DayRow> = sqlx::query_as(DAYS)
            .bind(key.as_uuid())
            .bind(Day::of(from))
            .fetch_all(&self.reader)
            .await?;
        let day = |row: DayRow| KeyDay {
            day: row.day.start(),
            charge: UsdNanos::new(row.charge),
            byok_list_price: UsdNanos::new(row.byok_list_price),
            requests: u64::try_from(row.requests).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(day).collect())
    }
}

/// A text that `LIKE` takes literally, with `!` before what means something to it.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in without_nul(text).to_lowercase().chars() {
        if matches!(character, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern
}

/// When the present day, week and month began.
fn window_days(now: Timestamp) -> [Day; 3] {
    [
        ResetInterval::Daily,
        ResetInterval::Weekly,
        ResetInterval::Monthly,
    ]
    .map(|interval| Day::of(interval.window_start(now)))
}
