"""A data set that can be published: BIDS, tables, Croissant, datasheet, licence, checksums."""
