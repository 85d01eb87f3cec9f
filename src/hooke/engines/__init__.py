"""Engines: the work is one pure function, the data are shards, and an engine maps the one over the other.

The contract, the same for every engine: `map_shards(function, shards, ...)` yields `(index, result)` in the order of
the shards; function, shards and results can be pickled; the function keeps no state between shards and may be called
again for a shard that was not finished; a failure is an EngineError that names the shard and ends the work; leaving the
iteration, also by Ctrl-C, leaves no process behind; at most a few results are in memory at once.
`threads.py` is no engine: it does parts of one step side by side in this process.
"""
