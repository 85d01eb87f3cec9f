"""See what a unit looks for: objectives, parametrizations, transforms and the one loop that ascends."""
