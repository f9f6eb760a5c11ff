//! What every command that touches data stands on: configuration, database, keyring, vault.

mod key_provider;

use std::{
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, OnceLock},
};

use switchyard_app::{
    audit::KeyedLinks,
    credentials::Credentials,
    idempotency::Idempotency,
    keys::Keys,
    mail::{Mailer, NoMail},
    oauth::OAuth,
    organizations::Organizations,
    own_credentials::{OwnCredentialParts, OwnCredentials},
    people::{
        People, PeopleParts,
        proofs::{ProofParts, ProofSettings, Proofs},
    },
    policies::Policies,
    random::RandomSource,
    receipts::Receipts,
    tenant_keys,
    vault_upkeep::VaultUpkeep,
    workspaces::{WorkspaceParts, Workspaces},
};
use switchyard_coordination::{Coordination, in_process::InProcess};
use switchyard_domain::{clock::Clock, id::NodeId};
use switchyard_identity::password::Cost;
use switchyard_store::{OpenOptions, Store};
use switchyard_vault::{
    KeyProvider, OsRandom, Vault, VaultSettings,
    key_provider::{LiveKeyring, SealedRows},
};

use uuid::Uuid;

use crate::{
    commands::CommandError,
    config::Config,
    serve::redis,
    system::{SystemClock, SystemRandom},
};

/// An open deployment.
pub(crate) struct Foundation {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) store: Store,
    /// Keys what is compared and never opened, whoever guards the outermost keys.
    pub(crate) keyring: Arc<LiveKeyring>,
    key_provider: Arc<dyn KeyProvider>,
    /// One for all, so that what one part has it forget is forgotten.
    vault: OnceLock<Arc<Vault>>,
}

impl Foundation {
    /// Opens the database, brings it up to date where that is wanted, and opens the keyring.
    pub(crate) async fn open(config: Config) -> Result<Self, CommandError> {
        create_private_dir(&config.data_dir)?;
        let url = config.database_url();
        if let Some(parent) = sqlite_parent(&url) {
            create_private_dir(parent)?;
        }
        let store = switchyard_store::open(&url, &OpenOptions::default())
            .await
            .map_err(|error| CommandError::caused("cannot open the database", error))?;
        if config.migrate_on_start {
            store.migrate().await.map_err(|error| {
                CommandError::caused("cannot bring the database's schema up to date", error)
            })?;
        }
        let keyring = Arc::new(open_keyring(&config, &store).await?);
        store.link_audit_with(Arc::new(KeyedLinks::new(keyring.audit_keys())));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let key_provider = key_provider::key_provider(&config.key_guard, &keyring, &clock)?;
        Ok(Self {
            config,
            clock,
            random: Arc::new(SystemRandom),
            store,
            keyring,
            key_provider,
            vault: OnceLock::new(),
        })
    }

    pub(crate) fn vault(&self) -> Arc<Vault> {
        let vault = self.vault.get_or_init(|| {
            let rows = tenant_keys::DirectoryTenantKeys::new(Arc::clone(&self.store.directory));
            Arc::new(Vault::new(
                Arc::clone(&self.key_provider),
                Arc::new(rows),
                Arc::new(OsRandom),
                Arc::clone(&self.clock),
                VaultSettings::default(),
            ))
        });
        Arc::clone(vault)
    }

