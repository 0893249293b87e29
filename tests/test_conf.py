"""recovery/conf: every variable's default, what it takes, what it refuses and in which words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from recovery import conf
from recovery.conf import VARIABLES, Config, ConfigError, gateway_url, read
from recovery.domain.redaction import redact

GUIDE_SAMPLE = """{
  "spark.sql.shuffle.partitions": "200",        // Nombre partitions pour shuffle SQL
  "spark.dynamicAllocation.enabled": "true",    // Allocation dynamique des executors
  "spark.broadcast.blockSize": "128m"           // Taille broadcast
}"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing of the portal's is set, and `Config` reads anew after each `cache_clear`."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORTAL_ENV_FILE", "/dev/null")
    conf.reading.cache_clear()
    yield monkeypatch
    conf.reading.cache_clear()


@pytest.fixture
def env_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A `.env` that `Config` reads."""
    path = tmp_path / ".env"
    environment.setenv("PORTAL_ENV_FILE", str(path))
    return path


DEFAULTS: dict[str, Any] = {
    "KNOX_HOST": "",
    "KNOX_TOPOLOGY": "default",
    "KNOX_YARN_PATH": "",
    "KNOX_WEBHDFS_PATH": "",
    "KNOX_VERIFY_TLS": True,
    "KNOX_CA_BUNDLE": "",
    "AD_USER": "",
    "AD_PASSWORD": "",
    "AD_PASSWORD_FILE": "",
    "PROXY_USER": "sddesigner",
    "LIVY_JARS": (),
    "LIVY_FILES": (),
    "LIVY_ARCHIVES": (),
    "LIVY_PY_FILES": (),
    "LIVY_CONF": {},
    "LIVY_DRIVER_MEMORY": "4g",
    "LIVY_DRIVER_CORES": 2,
    "LIVY_EXECUTOR_MEMORY": "4g",
    "LIVY_EXECUTOR_CORES": 2,
    "LIVY_NUM_EXECUTORS": 4,
    "LIVY_QUEUE": "root.datalake",
    "LIVY_CLASS_NAME": "",
    "LIVY_ARGS_MODE": "single",
    "LIVY_DESCRIPTION": "",
    "LIVY_URI_SCHEMES": ("hdfs", "viewfs", "s3a", "abfs", "abfss", "gs", "ofs", "http", "https"),
    "LIVY_SINGLE": True,
    "LIVY_RECOVERY": False,
    "LIVY_RETENTION": 600,
    "PORTAL_POLL_SECONDS": 5,
    "PORTAL_URL": "",
    "LIVY_MAX_RUNNING": 0,
    "PORTAL_ID": "portal",
    "PORTAL_PACING_SCALE": 1.0,
    "REASON_PATTERN": "",
    "REASON_HELP": "",
    "REASON_HELP_FR": "",
    "PORTAL_VAR_DIR": "var",
    "DATABASE_URL": "sqlite:///var/portal.sqlite3",
    "CELERY_BROKER_URL": "filesystem://",
    "SECRET_KEY": "",
    "DEBUG": False,
    "ALLOWED_HOSTS": ("localhost", "127.0.0.1"),
    "CSRF_TRUSTED_ORIGINS": (),
    "SECURE_PROXY": False,
    "INSECURE_HTTP": False,
    "TIME_ZONE": "Europe/Paris",
    "LANGUAGE_CODE": "fr",
    "LOG_LEVEL": "INFO",
    "ALARM_EMAILS": (),
    "ALARM_EMAIL_FROM": "portal@localhost",
    "EMAIL_URL": "",
}


def test_every_default_and_no_variable_without_one() -> None:
    now = read({})
    assert now.problems == ()
    assert dict(now.values) == DEFAULTS
    assert type(now["PORTAL_PACING_SCALE"]) is float


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_an_empty_line_is_taken_or_refused_by_name(name: str) -> None:
    now = read({name: ""})
    assert {problem.variable for problem in now.problems} <= {name}
    if now.problems:
        assert now[name] == DEFAULTS[name]  # the reading goes on with the default


FLAGS = ("KNOX_VERIFY_TLS", "LIVY_SINGLE", "LIVY_RECOVERY", "DEBUG", "SECURE_PROXY", "INSECURE_HTTP")
PATHS = ("LIVY_JARS", "LIVY_FILES", "LIVY_ARCHIVES", "LIVY_PY_FILES")
MEMORY = ("LIVY_DRIVER_MEMORY", "LIVY_EXECUTOR_MEMORY")
COUNTS = ("LIVY_DRIVER_CORES", "LIVY_EXECUTOR_CORES", "LIVY_NUM_EXECUTORS")
GOOD: list[tuple[str, str, Any]] = [
    *((name, raw, value) for name in FLAGS for raw, value in ((" TRUE ", True), ("1", True), ("off", False))),
    *((name, raw, True) for name in ("DEBUG",) for raw in ("true", "yes", "on", "On")),
    *((name, raw, False) for name in ("KNOX_VERIFY_TLS",) for raw in ("false", "0", "no", "off", "")),
    *((name, "hdfs:///a/b.jar", ("hdfs:///a/b.jar",)) for name in PATHS),
    ("LIVY_JARS", " hdfs:///a.jar , ,/b.jar,file:///c.jar,", ("hdfs:///a.jar", "/b.jar", "file:///c.jar")),
    ("LIVY_ARCHIVES", "hdfs:///m.tgz#models,local:///x.zip", ("hdfs:///m.tgz#models", "local:///x.zip")),
    *((name, " 512m ", "512m") for name in MEMORY),
    *((name, "7", 7) for name in COUNTS),
    ("KNOX_HOST", " knox.example.org ", "knox.example.org"),
    ("KNOX_HOST", "https://knox:9443/gateway/prod", "https://knox:9443/gateway/prod"),
    ("KNOX_TOPOLOGY", "cdp-proxy.api_1", "cdp-proxy.api_1"),
    ("AD_PASSWORD", "$ecret with # and ' and \" ", "$ecret with # and ' and \" "),
    ("PROXY_USER", "", ""),
    ("LIVY_QUEUE", "root.datalake.prod", "root.datalake.prod"),
    ("LIVY_CONF", "", {}),
    ("LIVY_CONF", '{"spark.a":"x","spark.b":200,"spark.c":true,"spark.d":1.5}',
     {"spark.a": "x", "spark.b": "200", "spark.c": "true", "spark.d": "1.5"}),
    ("LIVY_CONF", '{"spark.url":"hdfs://nn//x"}', {"spark.url": "hdfs://nn//x"}),
    ("LIVY_CONF", '\n{\n"spark.a":\n"x"}\n', {"spark.a": "x"}),
    ("REASON_PATTERN", " DATA-[0-9]+ ", "DATA-[0-9]+"),
    ("REASON_HELP", "The ticket, such as DATA-12.", "The ticket, such as DATA-12."),
    ("LIVY_ARGS_MODE", " split", "split"),
    ("LIVY_DESCRIPTION", f" {'x' * 300} ", "x" * 300),
    ("LIVY_URI_SCHEMES", "hdfs, file", ("hdfs", "file")),
    ("LIVY_RETENTION", "60", 60),
    ("PORTAL_POLL_SECONDS", "30", 30),
    ("PORTAL_URL", "https://portal.example.org/", "https://portal.example.org"),
    ("PORTAL_URL", "", ""),
    ("LIVY_MAX_RUNNING", "0", 0),
    ("PORTAL_ID", "a", "a"),
    ("PORTAL_ID", "prod-2" + "x" * 14, "prod-2" + "x" * 14),
    ("PORTAL_PACING_SCALE", "0.05", 0.05),
    ("PORTAL_PACING_SCALE", "100", 100.0),
    ("DATABASE_URL", "postgres://u:p@h:5432/n", "postgres://u:p@h:5432/n"),
    ("DATABASE_URL", "postgresql://h/n", "postgresql://h/n"),
    ("CELERY_BROKER_URL", "rediss://h:6379/0", "rediss://h:6379/0"),
    ("CELERY_BROKER_URL", "memory://", "memory://"),
    ("ALLOWED_HOSTS", "a, b ,", ("a", "b")),
    ("TIME_ZONE", "UTC", "UTC"),
    ("LANGUAGE_CODE", "en", "en"),
    ("LOG_LEVEL", "debug", "debug"),
    ("ALARM_EMAIL_FROM", " portal@example.org ", "portal@example.org"),
    ("EMAIL_URL", "smtp+tls://u:p@mail:587", "smtp+tls://u:p@mail:587"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "raw", "value"), GOOD, ids=str)
def test_a_good_value_is_taken(name: str, raw: str, value: Any) -> None:
    now = read({name: raw})
    assert now.problems == ()
    assert now.checked(name) == value


DEEP = '{"a":' * 100_000
BAD: list[tuple[str, str, str]] = [
    *((name, raw, "true or false") for name in FLAGS for raw in ("maybe", "2")),
    *((name, "relative.jar", "absolute paths such as hdfs:///") for name in PATHS),
    ("LIVY_JARS", "hdfs:///a.jar,ftp://b/c.jar", "'ftp://b/c.jar' is wrong: path_scheme"),
    ("LIVY_FILES", "hdfs:///a b", "path_blank"),
    ("LIVY_FILES", "/a%20b", "path_percent"),
    *((name, raw, "a size with its unit") for name in MEMORY for raw in ("lots", "512", "0g", "4 g", "-1g", "4\u212a")),
    *((name, raw, "a whole number from 1") for name in COUNTS for raw in ("0", "-1", "1.5", "two", "9" * 5000, "²")),
    ("PORTAL_POLL_SECONDS", "1", "a whole number from 2 to 30"),
    ("PORTAL_POLL_SECONDS", "31", "a whole number from 2 to 30"),
    ("PORTAL_URL", "portal.example.org", "https://host"),
    ("PORTAL_URL", "https://host/path", "https://host"),
    ("LIVY_RETENTION", "59", "a whole number from 60"),
    ("LIVY_MAX_RUNNING", "-1", "a whole number from 0"),
    ("KNOX_HOST", "https://user:pw@knox", "without user and query"),
    ("KNOX_HOST", "my host", "host, host:port or https://host:port"),
    ("KNOX_HOST", "host:99999", "host, host:port"),
    ("KNOX_HOST", "host:abc", "host, host:port"),
    ("KNOX_HOST", "https://[::1", "host, host:port"),
    ("KNOX_HOST", "ftp://host", "host, host:port"),
    ("KNOX_HOST", "https://host/x?y=z", "without user and query"),
    ("KNOX_HOST", "https://host#x", "without user and query"),
    ("KNOX_HOST", "https://", "host, host:port"),
    ("KNOX_TOPOLOGY", "a/b", "the name of a Knox topology"),
    ("KNOX_TOPOLOGY", "", "the name of a Knox topology"),
    ("PROXY_USER", "two words", "one word without blanks"),
    ("LIVY_QUEUE", "root.`id`", "one word without blanks"),
    ("LIVY_CONF", GUIDE_SAMPLE, "without // comments (JSON has none; stopped at line 2 column 49)"),
    ("LIVY_CONF", '{"spark.a":1 // one\n}', "without // comments"),
    ("LIVY_CONF", '// first\n{"spark.a":1}', "without // comments"),
    ("LIVY_CONF", "{", "all on one line: a line of .env ends at its end"),
    ("LIVY_CONF", "'{", "all on one line"),
    ("LIVY_CONF", '["spark.a"]', "not a list"),
    ("LIVY_CONF", "3", "not a int"),
    ("LIVY_CONF", "null", "not a NoneType"),
    ("LIVY_CONF", "not json", "Expecting value at line 1 column 1"),
    ("LIVY_CONF", '{"spark.a":"x"', "a JSON object of scalars"),
    ("LIVY_CONF", "{'spark.a':'x'}", "Expecting property name"),
    ("LIVY_CONF", '{"spark.a":{"b":1}}', "the value of 'spark.a' is not a scalar"),
    ("LIVY_CONF", '{"spark.a":[1]}', "the value of 'spark.a' is not a scalar"),
    ("LIVY_CONF", '{"spark.a":null}', "the value of 'spark.a' is not a scalar"),
    ("LIVY_CONF", '{"spark.master":"yarn"}', "conf_blacklisted: {'key': 'spark.master'}"),
    ("LIVY_CONF", '{"hive.x":"y"}', "conf_not_spark"),
    ("LIVY_CONF", '{"spark.a":' + "1" * 5000 + "}", "ValueError"),
    ("LIVY_CONF", DEEP, "RecursionError"),
    ("REASON_PATTERN", "DATA-[0-9", "a regular expression"),
    ("LIVY_DESCRIPTION", "x" * 301, "at most 300 characters"),
    ("LIVY_ARGS_MODE", "list", "single (one argument, as typed) or split"),
    ("PORTAL_ID", "Prod", "a lower-case letter"),
    ("PORTAL_ID", "p" * 21, "up to 19"),
    ("PORTAL_ID", "", "it starts every batch name"),
    *(("PORTAL_PACING_SCALE", raw, "a number above 0") for raw in ("0", "-1", "101", "nan", "inf", "fast", "")),
    ("DATABASE_URL", "mysql://h/n", "sqlite:///path or postgres://"),
    ("DATABASE_URL", "postgres://[::1", "sqlite:///path or postgres://"),
    ("DATABASE_URL", "", "sqlite:///path"),
    ("CELERY_BROKER_URL", "amqp://h", "redis://host:port/0"),
    *(("TIME_ZONE", raw, "the name of a time zone") for raw in ("Europe/Nowhere", "Europe", "../UTC", "", "Paris")),
    ("LANGUAGE_CODE", "de", "fr or en"),
    ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING"),
    *(("ALARM_EMAILS", raw, "comma-separated e-mail addresses") for raw in ("omar", "a@b, c", "Omar <o@x>", "a@b;c@d")),
    ("ALARM_EMAIL_FROM", "", "one e-mail address"),
    ("EMAIL_URL", "http://mail", "smtp://user:password@host:25"),
    ("EMAIL_URL", "mail:25", "smtp://user:password@host:25"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "raw", "expected"), BAD, ids=lambda x: str(x)[:40])
def test_a_bad_value_is_told_with_its_name_what_was_read_and_what_is_expected(
    name: str, raw: str, expected: str
) -> None:
    now = read({name: raw})
    (problem,) = now.problems
    assert problem.variable == name
    assert expected in problem.expected
    if name in conf.SECRET_VARIABLES:
        assert problem.read == "***"
    else:
        assert problem.read == repr(redact(raw)[:1000])
    assert str(problem) == f"{name}: read {problem.read}, expected {problem.expected}"
    assert now[name] == DEFAULTS[name]
    with pytest.raises(ConfigError, match=f"^{name}: read "):
        now.checked(name)
    assert now.checked("LIVY_SINGLE" if name != "LIVY_SINGLE" else "DEBUG") is not None


def test_several_bad_values_are_told_together() -> None:
    now = read({"LIVY_DRIVER_MEMORY": "lots", "LIVY_CONF": "[]", "PORTAL_ID": "9"})
    assert [problem.variable for problem in now.problems] == ["LIVY_CONF", "LIVY_DRIVER_MEMORY", "PORTAL_ID"]


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("DATABASE_URL", "mysql://portal:hunter22@db/n"),
        ("CELERY_BROKER_URL", "amqp://x:hunter22@mq"),
        ("KNOX_HOST", "https://svc:hunter22@knox"),
        ("LIVY_CONF", '{"spark.hadoop.fs.s3a.secret.key":"hunter22",}'),
    ],
)
def test_no_secret_is_told_with_a_bad_value(name: str, raw: str) -> None:
    (problem,) = read({name: raw}).problems
    assert "hunter22" not in str(problem)
    assert "***" in problem.read


def test_values_are_frozen() -> None:
    now = read({"LIVY_CONF": '{"spark.a":"x"}'})
    assert isinstance(now.values, MappingProxyType)
    with pytest.raises(TypeError):
        now["LIVY_CONF"]["spark.b"] = "y"


def test_alarms_by_mail_need_a_mail_server() -> None:
    (problem,) = read({"ALARM_EMAILS": "omar@example.org, olga@example.org"}).problems
    assert problem.variable == "EMAIL_URL"
    assert "ALARM_EMAILS" in problem.expected
    now = read({"ALARM_EMAILS": "omar@example.org,olga@example.org", "EMAIL_URL": "smtp://mail:25"})
    assert now.problems == ()
    assert now["ALARM_EMAILS"] == ("omar@example.org", "olga@example.org")


def test_a_password_is_given_in_one_way_only() -> None:
    now = read({"AD_PASSWORD": "a", "AD_PASSWORD_FILE": "/run/secret"})
    (problem,) = now.problems
    assert (problem.variable, problem.read) == ("AD_PASSWORD_FILE", "both")
    assert "not both" in problem.expected


# ── the address of the gateway ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("knox", "https://knox:8443/gateway/t"),
        ("KNOX.Example.ORG", "https://knox.example.org:8443/gateway/t"),
        ("knox:443", "https://knox:443/gateway/t"),
        (" knox:8444/ ", "https://knox:8444/gateway/t"),
        ("https://knox", "https://knox:8443/gateway/t"),
        ("http://127.0.0.1:9999", "http://127.0.0.1:9999/gateway/t"),
        ("http://knox", "http://knox:8443/gateway/t"),
        ("https://knox/gateway", "https://knox:8443/gateway/t"),
        ("https://knox:9/gateway/other/", "https://knox:9/gateway/other"),
        ("knox/proxy/knox", "https://knox:8443/proxy/knox"),
        ("[::1]", "https://[::1]:8443/gateway/t"),
        ("https://[fe80::1]:9443", "https://[fe80::1]:9443/gateway/t"),
    ],
)
def test_a_host_a_host_with_port_or_a_url_is_the_gateways_address(host: str, url: str) -> None:
    assert gateway_url(host, "t") == url


@pytest.mark.parametrize("host", ["", "   ", "https://u:hunter22@knox", "a b", "knox:port"])
def test_no_address_is_a_config_error_that_names_the_variable(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^KNOX_HOST: read ") as caught:
        gateway_url(host, "t")
    assert "hunter22" not in str(caught.value)


# ── .env, and the environment over it ───────────────────────────────────────────────────────────────────────────


def test_the_guides_class_reads_the_file(env_file: Path) -> None:
    env_file.write_text(
        "# the guide's example 2\n"
        "KNOX_HOST=knox.example.org\n"
        "AD_USER=svc\n"
        "AD_PASSWORD=$ecret#1\n"
        "export LIVY_QUEUE=root.other\n"
        "LIVY_JARS=hdfs:///libs/commons-lang3-3.12.jar,hdfs:///libs/httpcomponents-client-4.5.jar\n"
        "LIVY_FILES=hdfs:///config/app.properties,hdfs:///config/secrets.xml\n"
        "LIVY_ARCHIVES=\n"
        "LIVY_PY_FILES='hdfs:///python/utils.py'\n"
        'LIVY_CONF={"spark.sql.shuffle.partitions":"500","spark.dynamicAllocation.maxExecutors":"10"}\n'
    )
    assert Config.KNOX_HOST == "knox.example.org"
    assert Config.AD_USER == "svc"
    assert Config.get_ad_password() == "$ecret#1"  # "$" begins no reference, "#" no comment
    assert Config.LIVY_QUEUE == "root.other"
    assert Config.get_livy_jars() == [
        "hdfs:///libs/commons-lang3-3.12.jar",
        "hdfs:///libs/httpcomponents-client-4.5.jar",
    ]
    assert Config.get_livy_files() == ["hdfs:///config/app.properties", "hdfs:///config/secrets.xml"]
    assert Config.get_livy_archives() == []
    assert Config.get_livy_py_files() == ["hdfs:///python/utils.py"]
    assert Config.get_livy_conf() == {
        "spark.sql.shuffle.partitions": "500",
        "spark.dynamicAllocation.maxExecutors": "10",
    }
    assert conf.reading().path == env_file


def test_the_environment_wins_over_the_file_and_the_file_does_not_leak_into_it(
    env_file: Path, environment: pytest.MonkeyPatch
) -> None:
    env_file.write_text("LIVY_QUEUE=from.file\nAD_USER=from_file\n")
    environment.setenv("LIVY_QUEUE", "from.environment")
    assert Config.LIVY_QUEUE == "from.environment"
    assert Config.AD_USER == "from_file"
    assert "AD_USER" not in os.environ


def test_a_conf_over_several_lines_is_told_as_such(env_file: Path) -> None:
    env_file.write_text(f"LIVY_CONF={GUIDE_SAMPLE}\n")
    with pytest.raises(ConfigError, match=r"^LIVY_CONF: read '\{', expected .*all on one line"):
        Config.get_livy_conf()


def test_a_mark_at_the_files_beginning_hides_no_line(env_file: Path) -> None:
    env_file.write_bytes(b"\xef\xbb\xbfAD_USER=svc\r\nLIVY_QUEUE=q\r\n")
    assert Config.AD_USER == "svc"
    assert Config.LIVY_QUEUE == "q"


def test_a_file_that_is_no_utf8_is_told_with_its_name(env_file: Path) -> None:
    env_file.write_bytes("AD_USER=é\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"\.env: read a byte that is no UTF-8 at position 8, expected a"):
        _ = Config.AD_USER


@pytest.mark.usefixtures("environment")
def test_without_a_file_there_are_the_defaults() -> None:
    assert Config.PROXY_USER == "sddesigner"
    assert Config.get_livy_jars() == []
    assert Config.get_livy_conf() == {}
    assert Config.get_ad_password() == ""


def test_the_file_is_beside_manage_py_unless_said_otherwise(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("PORTAL_ENV_FILE")
    environment.setattr(conf, "environment_of", lambda path: {})
    assert conf.reading().path == conf.BASE_DIR / ".env"
    assert (conf.BASE_DIR / "manage.py").is_file()


@pytest.mark.parametrize(
    ("name", "getter"),
    [
        ("LIVY_JARS", Config.get_livy_jars),
        ("LIVY_FILES", Config.get_livy_files),
        ("LIVY_ARCHIVES", Config.get_livy_archives),
        ("LIVY_PY_FILES", Config.get_livy_py_files),
        ("LIVY_CONF", Config.get_livy_conf),
    ],
)
def test_a_getter_raises_for_its_own_variable_only(environment: pytest.MonkeyPatch, name: str, getter: Any) -> None:
    environment.setenv(name, "not-a-path")
    with pytest.raises(ConfigError, match=f"^{name}: read 'not-a-path', expected ") as caught:
        getter()
    assert caught.value.problem.variable == name
    assert Config.LIVY_DRIVER_MEMORY == "4g"
    with pytest.raises(ConfigError):
        getattr(Config, name)


@pytest.mark.usefixtures("environment")
def test_config_has_the_variables_and_nothing_else() -> None:
    for name, value in DEFAULTS.items():
        assert getattr(Config, name) == value
    with pytest.raises(AttributeError, match="KNOX_PORT"):
        _ = Config.KNOX_PORT


# ── the password's file ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", ["s3cret\nsecond line\n", "s3cret", "s3cret\r\n"])
def test_the_password_is_the_first_line_of_its_file_read_anew(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    place = tmp_path / "password"
    place.write_bytes(content.encode())
    environment.setenv("AD_PASSWORD_FILE", str(place))
    assert Config.get_ad_password() == "s3cret"
    place.write_text("changed\n")
    assert Config.get_ad_password() == "changed"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_password_file_that_cannot_be_read_is_a_config_error(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    place = tmp_path / "password"
    if content is not None:
        place.write_bytes(content)
    environment.setenv("AD_PASSWORD_FILE", str(place))
    with pytest.raises(ConfigError, match=r"^AD_PASSWORD_FILE: read .* expected a file whose first line"):
        Config.get_ad_password()


def test_two_passwords_are_a_config_error(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AD_PASSWORD", "a")
    environment.setenv("AD_PASSWORD_FILE", "/b")
    with pytest.raises(ConfigError, match="AD_PASSWORD_FILE: read both"):
        Config.get_ad_password()


# ── .env.example ────────────────────────────────────────────────────────────────────────────────────────────────

EXAMPLE = conf.BASE_DIR / ".env.example"


def test_env_example_holds_every_variable_and_no_other() -> None:
    named = re.findall(r"^#? *([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) == set(VARIABLES)


def test_env_example_as_it_stands_says_the_defaults(environment: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        environment.delenv(name, raising=False)
    now = read({k: v for k, v in conf.environment_of(EXAMPLE).items() if k in VARIABLES})
    assert now.problems == ()
    assert dict(now.values) == DEFAULTS


def test_env_example_holds_the_guides_three_examples_as_ready_blocks() -> None:
    text = re.sub(r"^#[ \t]*", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    guide = (conf.BASE_DIR / "docs/reference/guide.fr.md").read_text(encoding="utf-8")
    blocks = re.findall(r"### Exemple \d.*?```env\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        assert block in text
