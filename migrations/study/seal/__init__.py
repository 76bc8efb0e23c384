"""The sealed record: a chain of hashes over what was recorded, which `db check` follows."""
