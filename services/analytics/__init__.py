"""Facts to time accounts to KPIs, exact under late data. Other services may use the names below and no others."""

from services.analytics.backlog import Backlog, read_backlog
from services.analytics.kpis import Figures, Kpi, compute_kpis
from services.analytics.timeline import Segment, StateRow, UseVersion, segments

__all__ = ["Backlog", "Figures", "Kpi", "Segment", "StateRow", "UseVersion", "compute_kpis", "read_backlog", "segments"]
