"""What starts the portal's processes, and starts them again."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

from portal import processes
from portal.processes import Child, becomes_free, look_after
from tests.processes import children, command_of, servers

ENDS = [sys.executable, "-c", "raise SystemExit(3)"]
STAYS = [sys.executable, "-c", "import time; time.sleep(600)"]


def looked_after(children, enough, monkeypatch):
    """Look after children until ``enough`` is so of what was said; the exit status and what was said."""
    said = []
    monkeypatch.setattr(processes, "allow_open_files", lambda: None)

    def stop():
        deadline = time.monotonic() + 60
        while not enough(said) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    waits = threading.Thread(target=stop)
    waits.start()
    before = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    try:
        status = look_after(
            children, said.append, ready="", greeting="They have started.", farewell="They have stopped."
        )
    finally:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR")
        if before is not None:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = before
    return status, said, waits


def test_a_worker_that_keeps_ending_stops_nobody_and_is_started_again_later_each_time(monkeypatch):
    web, worker = Child("web server", STAYS, essential=True), Child("worker", ENDS)
    status, said, waits = looked_after([web, worker], lambda said: len(said) > 4, monkeypatch)
    waits.join()
    assert status == 0
    assert said[:5] == [
        "They have started.",
        *(f"The worker ended with status 3; it is started again in {pause} s." for pause in ("0.5", "1", "2", "4")),
    ]


def test_what_is_said_at_the_end_comes_when_all_have_ended(monkeypatch):
    worker = Child("worker", STAYS)
    status, said, waits = looked_after([worker], bool, monkeypatch)
    waits.join()
    assert (status, said) == (0, ["They have started.", "They have stopped."])
    assert worker.process.poll() is not None


def test_a_web_server_that_keeps_ending_ends_all(monkeypatch):
    monkeypatch.setattr(processes, "LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    web = Child("web server", ENDS, essential=True)
    said = []
    monkeypatch.setattr(processes, "allow_open_files", lambda: None)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    assert look_after([web], said.append, ready="", greeting="It has started.") == 1
    assert said[-1] == "The web server keeps ending (status 3): stopping."


def test_a_port_that_is_free_in_a_moment_is_waited_for(monkeypatch):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    timer = threading.Timer(0.3, taken.close)
    timer.start()
    assert becomes_free(port)
    with socket.create_server(("127.0.0.1", 0)) as held:
        monkeypatch.setattr(processes, "PORT_SECONDS", 0.1)
        assert not becomes_free(held.getsockname()[1])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_a_browser_keeps_open_is_no_warning_at_the_end_of_a_demonstration():
    with servers(1, ends_at_once=True) as (port,):
        master = next(pid for pid in children(os.getpid()) if f"--port {port} " in command_of(pid))
        assert "--log-level error " in command_of(master)
        with socket.create_connection(("127.0.0.1", port)) as kept:
            kept.sendall(b"GET /login/ HTTP/1.1\r\nHost: x")
            os.kill(master, signal.SIGTERM)
            assert becomes_free(port)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_does_not_listen_ends_with_its_web_server():
    with servers(1) as (port,):
        master = next(pid for pid in children(os.getpid()) if f"--port {port} " in command_of(pid))
        (child,) = (pid for pid in children(master) if "resource_tracker" not in command_of(pid))
        os.kill(child, signal.SIGSTOP)
        os.kill(master, signal.SIGTERM)
        assert becomes_free(port)
        assert not command_of(child)
