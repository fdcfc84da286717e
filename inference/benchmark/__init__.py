"""Measuring answers from outside, as people and programs get them: `manage.py benchmark`."""
