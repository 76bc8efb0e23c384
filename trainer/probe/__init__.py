"""How much an encoder helps: probes on frozen or fine-tuned features, beside honest baselines."""
