"""Tests of the migrations; `HEAD` is the newest revision of the schema."""

from migrations.study import database as _database

HEAD = str(_database._scripts().get_current_head())
