"""The name under which a measure is chosen by evidence; apart, as measures are slow to import."""

AUTO = "auto"
AUTO_TITLE = "Chosen by evidence"