    pub(crate) fn vault_upkeep(&self) -> VaultUpkeep {
        VaultUpkeep::new(self.vault(), Arc::clone(&self.store.sealed))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(
            Arc::clone(&self.store.directory),
            self.vault(),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    pub(crate) fn own_credentials(&self, coordination: Arc<dyn Coordination>) -> OwnCredentials {
        OwnCredentials::new(OwnCredentialParts {
            store: Arc::clone(&self.store.own_credentials),
            directory: Arc::clone(&self.store.directory),
            vault: self.vault(),
            fingerprints: self.keyring.fingerprint_key(),
            coordination,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
        })
    }

    pub(crate) fn receipts(&self) -> Receipts {
        Receipts::new(
            Arc::clone(&self.store.receipts),
            self.vault(),
            Arc::clone(&self.clock),
        )
    }

    pub(crate) fn idempotency(&self) -> Idempotency {
        Idempotency::new(
            Arc::clone(&self.store.idempotency),
            self.vault(),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    /// People, for commands: those send no mail.
    pub(crate) fn people(&self) -> People {
        self.people_with(Arc::new(NoMail))
    }

    fn people_with(&self, mailer: Arc<dyn Mailer>) -> People {
        People::new(PeopleParts {
            store: Arc::clone(&self.store.people),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            secrets: Arc::new(OsRandom),
            mailer,
        })
    }

    /// How people prove who they are, at the console's address.
    pub(crate) fn proofs(
        &self,
        mailer: Arc<dyn Mailer>,
        sends_mail: bool,
        public_url: String,
    ) -> Proofs {
        let accounts = &self.config.accounts;
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Proofs::new(ProofParts {
            people: Arc::new(self.people_with(mailer)),
            store: Arc::clone(&self.store.proofs),
            ledger: Arc::clone(&self.store.ledger),
            vault: self.vault(),
            settings: ProofSettings {
                public_url,
                sends_mail,
                sign_up_is_open: accounts.sign_up_is_open,
                sign_up_credit: accounts.sign_up_credit,
                address_failures_max: accounts.address_failures_max,
                password_workers: accounts.password_workers.unwrap_or(cores),
                password_cost: Cost::LEAST,
            },
        })
    }

    pub(crate) fn organizations(&self) -> Organizations {
        Organizations::new(
            Arc::clone(&self.store.organizations),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    pub(crate) fn oauth(&self) -> OAuth {
        OAuth::new(
            Arc::clone(&self.store.oauth),
            self.config.allows_plain_challenges,
        )
    }

    pub(crate) fn workspaces(
        &self,
        policies: &Arc<Policies>,
        own_credentials: &Arc<OwnCredentials>,
    ) -> Workspaces {
        Workspaces::new(WorkspaceParts {
            store: Arc::clone(&self.store.tenancy),
            directory: Arc::clone(&self.store.directory),
            policies: Arc::clone(policies),
            own_credentials: Arc::clone(own_credentials),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
        })
    }

    pub(crate) fn keys(&self, coordination: Arc<dyn Coordination>) -> Keys {
        Keys::new(
            Arc::clone(&self.store.directory),
            coordination,
            self.keyring.peppers(),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    pub(crate) fn policies(&self, coordination: Arc<dyn Coordination>) -> Policies {
        Policies::new(
            Arc::clone(&self.store.directory),
            coordination,
            Arc::clone(&self.clock),
        )
    }

    /// How a command tells running nodes what changed. Without Redis they find out by themselves.
    pub(crate) fn command_coordination(&self) -> Result<Arc<dyn Coordination>, CommandError> {
        Ok(match &self.config.redis_url {
            // A command is no node; the id only tells its own news from others'.
            Some(url) => redis(url, NodeId::from_uuid(Uuid::nil()), self)?.0,
            None => Arc::new(InProcess::new(Arc::clone(&self.clock))),
        })
    }

    /// Keys the digests that conversations are remembered by. The same on every node that shares
    /// the keyring.
    pub(crate) fn conversation_secret(&self) -> [u8; 32] {
        self.keyring.conversation_secret()
    }

    /// This node's identity, which outlives restarts so that its leases and journal stay its own.
    pub(crate) fn node_id(&self) -> Result<NodeId, CommandError> {
        let path = self.config.data_dir.join("node-id");
        if let Ok(text) = fs::read_to_string(&path) {
            return text.trim().parse().map_err(|error| {
                CommandError::caused(format!("{} does not name a node", path.display()), error)
            });
        }
        let node = NodeId::from_uuid(self.random.uuid(self.clock.now()));
        fs::write(&path, format!("{node}\n")).map_err(|error| {
            CommandError::caused(format!("cannot write {}", path.display()), error)
        })?;
        Ok(node)
    }
}

async fn open_keyring(config: &Config, store: &Store) -> Result<LiveKeyring, CommandError> {
    let sealed = store
        .directory
        .holds_sealed_rows()
        .await
        .map_err(|error| CommandError::caused("cannot read the database", error))?;
    let sealed = if sealed {
        SealedRows::Exist
    } else {
        SealedRows::None
    };
    if let Some(parent) = config.keyring.parent() {
        create_private_dir(parent)?;
    }
    LiveKeyring::open_or_create(&config.keyring, sealed, Arc::new(OsRandom))
        .map_err(|error| CommandError::caused("cannot use the keyring", error))
}

fn sqlite_parent(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Path::new(path.trim_start_matches("//")).parent()
}

/// Makes a directory that only its owner can read, unless it is there.
pub(crate) fn create_private_dir(path: &Path) -> Result<(), CommandError> {
    use std::os::unix::fs::DirBuilderExt;
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| CommandError::caused(format!("cannot create {}", path.display()), error))
}
