"""Facts to time accounts to KPIs, exact under late data. The names below are what the API may use of it."""

from services.analytics.kpis import Figures, Kpi, compute_kpis
from services.analytics.timeline import Segment, StateRow, UseVersion, segments

__all__ = ["Figures", "Kpi", "Segment", "StateRow", "UseVersion", "compute_kpis", "segments"]
