"""Figures for print: functions of plain arrays and words that return a matplotlib Figure."""
