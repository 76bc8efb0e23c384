"""Stations with readings, and a real server."""

from tests.app.interchange.conftest import matcher, study, template
from tests.postgres import cluster, server_url

__all__ = ["cluster", "matcher", "server_url", "study", "template"]
