"""Lay out what a person looks at; compose, derive nothing."""
