"""What joins pages, session, importer and trainer: one controller for each job of the station."""
