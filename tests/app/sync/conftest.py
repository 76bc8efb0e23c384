"""Stations with readings, and a real server."""

import pytest

from migrations.study.database import Database
from tests.app.interchange.conftest import matcher, study, template
from tests.postgres import cluster, root_certificate, running, server_url

__all__ = [
    "cluster",
    "matcher",
    "root_certificate",
    "running",
    "server",
    "server_url",
    "study",
    "template",
]


@pytest.fixture
def server(server_url: str):
    """A PostgreSQL of today's schema."""
    server = Database(server_url)
    server.upgrade()
    yield server
    server.close()
