"""Pictures, the ledger of claims, the report. Computes nothing that a run should have stored."""
