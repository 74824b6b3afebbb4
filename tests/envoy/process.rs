//! One Envoy process and its files; both are gone when it is dropped.

use crate::support::config::ENVIRONMENT;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct Process {
    child: Child,
    folder: Folder,
}

/// A folder of its own for each process.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("firstsight-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Replaces a file in one step, as whoever watches it must never see half of it.
    pub(crate) fn write(&self, name: &str, content: &Value) -> PathBuf {
        let (new, path) = (self.file("new"), self.file(name));
        fs::write(&new, content.to_string())
            .and_then(|()| fs::rename(&new, &path))
            .expect("a file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Process {
    /// Starts Envoy with the bootstrap of that name in `folder`.
    pub(crate) fn start(folder: Folder, bootstrap: &Path) -> Self {
        let envoy = program();
        let log = File::create(folder.file("log")).expect("a log can be written");
        let child = Command::new(&envoy)
            .arg("--config-path")
            .arg(bootstrap)
            .arg("--admin-address-path")
            .arg(folder.file("admin"))
            .args(["--concurrency", "2", "--disable-hot-restart", "--drain-time-s", "1"])
            .args(["--log-level", "warning", "--component-log-level", "wasm:debug"])
            .envs(ENVIRONMENT.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("FIRSTSIGHT_ENVOY ({envoy}) does not start: {error}"));
        Self { child, folder }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The exit code, if it has ended; -1 if a signal ended it.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = self.child.try_wait().expect("a child can be asked");
        status.map(|status| status.code().unwrap_or(-1))
    }

    /// Waits until it has ended, and returns the exit code.
    #[track_caller]
    pub(crate) fn end(&mut self, patience: Duration) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(code) = self.ended() {
                return code;
            }
            assert!(start.elapsed() < patience, "it runs:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.folder.file("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The proxy.
pub(crate) fn program() -> String {
    std::env::var("FIRSTSIGHT_ENVOY").unwrap_or_else(|_| "envoy".to_owned())
}

/// The module under test.
pub(crate) fn module() -> PathBuf {
    built("FIRSTSIGHT_WASM", "dist/firstsight.wasm", "make wasm")
}

/// A module that the environment names, or that is where it is built.
pub(crate) fn built(variable: &str, usually: &str, command: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| usually.into(), PathBuf::from);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    assert!(path.exists(), "{} is not there; build it with `{command}`", path.display());
    path
}
