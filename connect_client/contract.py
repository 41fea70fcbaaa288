"""Find the WSDL documents that are shipped with the package.

They lie inside the package only once it is installed from a wheel; in an editable install or a bare checkout
the same files are in the `wsdl/` folder beside it, so never build a path to them elsewhere.
"""

from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


class Service(StrEnum):
    """The two services of the contract, under the names that are also the names of their documents."""

    ORDER_NOTIFICATION = "OrderNotificationService"
    ORDER = "OrderService"


def wsdl_bytes(name: str) -> bytes:
    """The WSDL of one service, exactly as shipped.

    `name` is a member of `Service` or its text; any other text is a ValueError.
    Raises FileNotFoundError, naming every place that was tried, when the document was not shipped.
    """
    filename = f"{Service(name)}.wsdl"
    folders = _folders()
    for folder in folders:
        document = folder.joinpath(filename)
        if document.is_file():
            return document.read_bytes()
    tried = ", ".join(str(folder) for folder in folders)
    raise FileNotFoundError(f"{filename} is missing; looked in: {tried}")


def _folders() -> tuple[Traversable, ...]:
    """Where the documents may be, the packaged ones first: a stray `wsdl/` must not win over them."""
    packaged = resources.files("connect_client").joinpath("wsdl")
    checkout = Path(__file__).resolve().parent.parent / "wsdl"
    return packaged, checkout
