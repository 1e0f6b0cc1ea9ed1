"""Tests of zilzal."""
