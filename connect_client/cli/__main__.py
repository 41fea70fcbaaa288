"""Makes `python -m connect_client.cli` the same as `connect-client`."""

from connect_client.cli.main import main

main()
