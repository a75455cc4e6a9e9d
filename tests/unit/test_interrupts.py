"""The first Ctrl-C or SIGTERM ends work in order, the second one at once."""

import signal
import subprocess
import sys
import threading

import pytest

from etalage.interrupts import deferred_interrupt, handle_interrupts

SIGNALS = [signal.SIGINT, signal.SIGTERM]

STUBBORN = """
import sys, time
from etalage.interrupts import deferred_interrupt, handle_interrupts
with handle_interrupts() as status:
    try:
        with {block}:
            print("ready", flush=True)
            time.sleep(60)
            time.sleep(60)
    except KeyboardInterrupt:
        print("tidying", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_interrupts_and_handlers_return(number: signal.Signals) -> None:
    before = [signal.getsignal(s) for s in SIGNALS]
    with handle_interrupts() as status, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert status() == 128 + number
    assert [signal.getsignal(s) for s in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("outer", [True, False])
def test_a_deferred_signal_is_noted_and_the_second_one_is_not(number, outer, capfd) -> None:
    before = [signal.getsignal(s) for s in SIGNALS]

    def work() -> None:
        with deferred_interrupt("finishing the step") as interrupted:
            assert not interrupted()
            signal.raise_signal(number)
            assert interrupted()

    if outer:
        with handle_interrupts() as status:
            work()
            assert signal.getsignal(signal.SIGINT) is not before[0], "a second signal ends the process"
        assert status() == 128 + number
    else:
        work()
    assert [signal.getsignal(s) for s in SIGNALS] == before
    assert capfd.readouterr().err == "\nfinishing the step\n"


def test_without_the_command_line_a_second_ctrl_c_is_pythons_own() -> None:
    with deferred_interrupt("finishing"):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("block", ["__import__('contextlib').nullcontext()", "deferred_interrupt('finishing')"])
def test_the_second_signal_ends_the_process_at_once(number: signal.Signals, block: str) -> None:
    program, pipe = STUBBORN.format(block=block), subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        if "deferred" in block:
            assert process.stderr.readline() == "\n"
        else:
            assert process.stdout.readline() == "tidying\n"
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
        assert "Traceback" not in process.stderr.read()


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with handle_interrupts(), deferred_interrupt("finishing") as interrupted:
            signal.raise_signal(signal.SIGINT)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_may_work_without_handlers() -> None:
    seen = []

    def work() -> None:
        with deferred_interrupt("finishing") as interrupted:
            seen.append(interrupted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
