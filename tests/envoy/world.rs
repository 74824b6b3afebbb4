//! The world with a real Envoy: two workers, sockets on loopback, the clock on the wall.

use crate::admin::Admin;
use crate::app::App;
use crate::bootstrap::{self, Ports};
use crate::client::{self, Sent};
use crate::istio::plugin::WasmPlugin;
use crate::process::{Folder, Process, module};
use crate::server::Server;
use crate::support::config::Config;
use crate::support::message::{Answer, Request, get};
use crate::support::world::{Upstreams, World, answered_by_plugin, last_checks};
use firstsight::domain::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nothing that a scenario waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(3);

/// Ports of upstreams that are no scripts.
#[derive(Default)]
pub(crate) struct Others {
    pub(crate) issuer: Option<u16>,
    pub(crate) directory: Option<u16>,
}

/// How the plugin gets into the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// In its listener.
    Listener,
    /// Beside its listener, which only names it: as Istio does.
    Discovery,
}

impl Delivery {
    /// What whoever runs the suite wants (FIRSTSIGHT_DELIVERY).
    fn wanted() -> Self {
        match std::env::var("FIRSTSIGHT_DELIVERY").as_deref() {
            Err(_) | Ok("listener") => Self::Listener,
            Ok("discovery") => Self::Discovery,
            Ok(other) => panic!("FIRSTSIGHT_DELIVERY is `listener` or `discovery`, not `{other}`"),
        }
    }
}

/// An Envoy and the sockets around it.
pub(crate) struct EnvoyWorld {
    upstreams: Upstreams,
    envoy: Process,
    admin: Admin,
    delivery: Delivery,
    port: u16,
    version: u32,
    has_plugin: bool,
    only_reports: bool,
    /// It does not do what a proxy must, so it is not held to it.
    is_crippled: bool,
    _servers: [Server; 3],
}

impl World for EnvoyWorld {
    type Open = Sent;
    const WORKERS: usize = 2;
    const VMS: usize = 3;

    fn start(upstreams: Upstreams, config: &Config) -> Result<Self, String> {
        Self::beside(upstreams, config, Others::default())
    }

    fn update(&mut self, config: &Config) -> Result<(), String> {
        match self.delivery {
            Delivery::Listener => self.replace_listener(config)?,
            Delivery::Discovery => self.deliver(&WasmPlugin::firstsight(config))?,
        }
        self.only_reports = config.only_reports();
        Ok(())
    }

    fn remove_plugin(&mut self) {
        self.version += 1;
        self.write_listeners(None);
        self.until("the listener is gone", |world| {
            world.admin.stat("listener_manager.total_listeners_active") == 0
                && world.admin.stat("listener_manager.total_listeners_draining") == 0
        });
        self.has_plugin = false;
    }

    fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).expect("it is not that late"))
    }

    fn pass(&mut self, span: Duration) {
        thread::sleep(span);
    }

    fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            assert!(start.elapsed() < PATIENCE, "this never comes about: {what}\n{}", self.log());
            thread::sleep(GLANCE);
        }
    }

    fn open(&mut self, request: Request) -> Sent {
        client::send(self.port, &request)
    }

    fn answer(&mut self, open: Sent) -> Answer {
        client::receive(open)
            .unwrap_or_else(|| panic!("the connection ended without an answer\n{}", self.log()))
    }

    fn abort(&mut self, open: Sent) {
        drop(open);
    }

    fn counter(&self, name: &str) -> u64 {
        self.admin.stats(name).get(&format!("wasmcustom.{name}")).copied().unwrap_or(0)
    }

    fn log(&self) -> String {
        self.envoy.log()
    }

    fn every_worker_serves(&mut self) {
        if self.has_plugin {
            let only_reports = self.only_reports;
            self.at_every_worker(|world| answered_by_plugin(world.send(get("/")), only_reports));
        }
        let reloads = self.admin.stats("vm_reload");
        assert!(reloads.values().all(|count| *count == 0), "a VM was lost: {reloads:?}\n{}", self.log());
        let log = self.log();
        let words = ["RuntimeError", "panicked", "backtrace", "restricted", "withholds"];
        let trapped = words.iter().find(|word| log.contains(*word));
        assert_eq!(trapped, None, "a VM trapped, or was not let do what it must:\n{log}");
    }
}

impl EnvoyWorld {
    /// The same with upstreams that are no scripts.
    pub(crate) fn beside(upstreams: Upstreams, config: &Config, others: Others) -> Result<Self, String> {
        let mut world = match Delivery::wanted() {
            Delivery::Listener => {
                Self::run(upstreams, others, Folder::new(), bootstrap::listener(&module(), config))?
            }
            Delivery::Discovery => Self::discovering(upstreams, others, &[WasmPlugin::firstsight(config)])?,
        };
        world.only_reports = config.only_reports();
        Ok(world)
    }

    /// A usual one whose listener was changed before Envoy got it; an update writes it without the change.
    pub(crate) fn with(config: &Config, change: impl FnOnce(&mut Value)) -> Result<Self, String> {
        let mut listener = bootstrap::listener(&module(), config);
        change(&mut listener);
        Self::run(Upstreams::default(), Others::default(), Folder::new(), listener)
    }

    /// An Envoy that withholds something from the module.
    pub(crate) fn without(capability: &str, config: &Config) -> Result<Self, String> {
        let mut world = Self::with(config, |listener| bootstrap::withhold(listener, capability))?;
        world.is_crippled = true;
        Ok(world)
    }

