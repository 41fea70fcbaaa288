"""Everything the system does, one file each. Flows know the order of the steps and nothing of HTTP, SOAP or SQL."""
