"""The study's settings: page, controller and the fields."""
