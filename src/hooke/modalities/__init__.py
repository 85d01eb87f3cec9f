"""All that differs between kinds of input; images so far."""
