"""What an ERP can tell Norce, as frozen dataclasses that are checked when they are made.

The field names are the contract's in snake_case, except where the contract misleads: order rows are `lines`, parcels
are `parcels`. `connect_client.encode` holds the whole correspondence.
"""
