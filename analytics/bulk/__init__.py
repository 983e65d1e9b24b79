"""Analyses of many deals at once: funnels, months, stale deals, concentration, anomalies, clients, findings."""

from analytics.bulk.analyse import STEPS, Analysis, analyse

__all__ = ["STEPS", "Analysis", "analyse"]
