"""A gate before a server, which can be closed, slow or broken; and a mail server that keeps what it is sent."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress

#: What a gate does with a connection.
OPEN, GONE, SLOW, GARBAGE = "open", "gone", "slow", "garbage"
#: Bytes that are an answer in no protocol.
NONSENSE = bytes(range(255, 127, -1)) * 20 + b"\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


class Gate:
    """A port of this computer behind which the server at ``target`` is, as far as ``mode`` lets through."""

    def __init__(self, target: int):
        self.target, self.mode = target, OPEN
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            client, _address = self.listener.accept()
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.mode == GONE:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return
            if self.mode == GARBAGE:
                client.sendall(NONSENSE)
                client.recv(65536)
                return
            while self.mode == SLOW:
                time.sleep(0.1)
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
                back.start()
                self.copy(client, server)
                back.join()

    @staticmethod
    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server (RFC 5321, as far as the portal speaks it). ``bodies`` are the messages, without their headers."""

    daemon_threads = allow_reuse_address = True

    def __init__(self):
        self.bodies: list[str] = []
        super().__init__(("127.0.0.1", 0), Session)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Session(socketserver.StreamRequestHandler):
    """One connection to the mail server."""

    def handle(self):
        with suppress(OSError):
            self.talk()

    def talk(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode(errors="replace").strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                lines = []
                while (text := self.rfile.readline().decode(errors="replace").rstrip("\r\n")) != ".":
                    lines.append(text)
                self.server.bodies.append("\n".join(lines).partition("\n\n")[2])
            if verb == "QUIT":
                self.say("221 bye")
                return
            self.say("250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
