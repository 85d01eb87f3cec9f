"""Statistics of more values than memory holds: each adds a batch, merges with another, and is a few tensors.

Every one has `add`, `merge`, `state()` (tensors that say all of it) and `from_state`; merging the parts gives what the
whole gives, exactly where it counts or compares, to rounding in float64 where it sums.
"""
