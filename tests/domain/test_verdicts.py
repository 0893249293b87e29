"""F4, F5: what a terminal word of Livy says, without YARN."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.logtail import DIAGNOSTICS, STDERR, STDOUT
from recovery.domain.states import TERMINAL, State
from recovery.domain.verdicts import Outcome, Verdict, is_terminal, of_dead, of_terminal

FAILED = Verdict(state=State.FAILED, outcome=Outcome.JOB_FAILED)
OUT_OF_SIGHT = Verdict(state=State.LOST, outcome=Outcome.LIVY_LOST_SIGHT)
UNEXPLAINED = Verdict(state=State.LOST, outcome=Outcome.DEAD_UNEXPLAINED)


def yarn(*told: str, output: tuple[str, ...] = ()) -> list[str]:
    return [STDOUT, *output, STDERR, DIAGNOSTICS, *told]


def local(*output: str) -> list[str]:
    return [STDOUT, *output, STDERR]


@pytest.mark.parametrize("word", ["success", "dead", "killed", "error"])
def test_f4_the_four_ends(word: str) -> None:
    assert is_terminal(word)


@pytest.mark.parametrize("word", ["starting", "running", "recovering", "shutting_down", "SUCCESS", "", "contemplating"])
def test_f3_every_other_word_is_alive(word: str) -> None:
    assert not is_terminal(word)


@pytest.mark.parametrize(("cancel_sent", "app_known"), list(product([False, True], repeat=2)))
def test_f4_success_is_success(cancel_sent: bool, app_known: bool) -> None:
    """C2: also after a cancel."""
    verdict = of_terminal("success", log=None, cancel_sent=cancel_sent, app_known=app_known)
    assert verdict == Verdict(state=State.SUCCEEDED, outcome=Outcome.SUCCESS)


def test_killed_is_ours_or_somebody_elses() -> None:
    ours = of_terminal("killed", log=None, cancel_sent=True, app_known=True)
    assert ours == Verdict(state=State.CANCELLED, outcome=Outcome.CANCELLED_UNVERIFIED)
    theirs = of_terminal("killed", log=None, cancel_sent=False, app_known=True)
    assert theirs == Verdict(state=State.FAILED, outcome=Outcome.KILLED_OUTSIDE)


@pytest.mark.parametrize("word", ["dead", "error"])
def test_f5_dead_is_read_from_the_log(word: str) -> None:
    log = yarn("User class threw exception: java.lang.IllegalStateException")
    assert of_terminal(word, log=log, cancel_sent=False, app_known=True) == FAILED


@pytest.mark.parametrize(
    "told",
    [
        "User class threw exception: java.lang.IllegalStateException: no data",
        "Shutdown hook called before final status was reported.",
        "AM Container for appattempt_1_1_000001 exited with  exitCode: 13",
        "Application application_1_0001 was killed by user dr.who",
        "Application application_1_0001 failed 2 times due to AM Container",
        "Failed to download resource { { hdfs:///user/x } }",
        "spark-submit start failed",
        "Application submitted by user root to unknown queue: nope",
    ],
)
def test_f5_a_report_of_the_application_is_a_failure(told: str) -> None:
    assert of_dead(yarn(told), app_known=True) == FAILED


@pytest.mark.parametrize(
    "told",
    [
        "No YARN application is found with tag livy-batch-9-abc in 120 seconds. Please check your cluster status",
        "Error whiling refreshing YARN state: java.net.ConnectException",
        "Error while polling YARN application",
        "Exception when polling YARN: User class threw exception",
        "Failed to get the YARN report",
        "Connection refused; the ResourceManager is away",
        "Application with id 'application_1_0001' doesn't exist in RM. Please check",
        "org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException",
    ],
)
def test_f5_livy_lost_sight_of_an_application_that_may_go_on(told: str) -> None:
    assert of_dead(yarn(told), app_known=True) == OUT_OF_SIGHT


def test_f5_a_bare_message_in_the_diagnostics_is_livys_own_trouble() -> None:
    assert of_dead(yarn("java.io.IOException: Broken pipe"), app_known=True) == OUT_OF_SIGHT


def test_f5_on_a_local_master_the_exit_code_decided() -> None:
    assert of_dead(local("anything"), app_known=False) == FAILED
    assert of_dead(local(), app_known=False) == FAILED


@pytest.mark.parametrize("log", [None, [], yarn(), yarn("", " "), yarn(output=("20/01/01 INFO Client",))])
def test_f5_without_a_word_nothing_is_known(log: list[str] | None) -> None:
    assert of_dead(log, app_known=False) == UNEXPLAINED


def test_f5_an_exception_of_spark_submit_tells_while_no_application_was_seen() -> None:
    log = yarn(output=('Exception in thread "main" java.io.FileNotFoundException: File does not exist',))
    assert of_dead(log, app_known=False) == FAILED
    assert of_dead(log, app_known=True) == UNEXPLAINED


@given(
    st.sampled_from(["success", "dead", "killed", "error"]),
    st.none() | st.lists(st.sampled_from([STDOUT, STDERR, DIAGNOSTICS, "", "x", "exitCode: 1"])),
    st.booleans(),
    st.booleans(),
)
def test_every_end_is_an_end(word: str, log: list[str] | None, cancel_sent: bool, app_known: bool) -> None:
    verdict = of_terminal(word, log=log, cancel_sent=cancel_sent, app_known=app_known)
    assert verdict.state in TERMINAL
    assert (verdict.state is State.SUCCEEDED) == (word == "success")
