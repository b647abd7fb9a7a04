"""Engines: adapters round one function, notes in and records out."""
