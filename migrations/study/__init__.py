"""The study: folder, settings, schema, records, jobs, sync, erasure."""
