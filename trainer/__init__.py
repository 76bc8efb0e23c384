"""From finished readings to an encoder and its report."""
