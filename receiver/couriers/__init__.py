"""Performs deliveries: one file for each way to the ERP, and one for Norce."""
