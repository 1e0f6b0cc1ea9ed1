"""Tests of locate."""
