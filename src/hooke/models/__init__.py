"""The only place that touches nn.Module: opening, the layer table, taps, edits, the fast form."""
