"""Tests of associate."""
