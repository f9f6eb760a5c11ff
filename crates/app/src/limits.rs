//! Every bound of the request path, in one place.

use std::time::Duration;

/// Endpoints tried for one request at most.
pub const ATTEMPTS_MAX: usize = 3;
/// Of these, attempts with a customer's own credentials come on top, at most so many.
pub const OWN_ATTEMPTS_MAX: usize = 8;
/// Retries among the attempts being opened at once, for each account and provider.
pub const RETRIES_SHARE_PERCENT: usize = 10;
/// Retries that are always allowed at once.
pub const RETRIES_FLOOR: usize = 3;
/// How long a retry waits for room in its budget.
pub const RETRY_PATIENCE: Duration = Duration::from_secs(2);
/// Of the requests that ask for hedging, those that may be hedged, in millionths.
pub const HEDGE_SHARE_PPM: u32 = 20_000;
/// Unused hedges that an account keeps, in millionths.
pub const HEDGE_CREDIT_MAX_PPM: u32 = 5_000_000;
/// Accounts whose unused hedges are remembered.
pub const HEDGE_ACCOUNTS_MAX: usize = 100_000;
/// Prompt tokens from which providers cache a prompt, and a conversation is worth remembering by its
/// opening.
pub const CACHEABLE_TOKENS_MIN: u64 = 1_024;
/// How long the end of an answer waits until its conversation's pin is set.
pub const PIN_PATIENCE: Duration = Duration::from_millis(50);
/// Steps that wait for a slow reader before the provider is no longer read.
pub const REPLY_CHANNEL_STEPS: usize = 32;
/// How long a caller may leave its answer unread before it counts as gone.
pub const READER_STALL_MAX: Duration = Duration::from_secs(30);
/// Requests served at once by one node.
pub const CONCURRENT_GENERATIONS_MAX: usize = 20_000;
/// Settlements that may wait for SQL before nothing new is admitted.
pub const UNPOSTED_MAX: usize = 200_000;
/// Settlements posted in one transaction.
pub const POST_BATCH_MAX: usize = 2_048;
/// How long the poster waits for a batch to fill.
pub const POST_LINGER: Duration = Duration::from_millis(200);
/// The longest pause between tries to reach SQL.
pub const POST_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long a lease holds without renewal.
pub const LEASE_LIFE: Duration = Duration::from_secs(120);
/// How often a node moves the expiry of its leases.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(20);
/// A lease that nothing was reserved from for this long goes back.
pub const LEASE_QUIET: Duration = Duration::from_secs(1);
/// How often a node looks for what lost nodes held.
pub const LEASE_SWEEP: Duration = Duration::from_secs(15);
/// How far the clocks of two nodes may differ.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);
/// How often leases are looked after.
pub const LEASE_TENDING: Duration = Duration::from_millis(500);
/// The longest name that a client gives a change which it may ask for twice.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long the answer to such a change is kept.
pub const IDEMPOTENCY_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// How long somebody who set out to carry one out may take before another may.
pub const IDEMPOTENCY_CLAIM_LIFE: Duration = Duration::from_secs(60);
/// How often answers that are past their time are forgotten.
pub const IDEMPOTENCY_UPKEEP: Duration = Duration::from_secs(600);
/// How often a node asks for changed API keys.
pub const KEY_POLL: Duration = Duration::from_millis(500);
/// How long a cached API key is trusted when nothing contradicts it.
pub const KEY_CACHE_LIFE: Duration = Duration::from_secs(60);
/// How long it is trusted while the database cannot be asked.
pub const KEY_CACHE_STALE_LIFE: Duration = Duration::from_secs(300);
/// Cached API keys.
pub const KEY_CACHE_ENTRIES_MAX: usize = 100_000;
/// API keys on a page of their list.
pub const KEYS_PER_PAGE: u32 = 100;
/// How often a change is made anew because somebody else changed the same thing.
pub const CHANGE_TRIES_MAX: usize = 5;
/// How often it is written down when API keys were presented last.
pub const KEY_USES_NOTING: Duration = Duration::from_secs(60);
/// API keys that may wait to be moved to a newer pepper.
pub const VERIFIER_RENEWALS_MAX: usize = 10_000;
/// How often they are moved.
pub const VERIFIER_RENEWAL: Duration = Duration::from_secs(1);
/// How often a node looks for new versions of the vault's keys and for shredded accounts. Well below
/// the five seconds within which every node must know.
pub const VAULT_UPKEEP: Duration = Duration::from_secs(2);
/// How often a node counts what each version of the vault's outermost key wraps.
pub const VAULT_COUNT: Duration = Duration::from_secs(60);
/// How long a rotation waits before it takes for granted that every node has heard of what it did:
/// the five seconds, and one for whoever was just reading.
pub const ROTATION_SETTLING: Duration = Duration::from_secs(6);
/// How often a node asks for changed provider credentials.
pub const CREDENTIAL_POLL: Duration = Duration::from_secs(2);
/// How often a node asks whether the guarded keys can be used.
pub const VAULT_CHECK: Duration = Duration::from_secs(15);
/// How often sign-ins that nobody finished are forgotten.
pub const PROOF_UPKEEP: Duration = Duration::from_secs(600);
/// How often a node asks for changed standing policies.
pub const POLICY_POLL: Duration = Duration::from_millis(500);
/// How long cached policies are trusted while the database cannot be asked whether they changed.
pub const POLICY_STALE_LIFE: Duration = Duration::from_secs(300);
/// API keys whose policies are cached.
pub const POLICY_CACHE_ENTRIES_MAX: usize = 100_000;
/// Generations that a replay reads at once.
pub const REPLAY_PAGE_MAX: u32 = 500;
/// Output tokens assumed for a model whose output limit nobody knows.
pub const OUTPUT_TOKENS_UNKNOWN_MAX: u64 = 32_768;
/// How often a node looks for receipts to be signed.
pub const RECEIPT_SIGNING: Duration = Duration::from_secs(1);
/// Receipts after which a node's turn is over.
pub const RECEIPTS_PER_TURN_MAX: usize = 10_000;
/// Receipts signed before others on the same thread get their turn.
pub const RECEIPTS_AT_A_STRETCH: usize = 16;
/// Receipts chained in one transaction.
pub const RECEIPT_BATCH_MAX: u32 = 128;
/// Workspaces whose receipts are signed in one turn.
pub const RECEIPT_WORKSPACES_MAX: u32 = 100;
/// Batches that an owner who asks for a receipt waits for.
pub const RECEIPT_TURNS_MAX: usize = 64;
/// How often the snapshot of endpoints' health is brought up to date.
pub const HEALTH_TURN: Duration = Duration::from_millis(250);
/// How often nodes tell each other of endpoints' health.
pub const HEALTH_EXCHANGE: Duration = Duration::from_secs(1);
/// How often a node asks for changed credentials of customers.
pub const OWN_CREDENTIAL_POLL: Duration = Duration::from_millis(500);
/// How long cached ones are trusted while the database cannot be asked whether they changed.
pub const OWN_CREDENTIAL_STALE_LIFE: Duration = Duration::from_secs(300);
/// API keys, and accounts, whose credentials are cached.
pub const OWN_CREDENTIAL_CACHE_ENTRIES_MAX: usize = 100_000;
/// Credentials that an account may store.
pub const OWN_CREDENTIALS_PER_ACCOUNT_MAX: u64 = 500;
/// Tries to store or change a credential while others change it, or the key that seals it.
pub const OWN_CREDENTIAL_TRIES_MAX: usize = 5;
/// Characters of a credential's name.
pub const CREDENTIAL_NAME_CHARS_MAX: usize = 255;
/// Entries of a list that says what a credential is for.
pub const CREDENTIAL_FILTER_ENTRIES_MAX: usize = 100;
/// Counts of openings that may wait for the database.
pub const OPENINGS_UNWRITTEN_MAX: usize = 100_000;
/// Times in a row that a credential's quota or rate is used up before its owner hears of it.
pub const CREDENTIAL_EXHAUSTIONS_MIN: u32 = 5;
/// Credentials whose standing a node remembers.
pub const CREDENTIALS_WATCHED_MAX: usize = 100_000;
/// Characters of a provider's words that are kept with a credential.
pub const CREDENTIAL_ERROR_CHARS_MAX: usize = 500;
/// How long a provider may take to answer when a credential is tried out.
pub const CREDENTIAL_CHECK_PATIENCE: Duration = Duration::from_secs(15);
/// How often they are written down, and what is seen of credentials with them.
pub const CREDENTIAL_NOTES_WRITING: Duration = Duration::from_secs(1);
/// Characters of a workspace's name.
pub const WORKSPACE_NAME_CHARS_MAX: usize = 100;
/// Characters of a workspace's slug.
pub const WORKSPACE_SLUG_CHARS_MAX: usize = 50;
/// Characters of a workspace's description.
pub const WORKSPACE_DESCRIPTION_CHARS_MAX: usize = 500;
/// People who are let into a workspace, or sent away, at once.
pub const WORKSPACE_PEOPLE_AT_ONCE_MAX: usize = 100;
/// Tries to change a workspace whose policy others are changing.
pub const WORKSPACE_TRIES_MAX: usize = 5;
/// How often a node looks for generations that no roll-up has.
pub const ROLL_UP_UPKEEP: Duration = Duration::from_secs(30);
/// Generations rolled up at once.
pub const ROLL_UP_BATCH: u32 = 500;
/// Batches of them in a turn.
pub const ROLL_UP_BATCHES_PER_TURN: u32 = 20;
/// Rows of the log that an export holds at a time.
pub const EXPORT_PAGE: u32 = 1_000;
/// How long a question about activity may take.
pub const ANALYTICS_PATIENCE: Duration = Duration::from_secs(10);