    /// The same with plugins that are delivered as Istio does, in this order.
    pub(crate) fn discovering(
        upstreams: Upstreams,
        others: Others,
        plugins: &[WasmPlugin],
    ) -> Result<Self, String> {
        let folder = Folder::new();
        for plugin in plugins {
            folder.write(&plugin.file(), &plugin.delivered(1));
        }
        let filters = plugins.iter().map(|plugin| plugin.filter(&folder)).collect();
        let mut world = Self::run(upstreams, others, folder, bootstrap::listener_with(filters))?;
        world.delivery = Delivery::Discovery;
        Ok(world)
    }

    /// Runs a proxy with this listener, and returns when it listens.
    fn run(upstreams: Upstreams, others: Others, folder: Folder, listener: Value) -> Result<Self, String> {
        let servers = [
            Server::of(Arc::new(upstreams.issuer.clone())),
            Server::of(Arc::new(upstreams.directory.clone())),
            Server::of(Arc::new(App::default())),
        ];
        let [issuer, directory, app] = servers.each_ref().map(|server| server.port);
        let ports = Ports {
            issuer: others.issuer.unwrap_or(issuer),
            directory: others.directory.unwrap_or(directory),
            app,
        };
        let lds = folder.write("lds.json", &bootstrap::listeners(1, Some(listener)));
        let path = folder.write("bootstrap.json", &bootstrap::bootstrap(ports, Some(&lds), None));
        let mut envoy = Process::start(folder, &path);
        let admin = wait(&mut envoy, "admin", |envoy| {
            Admin::read(&std::fs::read_to_string(envoy.folder().file("admin")).ok()?)
        });
        let port = wait(&mut envoy, "listener", |_| match admin.stat("update_rejected") {
            0 => admin.listener().map(Some),
            _ => Some(None),
        });
        let Some(port) = port else { return Err(envoy.log()) };
        Ok(Self {
            upstreams,
            envoy,
            admin,
            delivery: Delivery::Listener,
            port,
            version: 1,
            has_plugin: true,
            only_reports: false,
            is_crippled: false,
            _servers: servers,
        })
    }

    pub(crate) fn admin(&self) -> Admin {
        self.admin
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where the proxy's files are.
    pub(crate) fn folder(&self) -> &Folder {
        self.envoy.folder()
    }

    /// Connections of each worker so far.
    fn connections(&self) -> Vec<u64> {
        let stats = self.admin.stats("worker_[0-9].downstream_cx_total");
        stats.into_values().collect()
    }

    /// Sends requests until every worker has answered one.
    #[track_caller]
    pub(crate) fn at_every_worker(&mut self, mut send: impl FnMut(&mut Self)) {
        let before = self.connections();
        for _ in 0..200 {
            send(self);
            if self.connections().iter().zip(&before).all(|(now, before)| now > before) {
                return;
            }
        }
        panic!("one worker takes no connections: {:?}", self.admin.stats("downstream_cx_total"));
    }

    /// Delivers a plugin that the listener names, and returns when it serves; the workers have it before any request that
    /// is sent afterwards.
    ///
    /// # Errors
    /// What the proxy logged, if it refuses it and keeps the old one.
    pub(crate) fn deliver(&mut self, plugin: &WasmPlugin) -> Result<(), String> {
        let subscription = format!("extension_config_discovery.http_filter.{}", plugin.resource());
        self.told(&subscription, |world| {
            world.folder().write(&plugin.file(), &plugin.delivered(world.version));
        })
    }

    fn replace_listener(&mut self, config: &Config) -> Result<(), String> {
        self.told("listener_manager.lds", |world| world.write_listeners(Some(config)))?;
        self.until("the old configuration is gone", |world| {
            world.admin.stat("listener_manager.total_filter_chains_draining") == 0
                && world.admin.stat("listener_manager.total_listeners_draining") == 0
        });
        self.port = self.admin.listener().expect("the listener is still there");
        Ok(())
    }

    /// Writes something anew that the proxy watches under this name, and waits until it takes it.
    fn told(&mut self, subscription: &str, write: impl FnOnce(&Self)) -> Result<(), String> {
        let updates = |world: &Self, word: &str| world.admin.stat(&format!("{subscription}.update_{word}"));
        let (taken, rejected) = (updates(self, "success"), updates(self, "rejected"));
        self.version += 1;
        write(self);
        self.until("the update is taken or rejected", |world| {
            updates(world, "success") > taken || updates(world, "rejected") > rejected
        });
        if updates(self, "rejected") > rejected { Err(self.log()) } else { Ok(()) }
    }

    fn write_listeners(&self, config: Option<&Config>) {
        let listener = config.map(|config| bootstrap::listener(&module(), config));
        self.folder().write("lds.json", &bootstrap::listeners(self.version, listener));
    }
}

impl Drop for EnvoyWorld {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            // The test harness shows what a failed test wrote.
            std::io::Write::write_all(&mut std::io::stderr(), tail.join("\n").as_bytes()).ok();
        } else if !self.is_crippled {
            last_checks(self);
        }
    }
}

/// Waits until Envoy has started so far; fails if it ends before.
fn wait<T>(envoy: &mut Process, what: &str, find: impl Fn(&Process) -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find(envoy) {
            return found;
        }
        let over = envoy.ended().is_some() || start.elapsed() > PATIENCE;
        assert!(!over, "Envoy has no {what}:\n{}", envoy.log());
        thread::sleep(GLANCE);
    }
}
