"""The database and the study folder: schema, history, opening, backing up."""
