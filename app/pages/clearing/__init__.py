"""Clearing images of burned-in names: page, controller, contact sheet, blackout."""
