//! Statements that are put together: which table tells a dimension, and how a filter reads in SQL. The
//! text is made of constants and placeholders only.

use sqlx::{Arguments as _, AssertSqlSafe, Database, Encode, Type, error::BoxDynError};

use super::super::super::Db;
use crate::{
    activity::{Bound, Condition, Dimension, Filter, RowMeasure, Value, foreign_id},
    failure::Failure,
    portable::without_nul,
};

type Arguments = <Db as Database>::Arguments;

/// Where sums are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Source {
    /// Generations, as `g`.
    Rows,
    /// Roll-ups: sums as `h`, their series as `s`.
    RollUps,
}

impl Source {
    /// The expression that tells a dimension.
    pub(super) fn expression(self, dimension: Dimension) -> Result<&'static str, Failure> {
        Ok(match (dimension, self) {
            (Dimension::Workspace, _) => "s.workspace_id",
            (Dimension::ApiKey, _) => "s.api_key_id",
            (Dimension::User, _) => {
                "(SELECT k.creator_id FROM api_keys AS k WHERE k.api_key_id = s.api_key_id)"
            }
            (Dimension::Model, _) => "s.model",
            (Dimension::Variant, _) => "s.variant",
            (Dimension::Provider, _) => "s.provider",
            (Dimension::Endpoint, _) => "s.endpoint_id",
            (Dimension::Status, _) => "s.status",
            (Dimension::FinishReason, _) => "s.finish_reason",
            (Dimension::Byok, _) => "CASE WHEN s.is_byok THEN 'true' ELSE 'false' END",
            (Dimension::Credential, _) => "s.byok_credential_id",
            (Dimension::App, _) => "s.app",
            (Dimension::Session, Self::Rows) => "g.session_id",
            (Dimension::ExternalUser, Self::Rows) => "g.external_user",
            (Dimension::ContextLength, Self::Rows) => {
                "CASE WHEN g.prompt_tokens < 1000 THEN '0-1K'
                WHEN g.prompt_tokens < 10000 THEN '1K-10K'
                WHEN g.prompt_tokens < 100000 THEN '10K-100K'
                WHEN g.prompt_tokens < 1000000 THEN '100K-1M' ELSE '1M+' END"
            }
            (Dimension::Generation, Self::Rows) => "g.generation_id",
            (
                Dimension::Session
                | Dimension::ExternalUser
                | Dimension::ContextLength
                | Dimension::Generation,
                Self::RollUps,
            ) => {
                let what = format!("roll-ups do not tell {dimension:?}");
                return Err(Failure::Inconsistent(what));
            }
        })
    }

    /// The tables with their series, up to and with `WHERE`. A cross join, because one engine takes
    /// its tables in the order in which they are named: sums are walked and series looked up, never the
    /// other way around.
    pub(in super::super) const fn tables(self) -> &'static str {
        match self {
            Self::Rows => {
                " FROM generations AS g CROSS JOIN activity_series AS s
                WHERE s.account_id = g.account_id AND s.series_id = g.series_id AND "
            }
            Self::RollUps => {
                " FROM activity AS h CROSS JOIN activity_series AS s
                WHERE s.account_id = h.account_id AND s.series_id = h.series_id AND "
            }
        }
    }
}

/// Whether the filter asks for anything that a series says.
pub(in super::super) fn asks_series(filter: &Filter) -> bool {
    filter.conditions.iter().any(|condition| match condition {
        Condition::AnyOf(dimension, _) | Condition::NoneOf(dimension, _) => {
            dimension.is_rolled_up()
        }
        Condition::Bounded(..) => false,
    })
}

const fn measured(measure: RowMeasure) -> &'static str {
    match measure {
        RowMeasure::Charge => "g.charge",
        RowMeasure::ListPrice => "g.list_price",
        RowMeasure::PromptTokens => "g.prompt_tokens",
        RowMeasure::CompletionTokens => "g.completion_tokens",
        RowMeasure::FirstToken => "g.first_token_ms",
        RowMeasure::Duration => "g.generation_time_ms",
    }
}

const fn operator(bound: Bound) -> &'static str {
    match bound {
        Bound::Above => " > ",
        Bound::AtLeast => " >= ",
        Bound::Below => " < ",
        Bound::AtMost => " <= ",
        Bound::Exactly => " = ",
        Bound::Not => " <> ",
    }
}

/// A statement being put together.
pub(in super::super) struct Composed {
    sql: String,
    arguments: Arguments,
    error: Option<BoxDynError>,
}

impl Composed {
    pub(in super::super) fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            arguments: Arguments::default(),
            error: None,
        }
    }

    pub(in super::super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(in super::super) fn bind<'v>(
        &mut self,
        value: impl Encode<'v, Db> + Type<Db>,
    ) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self.arguments
            .format_placeholder(&mut self.sql)
            .expect("a string can always be written to");
        self
    }

    /// Adds ` AND …` for each condition.
    pub(in super::super) fn filter(
        &mut self,
        source: Source,
        filter: &Filter,
    ) -> Result<&mut Self, Failure> {
        for condition in &filter.conditions {
            self.push(" AND ");
            match condition {
                Condition::AnyOf(dimension, values) => {
                    self.among(source, *dimension, values, Among::Any)?;
                }
                Condition::NoneOf(dimension, values) => {
                    self.among(source, *dimension, values, Among::None)?;
                }
                Condition::Bounded(measure, bound, value) => {
                    self.push(measured(*measure)).push(operator(*bound));
                    self.bind(*value);
                }
            }
        }
        Ok(self)
    }

    fn among(
        &mut self,
        source: Source,
        dimension: Dimension,
        values: &[Option<Value>],
        among: Among,
    ) -> Result<(), Failure> {
        let expression = source.expression(dimension)?;
        let known: Vec<_> = values.iter().flatten().collect();
        self.push("(");
        match (known.is_empty(), among) {
            (true, Among::Any) => self.push("1 = 0"),
            (true, Among::None) => self.push("1 = 1"),
            (false, Among::Any) => self.push(expression).push(" IN ("),
            (false, Among::None) => self.push(expression).push(" NOT IN ("),
        };
        for (index, value) in known.iter().enumerate() {
            self.push(if index == 0 { "" } else { ", " });
            self.value(dimension, value)?;
        }
        self.push(if known.is_empty() { "" } else { ")" });
        match (among, values.contains(&None)) {
            (Among::Any, true) | (Among::None, false) => {
                self.push(" OR ").push(expression).push(" IS NULL");
            }
            (Among::None, true) => {
                self.push(" AND ").push(expression).push(" IS NOT NULL");
            }
            (Among::Any, false) => {}
        }
        self.push(")");
        Ok(())
    }

    fn value(&mut self, dimension: Dimension, value: &Value) -> Result<(), Failure> {
        match (value, dimension) {
            (Value::Id(id), _) if dimension.is_id() => self.bind(*id),
            (Value::Text(text), Dimension::Session | Dimension::ExternalUser) => {
                self.bind(foreign_id(text).into_owned())
            }
            (Value::Text(text), _) if !dimension.is_id() => {
                self.bind(without_nul(text).into_owned())
            }
            _ => {
                let what = format!("{dimension:?} has no such value as {value:?}");
                return Err(Failure::Inconsistent(what));
            }
        };
        Ok(())
    }

    pub(in super::super) fn finish(self) -> Result<(AssertSqlSafe<String>, Arguments), Failure> {
        match self.error {
            None => Ok((AssertSqlSafe(self.sql), self.arguments)),
            Some(error) => Err(Failure::Sql(sqlx::Error::Encode(error))),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    Any,
    None,
}
