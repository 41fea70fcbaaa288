"""FakeConnect: an OrderService on a real socket, for the tests of ERP adapters.

    with FakeConnect() as fake:
        client = ConnectClient(fake.url, auth=fake.basic_auth)
        client.acknowledge(123456, "SO-1")
        assert fake.messages == [OrderStatusUpdate(...)]

It acts on requests as long as it is not told otherwise: `fake.will(ActsThenDrops())` is about the next request.
"""

from __future__ import annotations

import ssl
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from connect_client.credentials import BasicAuth, ClientCredentials
from connect_client.operations import Operation
from connect_client.testing.behaviours import Acts, Behaviour
from connect_client.testing.credentials import Doorkeeper
from connect_client.testing.serving import Server
from connect_client.testing.soap import OrderService, Understood

SERVICE_PATH = "/commerce/connect/4.0/OrderService.svc"
TOKEN_PATH = "/identity/1.0/connect/token"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True)
class Received:
    """One request that FakeConnect acted on."""

    operation: Operation
    message: Any
    envelope: bytes
    headers: Mapping[str, str]


class FakeConnect:
    """Serves from the moment it is entered; see the module. `ssl_context` makes it serve https.

    It wants credentials: `basic_auth` or `client_credentials`, whichever the client under test uses. It finds
    operations by their SOAPAction as WCF does and validates what it gets against the shipped WSDL.
    """

    def __init__(self, *, auth: BasicAuth | None = None, ssl_context: ssl.SSLContext | None = None) -> None:
        self._basic_auth = auth or BasicAuth("1042", uuid.uuid4().hex)
        self._doorkeeper = Doorkeeper(self._basic_auth.username, self._basic_auth.password)
        self._service = OrderService()
        self._lock = threading.Lock()
        self._planned: deque[Behaviour] = deque()
        self._received: list[Received] = []
        self._requests = 0
        self._server = Server(self, ssl_context)

    @property
    def url(self) -> str:
        """The address of the service."""
        return self._server.origin + SERVICE_PATH

    @property
    def token_url(self) -> str:
        """Where client credentials are turned into tokens."""
        return self._server.origin + TOKEN_PATH

    @property
    def basic_auth(self) -> BasicAuth:
        """The credentials it accepts, for basic authentication."""
        return self._basic_auth

    @property
    def client_credentials(self) -> ClientCredentials:
        """The same credentials for OAuth2, with its own token address."""
        return ClientCredentials(self.token_url, self._basic_auth.username, self._basic_auth.password, "playground")

    @property
    def received(self) -> list[Received]:
        """What it acted on, in that order."""
        with self._lock:
            return list(self._received)

    @property
    def messages(self) -> list[Any]:
        """The messages of what it acted on, in that order."""
        return [each.message for each in self.received]

    @property
    def request_count(self) -> int:
        """How many requests reached the service, whatever became of them; those for tokens are not counted."""
        return self._requests

    @property
    def token_count(self) -> int:
        """How many tokens it gave out."""
        return self._doorkeeper.tokens_given

    def will(self, *behaviours: Behaviour) -> None:
        """Plan what it does with the next requests, one behaviour each; after those it acts again."""
        with self._lock:
            self._planned.extend(behaviours)

    def set_token_lifetime(self, seconds: float) -> None:
        """How long tokens that are given from now on are valid, and say so; 3600 seconds at first."""
        self._doorkeeper.lifetime_seconds = seconds

    def revoke_tokens(self) -> None:
        """No token given so far is accepted any longer."""
        self._doorkeeper.revoke()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    # What follows is for the server's threads.

    def token(self, form: bytes) -> tuple[int, dict[str, object]]:
        """Status and JSON of the token address."""
        return self._doorkeeper.token(form)

    def lets_in(self, authorization: str | None) -> bool:
        """Whether the credentials are right."""
        return self._doorkeeper.lets_in(authorization)

    def next_behaviour(self) -> Behaviour:
        """What is planned for a request that has come in."""
        with self._lock:
            self._requests += 1
            return self._planned.popleft() if self._planned else Acts()

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """What the service makes of a request."""
        return self._service.read(
            body, action=headers.get("SOAPAction", ""), content_type=headers.get("Content-Type", "")
        )

    def record(self, understood: Understood, body: bytes, headers: Mapping[str, str]) -> None:
        """Act: keep the message."""
        with self._lock:
            self._received.append(Received(understood.operation, understood.message, body, headers))
