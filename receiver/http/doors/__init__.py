"""The JSON doors beside the SOAP path: the ERP's reports come in, stored orders are looked at."""
