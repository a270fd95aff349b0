"""A row of the table of bars: what was measured, the figure, the bar, whether it was kept."""


def row(what, figure, bar=None, kept=True, beside=""):
    print("%-58s %14s  bar %-12s %-6s %s" % (what, figure, bar or "-", "kept" if kept else "MISSED", beside), flush=True)
    return kept


def ratio(what, ours, theirs, most, unit="s", other="kubectl"):
    """Ours over theirs, at most `most`."""
    value = ours / theirs
    return row(what, "%.4f %s" % (ours, unit), "%.2f x" % most, value <= most, "%s %.4f %s: %.2f x" % (other, theirs, unit, value))
