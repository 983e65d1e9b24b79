"""The operators' console. It shows the ledger, and calls the services that change it."""
