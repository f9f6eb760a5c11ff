//! Rolls up what was posted without: before there were roll-ups, or by a program that did not know of
//! them. A generation is told to be rolled up in the transaction that does it, so a process that is
//! killed leaves nothing half done, and nothing is counted twice.

use sqlx::{AssertSqlSafe, types::Uuid};
use switchyard_billing::settlement::Settlement;

use super::{
    super::{
        super::TAKE_ROWS,
        Engine,
        generations::{GenerationRow, bind_told, select_generations},
        rows::Script,
    },
    Told,
};
use crate::{failure::Failure, generation::GenerationView, portable::At};

/// The newest first: they are looked at most.
const MISSING: &str = select_generations!(
    "generations AS g",
    "WHERE g.series_id IS NULL ORDER BY g.admitted_at DESC LIMIT $1"
);

/// What cannot be read is passed over, as of a series that there is not, so that it does not keep others
/// waiting.
const PASS_OVER: &str =
    "UPDATE generations SET series_id = $3 WHERE generation_id = $1 AND admitted_at = $2";

impl Engine {
    pub(in super::super) async fn roll_up_missing_once(&self, limit: u32) -> Result<u64, Failure> {
        let mut transaction = self.begin().await?;
        let rows: Vec<GenerationRow> =
            sqlx::query_as(AssertSqlSafe(format!("{MISSING}{TAKE_ROWS}")))
                .bind(i64::from(limit))
                .fetch_all(&mut *transaction)
                .await?;
        let found = rows.len() as u64;
        let mut settlements = Vec::with_capacity(rows.len());
        for row in rows {
            let place = (row.generation_id.clone(), row.admitted_at);
            match row.into_view() {
                Ok(view) => settlements.push(settlement(view)),
                Err(_) => {
                    sqlx::query(PASS_OVER)
                        .bind(place.0)
                        .bind(place.1)
                        .bind(Uuid::nil())
                        .execute(&mut *transaction)
                        .await?;
                }
            }
        }
        let mut script = Script::default();
        let told: Vec<_> = settlements.iter().map(Told::of).collect();
        push_told(&mut script, &told);
        let series = self.push_activity(&mut script, &told);
        script.run(&mut transaction).await?;
        transaction.commit().await?;
        self.known.series.extend(series);
        Ok(found)
    }
}

/// As it was posted, but for what it held.
fn settlement(view: GenerationView) -> Settlement {
    Settlement {
        generation_id: view.generation_id,
        account_id: view.account_id,
        workspace_id: view.workspace_id,
        api_key_id: view.api_key_id,
        admitted_at: view.admitted_at,
        finished_at: view.finished_at,
        request: view.request,
        served: view.served,
        usage: view.usage,
        usage_source: view.usage_source,
        charge: view.charge,
        holds: Vec::new(),
        attempts: view.attempts,
        decision: None,
        receipt: None,
    }
}

fn push_told(script: &mut Script, batch: &[Told<'_>]) {
    script.push_rows(
        "WITH told (
            generation_id, admitted_at, series_id, session_id, external_user, first_token_ms,
            generation_time_ms, cache_write_tokens, tools_charge, byok_list_price, cache_discount
        ) AS (",
        batch,
        |row, told| {
            let settlement = told.settlement;
            row.push_bind(settlement.generation_id.as_str().to_owned())
                .push_bind(At(settlement.admitted_at));
            bind_told(row, settlement, told.series_id);
        },
        ") UPDATE generations SET
            series_id = told.series_id, session_id = told.session_id,
            external_user = told.external_user, first_token_ms = told.first_token_ms,
            generation_time_ms = told.generation_time_ms,
            cache_write_tokens = told.cache_write_tokens, tools_charge = told.tools_charge,
            byok_list_price = told.byok_list_price, cache_discount = told.cache_discount
        FROM told
        WHERE generations.generation_id = told.generation_id
            AND generations.admitted_at = told.admitted_at",
    );
}
