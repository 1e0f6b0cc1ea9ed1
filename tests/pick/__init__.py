"""Tests of pick."""
