"""The WSGI onion around the SOAP service: routes, authentication, and the gate no unfit bytes pass."""
