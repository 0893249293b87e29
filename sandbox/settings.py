"""What a sandbox can be told at its start: one frozen value, the same for the class and for the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

DEFAULT_USERS: Mapping[str, str] = MappingProxyType(
    {"svc_portal": "svc-password", "steward": "steward-password", "guest": "guest-password"}
)
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105  # test data
#: spark-blacklist.conf as it stood when the answers were measured (real-behaviour.md §f).
BLACKLIST = (
    "spark.master",
    "spark.submit.deployMode",
    "spark.yarn.jar",
    "spark.yarn.jars",
    "spark.yarn.archive",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Defaults are those of the measured stack; seconds are virtual unless said otherwise."""

    speed: float = 1.0
    mode: str = "local"
    topology: str = "sandbox"
    users: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_USERS))
    #: Bearer token -> user, on the topology `tokenbased`.
    tokens: Mapping[str, str] = field(default_factory=lambda: {DEFAULT_TOKEN: "svc_portal"})
    recovery: bool = False
    impersonation: bool = False
    csrf: bool = False
    #: Real seconds that a start takes under Livy's lock.
    post_cost: float = 0.05
    #: Real seconds of silence after which Knox gives up (`gateway.httpclient.socketTimeout`).
    knox_timeout: float = 20.0
    retain: float = 600.0
    gc_interval: float = 60.0
    max_creation: int = 100
    app_lookup: float = 120.0
    #: Real seconds that the ResourceManager has been up when the sandbox starts.
    yarn_age: float = 0.0
    log_lines: int = 200
    blacklist: tuple[str, ...] = BLACKLIST
    #: `file` or `hdfs`: where a path without scheme lies.
    default_fs: str = "file"
    #: `livy.file.local-dir-whitelist`.
    local_dirs: tuple[str, ...] = ("/jobs/",)
    queues: tuple[str, ...] = ("default", "root.default", "datalake", "root.datalake")
    state_dir: Path | None = None
    #: JSON list of {path, type, owner, group, permission, length} in place of the built-in tree.
    hdfs_seed: Path | None = None
    #: Does a job die when its hdfs: file is not in the tree? False: only when its name begins with `missing`.
    check_hdfs: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("local", "yarn"):
            raise ValueError(f"mode must be local or yarn, not {self.mode!r}")
        if self.default_fs not in ("file", "hdfs"):
            raise ValueError(f"default_fs must be file or hdfs, not {self.default_fs!r}")
        if self.recovery and self.mode != "yarn":
            # Livy refuses to start: real-behaviour.md §g.
            raise ValueError("Session recovery requires YARN.")
