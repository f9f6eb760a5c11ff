//! Stories through the real binary: a node of its own for each, simulated providers behind it, and only
//! HTTP and the command line between. Each is told twice: for one process with nothing beside it, and
//! for PostgreSQL and Redis.
//!
//! `world.rs` says what a story starts from; every other file is one subject.

#[macro_use]
mod world;
mod own;
mod people;
mod signed_in;
mod visitor;

mod activity;
mod console_chat;
mod first_generation;
mod generation_lookup_right_after_stream;
mod models_and_endpoints;

mod agent_session_stays_warm;

mod all_providers_fail;
mod availability_codes;
mod error_after_first_token;
mod fallback_after_429;
mod fallback_after_5xx_before_first_token;
mod fallbacks_by_cause;
mod first_token_limits;
mod health_is_shared_between_nodes;
mod hedging;

mod privacy_receipt;
mod route_explain;
mod route_replay;
mod standing_policy;
mod unknown_model_and_unavailable;
mod zdr_request_never_reaches_retaining;

mod golden_own_credentials;
mod own_credentials_apart;
mod own_credentials_serve;
mod supplied_credentials;
mod t04_tampered_credentials;
mod t17_own_credentials_change_everywhere;

mod insufficient_credits;
mod key_limit;
mod two_nodes_one_balance;

mod client_hangs_up_mid_stream;
mod graceful_stop;
mod kill_nine_mid_streams;

mod sign_up;
mod t19_sessions;
mod t20_second_factor;

mod hostile_bearers;
mod key_expired_or_unknown;
mod key_revoked;
mod key_service_guards_the_keys;
mod manage_keys;
mod managed;
mod management_vs_inference;
mod organizations;
mod own_credentials_managed;
mod revoked_under_load;
mod roles_in_the_console;
mod t18_codes_for_keys;
mod who_may_what;
mod workspaces;

mod azure_resources;
mod chat_served_by_anthropic;
mod prompt_caches;
mod sse_is_well_formed;
mod unknown_fields_forwarded_same_dialect_only;

mod core_dumps;
mod keyring_trouble;
mod keys_retire_and_shred;
mod keys_rotate_under_traffic;

mod body_limits;
mod commands_are_audited;
mod console_is_strict;
mod console_keys;
mod console_privacy;
mod console_provider_keys;
mod cors;
mod logs_hold_no_prompt_or_key;
mod redirects_and_proxy_variables_ignored;
mod t33_headers_stay_on_their_side;

mod catalog_reload_on_sighup;
mod config_check;
