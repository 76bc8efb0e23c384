"""A job that nobody needs: what a new page of the station takes, and no more."""
