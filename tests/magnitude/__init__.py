"""Tests of magnitude."""
