"""Tensor arithmetic without models: spectra, seeds, resampling."""
