"""Hooke in notebooks: the microscope as a widget, and how results are displayed."""
