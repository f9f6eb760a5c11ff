//! Sets the gateway up as an operator would, in a folder of its own: catalogue, account, key,
//! credit, provider keys. Then starts it with everything on.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    catalog,
    child::{self, Pinned},
    simulated,
    target::{Target, Way},
};

const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
const READY_TIMEOUT: Duration = Duration::from_secs(15);
const READY_POLL: Duration = Duration::from_millis(50);
const LOG_SHOWN_LINES: usize = 20;

/// A gateway that serves. It ends with this value, and its folder goes after it.
pub(crate) struct Gateway {
    process: Pinned,
    pub(crate) target: Target,
    _setup: Setup,
}

/// How a gateway is to be started.
pub(crate) struct Setup {
    binary: PathBuf,
    folder: Folder,
    environment: Vec<(String, String)>,
    listen: SocketAddr,
}

/// A folder that is removed with this value.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind lies in the system's temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Gateway {
    /// Ends the gateway; only then is its folder removed.
    pub(crate) async fn stop(self) -> io::Result<()> {
        self.process.kill().await
    }
}

impl Setup {
    /// Prepares the folder and the environment.
    pub(crate) async fn prepare(
        binary: &Path,
        providers: SocketAddr,
        extra_environment: &[String],
    ) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("switchyard-bench-{}", std::process::id()));
        let folder = Folder(folder);
        let (data, catalog) = (folder.0.join("data"), folder.0.join("catalog"));
        fs::create_dir_all(&data)?;
        fs::create_dir_all(&catalog)?;
        for (name, contents) in catalog::files(providers) {
            fs::write(catalog.join(name), contents.to_string())?;
        }
        let (listen, admin) = (free_address().await?, free_address().await?);
        let mut environment = vec![
            (
                "SWITCHYARD__DATA_DIR".to_owned(),
                data.display().to_string(),
            ),
            (
                "SWITCHYARD__CATALOG__DIR".to_owned(),
                catalog.display().to_string(),
            ),
            ("SWITCHYARD__SERVER__LISTEN".to_owned(), listen.to_string()),
            ("SWITCHYARD__ADMIN__LISTEN".to_owned(), admin.to_string()),
            (
                "SWITCHYARD__EGRESS__OPERATOR_PRIVATE_CIDRS".to_owned(),
                "127.0.0.0/8".to_owned(),
            ),
        ];
        for setting in extra_environment {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| io::Error::other(format!("`{setting}` is not KEY=VALUE")))?;
            environment.push((key.to_owned(), value.to_owned()));
        }
        Ok(Self {
            binary: binary.to_owned(),
            folder,
            environment,
            listen,
        })
    }

    /// Runs the operator's commands, then the gateway itself on `core`.
    pub(crate) async fn start(self, core: usize) -> io::Result<Gateway> {
        let account = self
            .call(&["account", "create", "--email", "bench@example.com"], "")
            .await?;
        let account = text(&account, "account_id")?;
        let key = self
            .call(
                &["key", "create", "--account", &account, "--name", "bench"],
                "",
            )
            .await?;
        let key = text(&key, "key")?;
        let grant = [
            "credit",
            "grant",
            "--account",
            &account,
            "--usd",
            "100000",
            "--reason",
            "bench",
        ];
        self.call(&grant, "").await?;
        for provider in simulated::all_providers() {
            self.call(&["provider-key", "set", provider], "simulated-provider-key")
                .await?;
        }
        let log = self.folder.0.join("gateway.log");
        let log_file = fs::File::create(&log)?;
        let mut command = child::on_core(core, &self.binary);
        command.arg("serve").stdin(Stdio::null());
        command.stdout(log_file.try_clone()?).stderr(log_file);
        self.set_environment(&mut command);
        let mut process = Pinned::spawn(&mut command)?;
        if let Err(error) = self.wait_until_ready(&mut process).await {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(LOG_SHOWN_LINES).collect();
            let shown: Vec<&str> = lines.into_iter().rev().collect();
            return Err(io::Error::other(format!(
                "{error}; its log ends:\n{}",
                shown.join("\n")
            )));
        }
        let target = Target {
            way: Way::Gateway,
            address: self.listen,
            path: "/api/v1/chat/completions".to_owned(),
            authorization: format!("Bearer {key}"),
            pid: Some(process.pid()),
        };
        Ok(Gateway {
            process,
            target,
            _setup: self,
        })
    }

    async fn wait_until_ready(&self, process: &mut Pinned) -> io::Result<()> {
        let ready = async {
            while TcpStream::connect(self.listen).await.is_err() {
                if let Some(status) = process.ended() {
                    return Err(io::Error::other(format!(
                        "the gateway ended at once: {status}"
                    )));
                }
                sleep(READY_POLL).await;
            }
            Ok(())
        };
        timeout(READY_TIMEOUT, ready)
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the gateway did not listen in time")))
    }

    /// One operator's command; its JSON.
    async fn call(&self, arguments: &[&str], input: &str) -> io::Result<Value> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--json").kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.set_environment(&mut command);
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may be gone already.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = timeout(COMMAND_TIMEOUT, child.wait_with_output()).await;
        let output = output.map_err(|_| io::Error::other("the command took too long"))??;
        let named = || format!("switchyard {}", arguments[..2].join(" "));
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!(
                "`{}` failed: {}",
                named(),
                errors.trim()
            )));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| io::Error::other(format!("`{}` printed no JSON: {error}", named())))
    }

    /// The embedded set-up, unless settings given on the command line say otherwise.
    fn set_environment(&self, command: &mut Command) {
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL");
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
    }
}

fn text(value: &Value, key: &str) -> io::Result<String> {
    let text = value.get(key).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| io::Error::other(format!("the answer has no `{key}`")))
}

/// An address that was free a moment ago.
async fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").await?.local_addr()
}
