"""The document on paper: a PDF by ReportLab."""
