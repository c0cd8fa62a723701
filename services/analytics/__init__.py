"""Turns facts into time accounts and KPIs, exactly, however late data is. Other services use the names below only."""

from services.analytics.backlog import Backlog, read_backlog
from services.analytics.kpis import FigureSums, Kpi, compute_kpis, formulas_of, product
from services.analytics.quality.reading import Percentiles, QualityDay, read_quality
from services.analytics.state_segments import Segment, StateFact, UseVersion, segments

__all__ = [
    "Backlog",
    "FigureSums",
    "Kpi",
    "Percentiles",
    "QualityDay",
    "Segment",
    "StateFact",
    "UseVersion",
    "compute_kpis",
    "formulas_of",
    "product",
    "read_backlog",
    "read_quality",
    "segments",
]
